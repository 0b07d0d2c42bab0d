import Datapath
import MapABI
import Testing
import Wire

@Suite struct ProtocolTests {
  let echo: [UInt8] = [0x12, 0x34, 0, 1, 7, 7, 7, 7]

  @Test(arguments: [false, true])
  func anEchoIsTrackedByItsIdentifier(_ ipv6: Bool) throws {
    let frame =
      ipv6
      ? Frames.ipv6(Node.client.ipv6, Node.server.ipv6, .icmp(type: 128, code: 0, rest: echo))
      : Frames.ipv4(Node.client.ipv4, Node.server.ipv4, .icmp(type: 8, code: 0, rest: echo))
    let result = try Node().fromClient(frame)
    #expect(result.verdict == .redirect(Redirect(ifindex: Node.server.ifindex, mode: .egress)))
    let entries = result.changes.filter { $0.map == (ipv6 ? .ct6Any : .ct4Any) && $0.operation == .put }
    #expect(entries.count == 4)
    let ports = entries.map { change in
      ipv6 ? change.key(as: CTTuple6.self).sport : change.key(as: CTTuple4.self).sport
    }
    #expect(ports.contains(0x3412) || entries.contains { $0.keyBytes.contains(0x12) })
  }

  @Test func rulesForICMPMatchTheType() throws {
    var node = Node()
    node.isolate(Node.client)
    node.addPolicy(Node.client, identity: 0, egress: true, protocol: 1, port: 8)
    let request = Frames.ipv4(Node.client.ipv4, Node.remote.ipv4, .icmp(type: 8, code: 0, rest: echo))
    let timestamp = Frames.ipv4(Node.client.ipv4, Node.remote.ipv4, .icmp(type: 13, code: 0, rest: echo))
    let tooBig = Frames.ipv4(
      Node.client.ipv4, Node.remote.ipv4, .icmp(type: 3, code: 4, rest: Array(repeating: 0, count: 28)))
    #expect(try node.fromClient(request).drop == nil)
    #expect(try node.fromClient(timestamp).drop == .policy)
    #expect(try node.fromClient(tooBig).drop == nil, "fragmentation needed may always pass")
    node.config.enable_icmp_rule = 0
    #expect(try node.fromClient(request).drop == .policy, "the port is 0 then")
  }

  @Test func anErrorAboutAConnectionIsRelated() throws {
    let node = Node()
    var state = node.state()
    let syn = Frames.ipv4(
      Node.client.ipv4, Node.remote.ipv4, .tcp(source: 40_000, destination: 80, flags: 2))
    state.apply(try node.fromClient(syn, in: state).changes)
    let error = Frames.ipv4(
      Node.remote.ipv4, Node.client.ipv4, .icmp(type: 3, code: 1, rest: Array(repeating: 0, count: 28)))
    let result = try node.run(
      .fromOverlay, error, tunnel: TunnelKey(id: 10_003, remote: Node.ip(Node.remoteNode)), in: state)
    #expect(result.verdict == .redirect(Redirect(ifindex: Node.client.ifindex, mode: .egress)))
    #expect(result.steps.contains { if case .conntrack4(_, .ingress, .related) = $0 { true } else { false } })
    #expect(result.events.allSatisfy { if case .policyVerdict = $0 { false } else { true } })
  }

