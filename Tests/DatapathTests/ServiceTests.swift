import Datapath
import MapABI
import Testing
import Wire

@Suite struct ServiceTests {
  let syn = Frames.Payload.tcp(source: 40_000, destination: 80, flags: 2)

  static let families: [Bool] = [false, true]

  func node(_ backends: [Node.Pod], flags: UInt8 = 0, affinity: UInt32 = 0, protocol: UInt8 = 6) -> Node {
    var node = Node()
    node.addService(
      "10.96.0.10", port: 80, protocol: `protocol`, backends: backends.map { ($0.ipv4, 8080) },
      flags: flags, affinity: affinity)
    node.addService(
      "fd00:96::10", port: 80, protocol: `protocol`, backends: backends.map { ($0.ipv6, 8080) },
      flags: flags, affinity: affinity)
    return node
  }

  func frame(_ ipv6: Bool, _ payload: Frames.Payload? = nil) -> [UInt8] {
    ipv6
      ? Frames.ipv6(Node.client.ipv6, "fd00:96::10", payload ?? syn)
      : Frames.ipv4(Node.client.ipv4, "10.96.0.10", payload ?? syn)
  }

  func destination(_ frame: [UInt8], _ ipv6: Bool) -> [UInt8] {
    Array(ipv6 ? frame[38..<54] : frame[30..<34])
  }

  @Test(arguments: families)
  func aServiceIsTranslatedToItsBackend(_ ipv6: Bool) throws {
    let result = try node([Node.remote]).fromClient(frame(ipv6))
    let out = result.buffer.frame
    #expect(result.verdict == .redirect(Redirect(ifindex: Node.encapIfindex, mode: .egress)))
    #expect(destination(out, ipv6) == (ipv6 ? Frames.v6(Node.remote.ipv6) : Frames.v4(Node.remote.ipv4)))
    let ports = ipv6 ? 54 : 34
    #expect(Array(out[ports..<ports + 4]) == Frames.be(40_000) + Frames.be(8080))
    #expect(ipv6 ? Frames.isValidIPv6(out) : Frames.isValidIPv4(out))
    let entries = result.changes.filter { $0.map == (ipv6 ? .ct6TCP : .ct4TCP) }
      .map { $0.value(as: CTEntry.self) }
    try #require(entries.count == 2)
    #expect(entries[0].backend_id == 1 && entries[0].rev_nat_index == 5, "the service's entry comes first")
    #expect(entries[1].backend_id == 0 && entries[1].rev_nat_index == 5)
  }

