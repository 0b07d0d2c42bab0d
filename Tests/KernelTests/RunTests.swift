import Datapath
import Glibc
import MapABI
import Testing
import TwoPods
import Wire

@testable import Kernel

extension KernelSuite {
  /// Runs as such: repetition, short frames, rings, and what is left behind.
  @Suite struct RunTests {
    let image = TwoPods.image(.open)

    @Test("Thousands of runs report the same, also where the ring wraps", .needsKernel)
    func ringWraps() throws {
      var image = image
      image.attachments[0].config.monitor_aggregation = 0
      let state = NodeState(image)
      var node = try KernelNode.make(state, objects: .builtin(), reading: .conversation)
      _ = try node.run(image.attachments[0], on: TwoPods.syn(), state: state)
      let reference = try node.run(image.attachments[0], on: TwoPods.syn(), state: state)
      try #require(reference.events.count >= 1)
      // More than twice the ring of 64 pages.
      let size = reference.events.reduce(0) { $0 + $1.bytes.count + 12 }
      for _ in 0..<(2 * 64 * 4096 / size) {
        let result = try node.run(image.attachments[0], on: TwoPods.syn(), state: state)
        guard result.events == reference.events, result.subject == reference.subject else {
          Issue.record("a run differs: \(result.events)")
          return
        }
      }
      #expect(node.given.lostEvents == 0)
    }

    @Test(
      "Frames cut off anywhere get a verdict, in ours and in Cilium's objects alike",
      .needsKernel, arguments: Candidate.all)
    func shortFrames(_ candidate: Candidate) throws {
      let image = TwoPods.image(.open, isDual: candidate.isDual)
      let state = NodeState(image)
      var node = try KernelNode.make(state, objects: candidate.objects())
      guard case .skb(let whole) = TwoPods.syn().subject else { return }
      var reasons: [DropReason?] = []
      for length in 0...whole.frame.count {
        let input = HookTests.input(Array(whole.frame[0..<length]), TwoPods.clientIfindex)
        do throws(KernelError) {
          let result = try node.run(image.attachments[0], on: input, state: state)
          #expect(result.subject.frame?.count == length)
          reasons.append(result.drop)
        } catch {
          #expect(error.kind == .notRun)
          #expect(length < 14)
        }
      }
      // Without a whole IPv4 header, without the TCP header up to its flags, and then enough of it.
      let expected =
        [DropReason?](repeating: .invalid, count: 20) + [DropReason?](repeating: .ctInvalidHdr, count: 14)
        + [DropReason?](repeating: nil, count: 7)
      #expect(reasons == expected)
    }

    @Test(
      "Frames of an Ethernet header alone are run", .needsKernel,
      arguments: [0x0806, 0x88b5, 0x0800, 0x86dd, 0x8100])
    func headerAlone(_ type: Int) throws {
      let state = NodeState(image)
      var node = try KernelNode.make(state, objects: .builtin())
      guard case .skb(let whole) = TwoPods.syn().subject else { return }
      let frame = whole.frame[0..<12] + [UInt8(type >> 8), UInt8(type & 0xff)]
      let result = try node.run(
        image.attachments[0], on: HookTests.input(Array(frame), TwoPods.clientIfindex), state: state)
      #expect(result.subject.frame == Array(frame))
      #expect(result.verdict == .drop)
    }

    @Test(
      "A packet with tunnel options is not run rather than run without them",
      .needsKernel)
    func tunnelOptions() throws {
      let state = NodeState(image)
      var node = try KernelNode.make(state, objects: .builtin())
      guard case .skb(var buffer) = TwoPods.syn().subject else { return }
      buffer.tunnelKey = TunnelKey(id: 7, remote: HookTests.remoteNode, options: [1, 2, 3, 4])
      #expect(throws: KernelError.self) {
        try node.run(
          image.attachments[0], on: HookInput(.skb(buffer), environment: TwoPods.syn().environment),
          state: state)
      }
    }

    @Test(
      "What an earlier packet left in Cilium's working buffers does not count", .needsKernel, .needsCilium,
      arguments: CiliumFolders.all)
    func scratch(_ folder: CiliumFolder) throws {
      let image = TwoPods.image(.open, isDual: folder.isDual)
      let state = NodeState(image)
      var node = try KernelNode.make(state, objects: folder.objects(["bpf_lxc.o"]))
      let clean = try node.run(image.attachments[0], on: TwoPods.syn(), state: state)
      #expect(node.maps.scratchSize > 0)
      node.maps.clearScratch(to: 0xff)
      let dirty = try node.run(image.attachments[0], on: TwoPods.syn(), state: state)
      #expect(dirty.verdict == clean.verdict)
      #expect(dirty.subject == clean.subject)
      #expect(dirty.changes.map(\.keyBytes) == clean.changes.map(\.keyBytes))
      let flags = dirty.changes.filter { $0.map == .ct4TCP }.map { $0.value(as: CTEntry.self).flags }
      #expect(flags == [0, 0])
    }