  @Test(arguments: [false, true])
  func laterFragmentsFindTheirPortsByTheFirst(_ ipv6: Bool) throws {
    var node = Node()
    node.isolate(Node.client)
    node.addPolicy(Node.client, identity: 0, egress: true, protocol: 17, port: 53)
    func fragment(_ offset: UInt16, more: Bool) -> [UInt8] {
      let body: Frames.Payload =
        offset == 0
        ? .udp(source: 40_000, destination: 53, data: [1, 2, 3, 4])
        : .raw(protocol: 17, [9, 9, 9, 9, 9, 9, 9, 9])
      if ipv6 {
        let position = Frames.be(offset << 3 | (more ? 1 : 0))
        return Frames.ipv6(
          Node.client.ipv6, Node.remote.ipv6, body, extensions: (44, [17, 0] + position + [0, 0, 0, 7]))
      }
      return Frames.ipv4(
        Node.client.ipv4, Node.remote.ipv4, body, fragment: offset | (more ? 0x2000 : 0))
    }
    var state = node.state()
    #expect(try node.fromClient(fragment(1, more: false), in: state).drop == .fragNotFound)
    let first = try node.fromClient(fragment(0, more: true), in: state)
    #expect(first.drop == nil)
    #expect(first.change(ipv6 ? .fragments6 : .fragments4)?.valueBytes == Frames.be(40_000) + Frames.be(53))
    state.apply(first.changes)
    let later = try node.fromClient(fragment(1, more: false), in: state)
    #expect(later.drop == nil)
    let counted = later.changes.filter { $0.map == .metrics && $0.key(as: MetricsKey.self).reason == 9 }
    #expect(counted.count == 1)
    node.config.enable_ipv4_fragments = 0
    node.config.enable_ipv6_fragments = 0
    #expect(try node.fromClient(fragment(0, more: true)).drop == .fragNosupport)
  }

  @Test func extensionHeadersAreSkippedUpToALimit() throws {
    let syn = Frames.Payload.tcp(source: 40_000, destination: 80, flags: 2)
    func frame(_ count: Int) -> [UInt8] {
      var octets: [UInt8] = []
      for index in 0..<count { octets += [index == count - 1 ? 6 : 60, 0, 0, 0, 0, 0, 0, 0] }
      return Frames.ipv6(
        Node.client.ipv6, Node.remote.ipv6, syn, extensions: count == 0 ? nil : (60, octets))
    }
    for count in 0...3 { #expect(try Node().fromClient(frame(count)).drop == nil, "\(count) headers") }
    #expect(try Node().fromClient(frame(4)).drop == .invalidExthdr)
    let none = Frames.ipv6(Node.client.ipv6, Node.remote.ipv6, .raw(protocol: 59, []))
    #expect(try Node().fromClient(none).drop == .invalidExthdr)
  }

  @Test func otherProtocolsNeedToBeAllowed() throws {
    let gre = Frames.ipv4(Node.client.ipv4, Node.remote.ipv4, .raw(protocol: 47, [0, 0, 8, 0]))
    var node = Node()
    #expect(try node.fromClient(gre).drop == .ctUnknownProto)
    node.config.enable_extended_ip_protocols = 1
    #expect(try node.fromClient(gre).drop == nil)
  }

  @Test func aPodMayNotSpeakToTheTunnelsPort() throws {
    let frame = Frames.ipv4(
      Node.client.ipv4, "172.18.0.3", .udp(source: 40_000, destination: 8472, data: []))
    #expect(try Node().fromClient(frame).drop == .encapProhibited)
  }

  @Test func anARPRequestIsAnsweredForEveryAddressButTheOwn() throws {
    func request(_ target: String) -> [UInt8] {
      Array(repeating: 0xff, count: 6) + Frames.podMAC + [8, 6, 0, 1, 8, 0, 6, 4, 0, 1] + Frames.podMAC
        + Frames.v4(Node.client.ipv4) + Array(repeating: 0, count: 6) + Frames.v4(target)
    }
    let result = try Node().fromClient(request("10.244.1.1"))
    let mac: [UInt8] = [2, 0, 0, 0, 2, 21]
    #expect(result.verdict == .redirect(Redirect(ifindex: Node.client.ifindex, mode: .egress)))
    #expect(
      result.buffer.frame
        == Frames.podMAC + mac + [8, 6, 0, 1, 8, 0, 6, 4, 0, 2] + mac + Frames.v4("10.244.1.1")
        + Frames.podMAC + Frames.v4(Node.client.ipv4))
    #expect(try Node().fromClient(request(Node.client.ipv4)).verdict == .pass)
  }

