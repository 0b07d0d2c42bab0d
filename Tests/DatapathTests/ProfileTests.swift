import Datapath
import MapABI
import Testing
import Wire

/// What older versions of Cilium do otherwise, seen on one hop each.
@Suite struct ProfileTests {
  static let syn = Frames.Payload.tcp(source: 20_000, destination: 80, flags: 2)

  static func node(_ profile: DatapathProfile) -> Node {
    var node = Node()
    node.profile = profile
    return node
  }

  @Test("Names, and the order of versions")
  func names() {
    #expect(DatapathProfile.allCases.map(\.description) == ["1.18", "1.19", "1.20"])
    #expect(DatapathProfile(name: "1.19") == .v119)
    #expect(DatapathProfile(name: "1.17") == nil && DatapathProfile(name: "1.200") == nil)
    #expect(DatapathProfile.current.missing.isEmpty)
    #expect(Set(DatapathProfile.v119.missing).isStrictSubset(of: DatapathProfile.v118.missing))
  }

  @Test("The identity is in the mark of redirected packets since 1.19", arguments: DatapathProfile.allCases)
  func mark(_ profile: DatapathProfile) throws {
    let frame = Frames.ipv4(Node.client.ipv4, Node.server.ipv4, Self.syn)
    let mark = try Self.node(profile).fromClient(frame).buffer.mark
    #expect((mark == 0) == (profile == .v118))
  }

  @Test("1.18 counts the TTL down before the stack does", arguments: DatapathProfile.allCases)
  func ttl(_ profile: DatapathProfile) throws {
    let frame = Frames.ipv4(Node.client.ipv4, "192.0.2.7", Self.syn)
    let result = try Self.node(profile).fromClient(frame)
    #expect(result.verdict == .pass)
    #expect(result.buffer.frame[22] == frame[22] - (profile == .v118 ? 1 : 0))
    #expect(result.buffer.mark != 0, "what goes to the stack is marked in every version")
    #expect(Frames.isValidIPv4(result.buffer.frame))
  }

  @Test("A service's wildcard entry drops since 1.19", arguments: DatapathProfile.allCases)
  func wildcard(_ profile: DatapathProfile) throws {
    var node = Self.node(profile)
    node.addService("10.96.0.10", port: 80, backends: [(Node.server.ipv4, 8080)])
    node.addService("10.96.0.10", port: 0, protocol: 0, backends: [], flags: 0)
    let other = Frames.ipv4("192.0.2.7", "10.96.0.10", .tcp(source: 20_000, destination: 81, flags: 2))
    #expect(try node.run(.fromNetdev, other).drop == (profile == .v118 ? nil : .noService))
  }

  @Test(
    "In 1.18 an entry for any protocol stands in for one that is missing", arguments: DatapathProfile.allCases
  )
  func anyProtocol(_ profile: DatapathProfile) throws {
    var node = Self.node(profile)
    node.addService("10.96.0.10", port: 80, protocol: 0, backends: [(Node.server.ipv4, 8080)])
    let result = try node.fromClient(Frames.ipv4(Node.client.ipv4, "10.96.0.10", Self.syn))
    let reached = Array(result.buffer.frame[30..<34])
    #expect(reached == Frames.v4(profile == .v118 ? Node.server.ipv4 : "10.96.0.10"))
  }

  @Test(
    "Node ports are known to pods on every node's address since 1.20", arguments: DatapathProfile.allCases)
  func nodePort(_ profile: DatapathProfile) throws {
    var node = Self.node(profile)
    node.addService("0.0.0.0", port: 30_080, backends: [(Node.server.ipv4, 8080)], flags: 2 | 64)
    let frame = Frames.ipv4(
      Node.client.ipv4, Node.remoteNode, .tcp(source: 20_000, destination: 30_080, flags: 2))
    let reached = Array(try node.fromClient(frame).buffer.frame[30..<34])
    #expect(reached == Frames.v4(profile == .v120 ? Node.server.ipv4 : Node.remoteNode))
  }

  @Test(
    "An IPv6 connection of a pod to itself gets the loopback address since 1.19",
    arguments: DatapathProfile.allCases)
  func loopback(_ profile: DatapathProfile) throws {
    var node = Self.node(profile)
    node.config.service_loopback_ipv6 = AddressWords(Node.ip("fe80::1"))
    node.addService("fd00:96::10", port: 80, backends: [(Node.client.ipv6, 8080)])
    let result = try node.fromClient(Frames.ipv6(Node.client.ipv6, "fd00:96::10", Self.syn))
    let source = Array(result.buffer.frame[22..<38])
    let expected = profile == .v118 ? Node.client.ipv6 : "fe80::1"
    #expect(source == Node.ip(expected).octets)
  }