    @Test("A frame longer than the kernel takes is not run", .needsKernel)
    func longFrame() throws {
      let state = NodeState(image)
      var node = try KernelNode.make(state, objects: .builtin())
      let frame = Frames.tcp(
        from: (TwoPods.clientMAC, TwoPods.client), to: (TwoPods.clientHostMAC, TwoPods.server), sourcePort: 1,
        destinationPort: 80, flags: 2, payload: [UInt8](repeating: 0, count: 9000))
      #expect(throws: KernelError.self) {
        try node.run(image.attachments[0], on: HookTests.input(frame, TwoPods.clientIfindex), state: state)
      }
    }

    @Test("Mark, cb and tc_index reach the program and come back", .needsKernel)
    func metadata() throws {
      let image = HookTests.image(isDual: true)
      let state = NodeState(image)
      var node = try KernelNode.make(state, objects: .builtin())
      let attachment = try #require(image.attachment(.toHost, ifindex: 4))
      guard case .skb(var buffer) = TwoPods.syn().subject else { return }
      buffer.ifindex = 4
      buffer.tcIndex = 9
      buffer.mark = 0x2711_0f00
      buffer.packetType = .otherHost
      let result = try node.run(
        attachment, on: HookInput(.skb(buffer), environment: TwoPods.syn().environment), state: state)
      guard case .skb(let after) = result.subject else { return }
      #expect(after.mark == 0x2711_0f00)
      #expect(after.tcIndex == 9)
      #expect(node.given.flowHash != nil)
    }

    @Test("Routing of the private namespace is what programs see", .needsKernel)
    func routing() throws {
      var image = TwoPods.image(.open)
      image.attachments[0].config.enable_host_routing = 1
      image.attachments[0].config.supports_fib_lookup_skip_neigh = 1
      let gateway = IPAddress.v4(IPv4Address(bits: 0xac12_0001))
      let world = IPAddress.v4(IPv4Address(bits: 0xcb00_7109))
      let state = NodeState(image)
      var node = try KernelNode.make(state, objects: .builtin())
      let frame = Frames.tcp(
        from: (TwoPods.clientMAC, TwoPods.client), to: (TwoPods.clientHostMAC, world), sourcePort: 40001,
        destinationPort: 80, flags: 2)
      let input = HookTests.input(frame, TwoPods.clientIfindex)
      let before = try node.run(image.attachments[0], on: input, state: state)
      #expect(before.verdict != .redirect(Redirect(ifindex: 2, mode: .neighbour)))
      try node.install(
        NodeRouting(
          addresses: [.init(.v4(IPv4Address(bits: 0xac12_0002)), prefixLength: 16, ifindex: 2)],
          routes: [
            .init(try #require(CIDR("0.0.0.0/0")), via: gateway, ifindex: 2)
          ],
          neighbours: [
            .init(gateway, MACAddress(bits: 0x0242_0000_0001), ifindex: 2)
          ]))
      let after = try node.run(image.attachments[0], on: input, state: state)
      #expect(after.verdict == .redirect(Redirect(ifindex: 2, mode: .neighbour)), "\(after.events)")
    }

    /// In a process of its own: other tests open descriptors at the same time.
    @Test("Nothing is left behind", .needsKernel)
    func nothingLeft() async {
      await #expect(processExitsWith: .success) {
        let home = Self.namespace()
        func once() throws {
          let image = TwoPods.image(.open)
          let state = NodeState(image)
          var node = try KernelNode.make(state, objects: .builtin())
          _ = try node.run(image.attachments[0], on: TwoPods.syn(), state: state)
          #expect(Self.namespace() != home)
          _ = try SocketRunner.create()
          _ = try node.run(image.attachments[0], on: TwoPods.syn(), state: state)
        }
        try once()
        let before = Self.descriptors()
        try once()
        #expect(Self.descriptors() == before)
        #expect(Self.namespace() == home)
        let cgroups = try OwnCgroup.create()
        #expect(Self.ownCgroups(cgroups.path) == 1)
      }
    }

    private static func descriptors() -> Int {
      guard let folder = opendir("/proc/self/fd") else { return -1 }
      defer { closedir(folder) }
      var count = 0
      while readdir(folder) != nil { count += 1 }
      return count
    }

    private static func ownCgroups(_ path: String) -> Int {
      guard let slash = path.lastIndex(of: "/"), let folder = opendir(String(path[..<slash])) else {
        return -1
      }
      defer { closedir(folder) }
      var count = 0
      while let entry = readdir(folder) {
        let name = withUnsafeBytes(of: entry.pointee.d_name) {
          String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        if name.hasPrefix("ciliate-\(getpid())-") { count += 1 }
      }
      return count
    }

    private static func namespace() -> UInt64 {
      var status = stat()
      return stat("/proc/thread-self/ns/net", &status) == 0 ? UInt64(status.st_ino) : 0
    }
  }
}