  @Test(arguments: [true, false])
  func aSolicitationForTheRouterIsAnswered(_ withOption: Bool) throws {
    let target = Frames.v6("fd00:1::1")
    let option: [UInt8] = withOption ? [1, 1] + Frames.podMAC : []
    let frame = Frames.ipv6(
      Node.client.ipv6, "ff02::1:ff00:1", .icmp(type: 135, code: 0, rest: [0, 0, 0, 0] + target + option),
      hopLimit: 255)
    let result = try Node().fromClient(frame)
    let out = result.buffer.frame
    #expect(result.verdict == .redirect(Redirect(ifindex: Node.client.ifindex, mode: .egress)))
    #expect(out.count == 86 && out[54] == 136 && out[58] == 0xc0)
    #expect(Array(out[62..<78]) == target && Array(out[78..<86]) == [2, 1, 2, 0, 0, 0, 2, 21])
    #expect(Array(out[22..<38]) == target && Array(out[38..<54]) == Frames.v6(Node.client.ipv6))
    #expect(Frames.isValidIPv6(out))
    let unknown = Frames.ipv6(
      Node.client.ipv6, "ff02::1:ff00:99",
      .icmp(type: 135, code: 0, rest: [0, 0, 0, 0] + Frames.v6("fd00:1::99") + option))
    #expect(try Node().fromClient(unknown).drop == .unknownTarget)
  }

  @Test func aUsedUpHopLimitIsAnsweredInIPv6() throws {
    let frame = Frames.ipv6(
      Node.client.ipv6, Node.server.ipv6, .tcp(source: 40_000, destination: 80, flags: 2), hopLimit: 1)
    let result = try Node().fromClient(frame)
    let out = result.buffer.frame
    #expect(result.verdict == .redirect(Redirect(ifindex: Node.client.ifindex, mode: .egress)))
    #expect(out.count == 14 + 40 + 68 && out[54] == 3)
    #expect(Array(out[22..<38]) == Frames.v6("fd00:1::1"))
    #expect(Frames.isValidIPv6(out))
  }

  @Test func aDeniedPodCanBeTold() throws {
    var node = Node()
    node.isolate(Node.client)
    node.config.policy_deny_response_enabled = 1
    let frame = Frames.ipv4(
      Node.client.ipv4, Node.remote.ipv4, .tcp(source: 40_000, destination: 80, flags: 2))
    let result = try node.fromClient(frame)
    #expect(result.verdict == .redirect(Redirect(ifindex: Node.client.ifindex, mode: .egress)))
    #expect(result.buffer.frame[34] == 3 && result.buffer.frame[35] == 13)
    let metric = result.changes.last { $0.map == .metrics }?.key(as: MetricsKey.self)
    #expect(metric?.reason == 123, "133 without its sign")
  }

  @Test func auditReportsAndLetsPass() throws {
    var node = Node()
    node.isolate(Node.client)
    node.config.policy_audit_mode = 1
    let result = try node.fromClient(
      Frames.ipv4(Node.client.ipv4, Node.remote.ipv4, .tcp(source: 40_000, destination: 80, flags: 2)))
    #expect(result.drop == nil)
    guard case .policyVerdict(let notify, _) = result.events.first else { return }
    #expect(notify.verdict == 0 && notify.bits & 0x40 != 0)
  }

  @Test func authenticationIsAskedFor() throws {
    var node = Node()
    node.isolate(Node.client)
    node.addPolicy(Node.client, identity: 10_002, egress: true, auth: 1)
    let frame = Frames.ipv4(
      Node.client.ipv4, Node.server.ipv4, .tcp(source: 40_000, destination: 80, flags: 2))
    let denied = try node.fromClient(frame)
    #expect(denied.drop == .policyAuthRequired)
    guard case .policyVerdict(let notify, _) = denied.events.first else { return }
    #expect(notify.auth_type == 1 && notify.verdict == -189)
    let key = AuthKey(
      local_sec_label: 10_001, remote_sec_label: 10_002, remote_node_id: 0, auth_type: 1, pad: 0)
    node.image.maps.auth[key] = AuthInfo(expiration: .max)
    #expect(try node.fromClient(frame).drop == nil)
    node.image.maps.auth[key] = AuthInfo(expiration: 1)
    #expect(try node.fromClient(frame).drop == .policyAuthRequired)
  }

  @Test func aProxyPortMarksThePacket() throws {
    var node = Node()
    node.isolate(Node.client)
    node.addPolicy(Node.client, identity: 0, egress: true, protocol: 6, port: 80, proxyPort: 15_001)
    let result = try node.fromClient(
      Frames.ipv4(Node.client.ipv4, Node.remote.ipv4, .tcp(source: 40_000, destination: 80, flags: 2)))
    #expect(result.verdict == .pass)
    #expect(result.buffer.mark == 0x0200 | UInt32(UInt16(15_001).bigEndian) << 16)
    #expect(result.traced == [1])
    #expect(result.change(.ct4TCP)?.value(as: CTEntry.self).flags == 1 << 6)
  }