  @Test(
    "Denied packets are answered since 1.19 over IPv4, since 1.20 over IPv6",
    arguments: DatapathProfile.allCases)
  func denied(_ profile: DatapathProfile) throws {
    var node = Self.node(profile)
    node.config.policy_deny_response_enabled = 1
    node.isolate(Node.client)
    let four = try node.fromClient(Frames.ipv4(Node.client.ipv4, Node.server.ipv4, Self.syn))
    #expect((four.verdict == .drop) == (profile == .v118))
    let six = try node.fromClient(Frames.ipv6(Node.client.ipv6, Node.server.ipv6, Self.syn))
    #expect((six.verdict == .drop) == (profile != .v120))
  }

  @Test("Ports of all that the node sends are reserved since 1.20", arguments: DatapathProfile.allCases)
  func natPorts(_ profile: DatapathProfile) throws {
    var node = Self.node(profile)
    node.config.ipv4_direct_routing = AddressWords(Node.ip("172.18.0.2")).w0
    func reserves(_ source: String, device: UInt32) throws -> Bool {
      node.config.direct_routing_dev_ifindex = device
      let frame = Frames.ipv4(source, "192.0.2.7", .tcp(source: 50_000, destination: 80, flags: 2))
      return try node.run(.toNetdev, frame, mark: 0x0c00).changes.contains { $0.map == .nat4 }
    }
    #expect(try reserves("172.18.0.2", device: Node.native))
    #expect(try reserves("172.18.0.2", device: 99) == (profile == .v120))
    #expect(try reserves("10.244.1.1", device: Node.native) == (profile == .v120))
  }

  @Test("ICMP errors that a packet was too big have a metric since 1.19", arguments: DatapathProfile.allCases)
  func tooBig(_ profile: DatapathProfile) throws {
    let quoted = Frames.ipv4(Node.server.ipv4, Node.client.ipv4, Self.syn).dropFirst(14)
    let frame = Frames.ipv4(
      Node.client.ipv4, Node.server.ipv4, .icmp(type: 3, code: 4, rest: [0, 0, 5, 0] + quoted))
    let result = try Self.node(profile).fromClient(frame)
    let isCounted = result.changes.contains {
      $0.map == .metrics && $0.key(as: MetricsKey.self).reason == UInt8(REASON_MTU_ERROR_MSG.rawValue)
    }
    #expect(isCounted == (profile != .v118))
  }

  @Test("Translations at sockets are all traced in 1.18", arguments: DatapathProfile.allCases)
  func socketTraces(_ profile: DatapathProfile) throws {
    var node = Self.node(profile)
    node.addService("10.96.0.10", port: 80, backends: [(Node.server.ipv4, 8080)])
    let input = SocketAddress(
      destination: Node.ip("10.96.0.10"), port: 80, protocol: 6, cookie: 9, netnsCookie: 1)
    let result = try Model(profile).run(
      Attachment(hook: .sock4Connect, ifindex: 0, device: "cgroup", config: node.config),
      on: HookInput(.socket(input), environment: node.environment), state: node.state())
    #expect(result.events.count == (profile == .v118 ? 2 : 1))
  }

  @Test("A SYN with ACK reopens a closed connection in 1.18", arguments: DatapathProfile.allCases)
  func acknowledgedSYN(_ profile: DatapathProfile) throws {
    let node = Self.node(profile)
    var state = node.state()
    func send(_ flags: UInt8) throws -> [CTEntry] {
      let frame = Frames.ipv4(
        Node.client.ipv4, Node.remote.ipv4, .tcp(source: 20_000, destination: 80, flags: flags))
      let result = try node.fromClient(frame, in: state)
      state.apply(result.changes)
      return result.changes.filter { $0.map == .ct4TCP }.map { $0.value(as: CTEntry.self) }
    }
    _ = try send(0x02)
    #expect(try send(0x04).last?.flags == 3 | 1 << 4, "a reset closes both directions")
    let after = try send(0x12).last?.flags ?? 3
    #expect((after & 3 == 0) == (profile == .v118))
  }
}
