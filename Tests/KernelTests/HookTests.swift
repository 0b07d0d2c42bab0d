import Datapath
import MapABI
import Testing
import TwoPods
import Wire

@testable import Kernel

extension KernelSuite {
  /// The other hooks, and what only the driver can give and take: the tunnel key.
  @Suite struct HookTests {
    static let remotePod = IPAddress.v4(IPv4Address(bits: 0x0af4_0220))  // 10.244.2.32
    static let remoteNode = IPAddress.v4(IPv4Address(bits: 0xac12_0003))  // 172.18.0.3
    static let remoteIdentity: UInt32 = 10003

    /// Two pods here, one on another node, and the node's own devices.
    static func image(isDual: Bool) -> MapImage {
      var image = TwoPods.image(.open, isDual: isDual)
      var remote = RemoteEndpointInfo()
      remote.sec_identity = remoteIdentity
      remote.tunnel_endpoint = AddressWords(remoteNode)
      remote.flags = UInt8(IPCACHE_FLAG_HAS_TUNNEL_EP.rawValue)
      image.maps.ipcache[exactly: IPCacheKey(remotePod)] = remote
      for (hook, ifindex) in [
        (Hook.fromOverlay, UInt32(5)), (.toOverlay, 5), (.fromNetdev, 2), (.toNetdev, 2), (.fromHost, 3),
        (.toHost, 4), (.xdpEntry, 2),
      ] {
        var config = image.attachments[0].config
        config.endpoint_id = 0
        config.interface_ifindex = ifindex
        config.interface_mac = MACBytes(MACAddress(bits: 0x0a00_0000_0200 | UInt64(ifindex)))
        config.security_label = hook == .fromHost || hook == .toHost ? 1 : 0
        // As the agent writes them: these two objects are built without local delivery metrics.
        if hook == .fromOverlay || hook == .toOverlay || hook == .xdpEntry {
          config.local_delivery_metrics = 0
        }
        image.attachments.append(
          Attachment(hook: hook, ifindex: ifindex, device: "if\(ifindex)", config: config))
      }
      return image
    }

    @Test(
      "A packet to a pod of another node gets the tunnel key of its sender",
      .needsKernel,
      arguments: Candidate.all)
    func encapsulation(_ candidate: Candidate) throws {
      let image = Self.image(isDual: candidate.isDual)
      let state = NodeState(image)
      var node = try KernelNode.make(state, objects: candidate.objects())
      let frame = Frames.tcp(
        from: (TwoPods.clientMAC, TwoPods.client), to: (TwoPods.clientHostMAC, Self.remotePod),
        sourcePort: 40000,
        destinationPort: 80, flags: 0x02)
      let result = try node.run(
        image.attachments[0], on: Self.input(frame, TwoPods.clientIfindex), state: state)
      #expect(result.verdict == .redirect(Redirect(ifindex: 5, mode: .egress)))
      guard case .skb(let buffer) = result.subject else { return }
      #expect(buffer.tunnelKey?.id == TwoPods.clientIdentity)
      #expect(buffer.tunnelKey?.remote == Self.remoteNode)
    }

    @Test(
      "A packet out of the tunnel is delivered under the identity of its tunnel key",
      .needsKernel, arguments: Candidate.all)
    func decapsulation(_ candidate: Candidate) throws {
      let image = Self.image(isDual: candidate.isDual)
      let state = NodeState(image)
      let objects = try candidate.objects()
      guard objects.placement(of: .fromOverlay) != nil,
        let overlay = image.attachment(.fromOverlay, ifindex: 5)
      else { return }
      var node = try KernelNode.make(state, objects: objects)
      let frame = Frames.tcp(
        from: (TwoPods.clientMAC, Self.remotePod), to: (overlay.config.interface_mac.mac, TwoPods.server),
        sourcePort: 40000, destinationPort: 80, flags: 0x02)
      var input = Self.input(frame, 5)
      if case .skb(var buffer) = input.subject {
        buffer.tunnelKey = TunnelKey(id: Self.remoteIdentity, remote: Self.remoteNode)
        input.subject = .skb(buffer)
      }
      let result = try node.run(overlay, on: input, state: state)
      #expect(
        result.verdict == .redirect(Redirect(ifindex: TwoPods.serverIfindex, mode: .egress)),
        "\(result.events)")
      let verdicts = result.events.compactMap {
        if case .policyVerdict(let notify, _) = $0 { notify.remote_label } else { nil }
      }
      #expect(verdicts == [Self.remoteIdentity])
    }

    @Test(
      "Every hook of the node's own devices runs", .needsKernel,
      arguments: Candidate.all)
    func others(_ candidate: Candidate) throws {
      let image = Self.image(isDual: candidate.isDual)
      let state = NodeState(image)
      let objects = try candidate.objects()
      var node = try KernelNode.make(state, objects: objects)
      for attachment in image.attachments where objects.placement(of: attachment.hook) != nil {
        let frame = Frames.tcp(
          from: (TwoPods.clientMAC, Self.remoteNode),
          to: (attachment.config.interface_mac.mac, TwoPods.server),
          sourcePort: 40000, destinationPort: 80, flags: 0x02)
        var input = Self.input(frame, attachment.ifindex)
        if attachment.hook == .xdpEntry {
          input.subject = .xdp(XDPBuffer(frame: frame, ingressIfindex: attachment.ifindex))
        }
        let result = try node.run(attachment, on: input, state: state)
        let (verdict, drop) = Self.expected(attachment.hook)
        #expect(result.verdict == verdict, "\(attachment.hook)")
        #expect(result.drop == drop, "\(attachment.hook)")
      }
    }

    /// What becomes of a packet from another node's address to the server, at each hook.
    private static func expected(_ hook: Hook) -> (Verdict, DropReason?) {
      switch hook {
      case .fromContainer, .toContainer: (.drop, .invalidSip)
      case .fromOverlay: (.drop, .noTunnelKey)
      case .fromHost: (.redirect(Redirect(ifindex: TwoPods.serverIfindex, mode: .egress)), nil)
      case .toOverlay, .fromNetdev, .toNetdev, .toHost, .xdpEntry, .sock4Connect, .sock6Connect: (.pass, nil)
      }
    }

    static func input(_ frame: [UInt8], _ ifindex: UInt32) -> HookInput {
      HookInput(
        .skb(SocketBuffer(frame: frame, ifindex: ifindex, ingressIfindex: ifindex)),
        environment: Environment(ktime: 1_000_000_000_000, random: 7))
    }
  }
}

/// A datapath to test: ours, or a build of Cilium's.
struct Candidate: Sendable, CustomTestStringConvertible, CustomStringConvertible {
  var folder: CiliumFolder?
  static let all = [Candidate(folder: nil)] + CiliumFolders.all.map { Candidate(folder: $0) }
  var testDescription: String { folder?.testDescription ?? "ours" }
  var description: String { testDescription }
  var isDual: Bool { folder?.isDual ?? true }

  func objects() throws -> DatapathObjects {
    try folder?.objects(["bpf_lxc.o", "bpf_host.o", "bpf_overlay.o", "bpf_xdp.o", "bpf_sock.o"]) ?? .builtin()
  }
}