  /// Precedence first, then the longer prefix, then the identity.
  @Test(arguments: [
    (UInt32(5), UInt8(0), UInt32(0), UInt8(24), true, UInt8(1)),
    (0, 0, 5, 24, true, 3),
    (3, 0, 3, 24, true, 3),
    (3, 24, 3, 24, true, 2),
    (3, 24, 3, 0, false, 4),
  ])
  func twoLookUpsDecide(
    _ exactPrecedence: UInt32, _ exactPrefix: UInt8, _ wildcardPrecedence: UInt32, _ wildcardPrefix: UInt8,
    _ hasExact: Bool, _ match: UInt8
  ) throws {
    var node = Node()
    node.isolate(Node.client)
    if hasExact {
      node.addPolicy(
        Node.client, identity: 10_003, egress: true, protocol: exactPrefix == 0 ? 0 : 6,
        port: exactPrefix == 0 ? 0 : 80, prefix: exactPrefix, precedence: exactPrecedence)
    }
    node.addPolicy(
      Node.client, identity: 0, egress: true, protocol: wildcardPrefix == 0 ? 0 : 6,
      port: wildcardPrefix == 0 ? 0 : 80, prefix: wildcardPrefix, precedence: wildcardPrecedence)
    let result = try node.fromClient(
      Frames.ipv4(Node.client.ipv4, Node.remote.ipv4, .tcp(source: 40_000, destination: 80, flags: 2)))
    guard case .policyVerdict(let notify, _) = result.events.first else { return }
    #expect(notify.bits >> 3 & 7 == match)
  }

  @Test func theEndOfAConnection() throws {
    var node = Node()
    var state = node.state()
    func send(_ flags: UInt8) throws -> HookResult {
      let frame = Frames.ipv4(
        Node.client.ipv4, Node.remote.ipv4, .tcp(source: 40_000, destination: 80, flags: flags))
      let result = try node.fromClient(frame, in: state)
      state.apply(result.changes)
      return result
    }
    func entry() -> CTEntry? {
      state.maps.ct4TCP.values.first
    }
    _ = try send(2)
    _ = try send(0x10)
    #expect(entry()?.lifetime == 9000)
    _ = try send(0x11)
    #expect(entry()?.flags == 1 << 4 | 1 << 1 && entry()?.lifetime == 9000)
    // A reset before the other side was heard is the end of both directions.
    _ = try send(0x14)
    #expect(entry()?.flags == 1 << 4 | 3 && entry()?.lifetime == 1010)
    // A new SYN makes a new entry.
    node.environment.ktime += 1_000_000_000
    let again = try send(2)
    #expect(entry()?.flags == 0 && entry()?.lifetime == 1061)
    #expect(again.events.count == 2, "a new connection is reported")
  }

  @Test func whatThePrefilterDoesNotNameIsPassed() throws {
    var node = Node()
    func verdict(_ frame: [UInt8]) throws -> Verdict {
      try Model().verdict(
        Attachment(hook: .xdpEntry, ifindex: 2, device: "eth0", config: node.config),
        on: HookInput(.xdp(XDPBuffer(frame: frame, ingressIfindex: 2)), environment: node.environment),
        state: node.state())
    }
    let frame = Frames.ipv4("192.0.2.7", Node.server.ipv4, .raw(protocol: 6, []))
    #expect(try verdict(Array(frame.prefix(20))) == .pass)
    node.config.enable_xdp_prefilter = 1
    #expect(try verdict(frame) == .pass)
    #expect(try verdict(Array(frame.prefix(20))) == .drop)
    #expect(throws: InterpreterError.wrongSubject) {
      try Model().verdict(
        Attachment(hook: .xdpEntry, ifindex: 2, device: "eth0", config: node.config),
        on: HookInput(.skb(SocketBuffer(frame: [], ifindex: 2)), environment: node.environment),
        state: node.state())
    }
  }
}