  @Test(arguments: families)
  func theReplyCarriesTheServicesAddress(_ ipv6: Bool) throws {
    let node = node([Node.server])
    var state = node.state()
    state.apply(try node.fromClient(frame(ipv6), in: state).changes)
    let reply: Frames.Payload = .tcp(source: 8080, destination: 40_000, flags: 0x12)
    let answer =
      ipv6
      ? Frames.ipv6(Node.server.ipv6, Node.client.ipv6, reply)
      : Frames.ipv4(Node.server.ipv4, Node.client.ipv4, reply)
    let attachment = Attachment(
      hook: .fromContainer, ifindex: Node.server.ifindex, device: "lxc-server",
      config: node.podConfig(Node.server))
    let result = try Model().run(
      attachment,
      on: HookInput(
        .skb(SocketBuffer(frame: answer, ifindex: Node.server.ifindex)), environment: node.environment),
      state: state)
    let out = result.buffer.frame
    #expect(result.verdict == .redirect(Redirect(ifindex: Node.client.ifindex, mode: .egress)))
    #expect(
      Array(ipv6 ? out[22..<38] : out[26..<30]) == (ipv6 ? Frames.v6("fd00:96::10") : Frames.v4("10.96.0.10"))
    )
    #expect(Array(out[(ipv6 ? 54 : 34)...].prefix(2)) == Frames.be(80))
    #expect(ipv6 ? Frames.isValidIPv6(out) : Frames.isValidIPv4(out))
    #expect(result.events.allSatisfy { if case .policyVerdict = $0 { false } else { true } })
  }

  @Test(arguments: families)
  func aPodThatReachesItselfComesFromTheLoopbackAddress(_ ipv6: Bool) throws {
    var node = node([Node.client])
    node.isolate(Node.client)
    let result = try node.fromClient(frame(ipv6))
    let out = result.buffer.frame
    #expect(result.verdict == .redirect(Redirect(ifindex: Node.client.ifindex, mode: .egress)))
    #expect(
      Array(ipv6 ? out[22..<38] : out[26..<30]) == (ipv6 ? Frames.v6("fe80::1") : Frames.v4("169.254.42.1")))
    #expect(destination(out, ipv6) == (ipv6 ? Frames.v6(Node.client.ipv6) : Frames.v4(Node.client.ipv4)))
    #expect(ipv6 ? Frames.isValidIPv6(out) : Frames.isValidIPv4(out))
    let flags = result.changes.filter { $0.map == (ipv6 ? .ct6TCP : .ct4TCP) }
      .map { $0.value(as: CTEntry.self).flags }
    #expect(flags == [0, 8, 8], "no policy needed: the egress entry of this very run says so")
  }

  @Test(arguments: families)
  func withoutBackendsTheSenderIsTold(_ ipv6: Bool) throws {
    let result = try node([]).fromClient(frame(ipv6))
    let out = result.buffer.frame
    #expect(result.verdict == .redirect(Redirect(ifindex: Node.client.ifindex, mode: .egress)))
    if ipv6 {
      #expect(out.count == 14 + 40 + 8 + 74 && out[20] == 58 && out[54] == 1 && out[55] == 4)
      #expect(Frames.isValidIPv6(out), "the sample is short enough for Cilium's sum")
      #expect(result.change(.rateLimit)?.value(as: RateLimitValue.self).tokens == 99)
    } else {
      #expect(out.count == 14 + 20 + 8 + 54 && out[23] == 1 && out[34] == 3 && out[35] == 3)
      #expect(Frames.isValidIPv4(out))
      // The packet's own octets, then fourteen zeros for its Ethernet header.
      #expect(Array(out[42..<82]) == Array(frame(false)[14...]) && out[82...].allSatisfy { $0 == 0 })
    }
    var strict = node([])
    strict.config.service_no_backend_response = 0
    #expect(try strict.fromClient(frame(ipv6)).drop == .noService)
  }

  @Test func aLongSampleGetsCiliumsSum() throws {
    let long = Frames.Payload.udp(source: 40_000, destination: 80, data: Array(repeating: 9, count: 400))
    let result = try node([], protocol: 17).fromClient(frame(true, long))
    #expect(result.verdict == .redirect(Redirect(ifindex: Node.client.ifindex, mode: .egress)))
    #expect(!Frames.isValidIPv6(result.buffer.frame), "every second 128 octets are left out of the sum")
  }

  @Test func theDrawDecidesAndAGivenChoiceWins() throws {
    var node = node([Node.client, Node.server, Node.remote])
    var seen: Set<UInt32> = []
    for seed in UInt64(0)..<32 {
      node.environment.random = seed
      node.environment.chosenBackend = nil
      var environment = node.environment
      let expected = environment.draw() % 3 + 1
      let result = try node.fromClient(frame(false))
      #expect(
        result.changes.compactMap { $0.map == .ct4TCP ? $0.value(as: CTEntry.self).backend_id : nil }
          .first == UInt64(expected))
      seen.insert(expected)
      node.environment.chosenBackend = 2
      let given = try node.fromClient(frame(false))
      #expect(given.steps.contains { if case .backend(2, 2, .given) = $0 { true } else { false } })
      #expect(destination(given.buffer.frame, false) == Frames.v4(Node.server.ipv4))
    }
    #expect(seen.count == 3)
  }

  @Test func aClientStaysWithItsBackendUntilTheTimeout() throws {
    var node = node([Node.server, Node.remote], flags: 16, affinity: 10)
    for id in UInt32(1)...2 {
      node.image.maps.affinityMatch[AffinityMatch(backend_id: id, rev_nat_id: 5, pad: 0)] = 1
    }
    node.environment.chosenBackend = 2
    var state = node.state()
    state.apply(try node.fromClient(frame(false), in: state).changes)
    node.environment.chosenBackend = 1
    func again(_ seconds: UInt64, _ port: UInt16) throws -> [UInt8] {
      node.environment.ktime += seconds * 1_000_000_000
      let payload = Frames.Payload.tcp(source: port, destination: 80, flags: 2)
      let result = try node.fromClient(frame(false, payload), in: state)
      state.apply(result.changes)
      return destination(result.buffer.frame, false)
    }
    #expect(try again(9, 40_001) == Frames.v4(Node.remote.ipv4))
    #expect(try again(10, 40_002) == Frames.v4(Node.server.ipv4), "the end of the timeout is outside of it")
  }

  @Test func aLeavingBackendKeepsItsConnectionsOnly() throws {
    var node = node([Node.server, Node.remote])
    node.environment.chosenBackend = 1
    var state = node.state()
    state.apply(try node.fromClient(frame(false), in: state).changes)
    let backend = state.maps.backends4[1]
    guard var leaving = backend else { return }
    leaving.flags = 1
    state.apply([MapChange(put: leaving, at: UInt32(1), in: .backends4)])
    node.environment.chosenBackend = 2
    let ack = Frames.Payload.tcp(source: 40_000, destination: 80, flags: 0x10)
    #expect(
      destination(try node.fromClient(frame(false, ack), in: state).buffer.frame, false)
        == Frames.v4(Node.server.ipv4))
    #expect(
      destination(try node.fromClient(frame(false), in: state).buffer.frame, false)
        == Frames.v4(Node.remote.ipv4))
  }

  @Test func datagramsWithoutChecksumStayWithout() throws {
    var packet = frame(false, .udp(source: 40_000, destination: 80, data: [1, 2, 3]))
    packet[40] = 0
    packet[41] = 0
    let out = try node([Node.remote], protocol: 17).fromClient(packet).buffer.frame
    #expect(out[40] == 0 && out[41] == 0 && Frames.isValidIPv4(out))
    let summed = try node([Node.remote], protocol: 17)
      .fromClient(frame(false, .udp(source: 40_000, destination: 80, data: [1, 2, 3]))).buffer.frame
    #expect((summed[40] != 0 || summed[41] != 0) && Frames.isValidIPv4(summed))
  }

  @Test(arguments: [
    (UInt64(1), "10.96.0.10", UInt16(80), Verdict.pass, "10.244.1.12", UInt16(8080)),
    (2, "10.96.0.10", 80, .pass, "10.96.0.10", 80),
    (1, "10.96.0.10", 81, .pass, "10.96.0.10", 81),
    (1, "10.96.0.11", 80, .drop, "10.96.0.11", 80),
    (1, "127.0.0.1", 30_080, .pass, "10.244.1.12", 8080),
    (1, "172.18.0.3", 30_080, .pass, "10.244.1.12", 8080),
  ])
  func socketsOfTheHostAreTranslatedAtConnect(
    _ namespace: UInt64, _ address: String, _ port: UInt16, _ verdict: Verdict, _ reached: String,
    _ reachedPort: UInt16
  ) throws {
    var node = node([Node.server])
    node.addService("10.96.0.11", port: 80, backends: [], revNAT: 6)
    node.addService("0.0.0.0", port: 30_080, backends: [(Node.server.ipv4, 8080)], flags: 2, revNAT: 7)
    let input = SocketAddress(
      destination: Node.ip(address), port: port, protocol: 6, cookie: 9, netnsCookie: namespace)
    let result = try Model().run(
      Attachment(hook: .sock4Connect, ifindex: 0, device: "cgroup", config: node.config),
      on: HookInput(.socket(input), environment: node.environment), state: node.state())
    #expect(result.verdict == verdict)
    guard case .socket(let output) = result.subject else { return }
    #expect(output.destination == Node.ip(reached) && output.port == reachedPort)
  }

  @Test func oneSocketInAnIntervalIsTraced() throws {
    var node = node([Node.server])
    var state = node.state()
    func connect() throws -> [[UInt8]] {
      let input = SocketAddress(
        destination: Node.ip("10.96.0.10"), port: 80, protocol: 6, cookie: 0x0102, netnsCookie: 1)
      let result = try Model().run(
        Attachment(hook: .sock4Connect, ifindex: 0, device: "cgroup", config: node.config),
        on: HookInput(.socket(input), environment: node.environment), state: state)
      state.apply(result.changes)
      return result.events.map(\.bytes)
    }
    let first = try connect()
    try #require(first.count == 1, "the address asked for; the chosen one finds no token")
    #expect(Array(first[0].prefix(10)) == [7, 1, 1, 0, 80, 0, 0, 0, 2, 1])
    #expect(Array(first[0][24..<28]) == Frames.v4("10.96.0.10"))
    #expect(try connect().isEmpty)
    node.environment.ktime += 6_000_000_000
    #expect(try connect().count == 1)
    node.config.monitor_aggregation = 0
    #expect(try connect().map { $0[1] } == [1, 2])
  }

  @Test func anIPv4AddressInIPv6FormIsTranslatedToo() throws {
    let input = SocketAddress(
      destination: Node.ip("::ffff:10.96.0.10"), port: 80, protocol: 6, cookie: 9, netnsCookie: 1)
    let node = node([Node.server])
    let result = try Model().run(
      Attachment(hook: .sock6Connect, ifindex: 0, device: "cgroup", config: node.config),
      on: HookInput(.socket(input), environment: node.environment), state: node.state())
    guard case .socket(let output) = result.subject else { return }
    #expect(output.destination == Node.ip("::ffff:10.244.1.12") && output.port == 8080)
  }
}
