import Datapath
import MapABI
import Testing
import Wire

@Suite struct HostTests {
  let syn = Frames.Payload.tcp(source: 20_000, destination: 80, flags: 2)

  @Test func whatComesFromTheNetworkIsTheStacks() throws {
    let frame = Frames.ipv4("192.0.2.7", Node.server.ipv4, syn)
    let result = try Node().run(.fromNetdev, frame)
    #expect(result.verdict == .pass)
    #expect(result.buffer.frame == frame)
    #expect(result.changes.count == 1, "counted as plaintext, that is all")
  }

  @Test func aClusterIPIsNotServedToTheOutside() throws {
    var node = Node()
    node.addService("10.96.0.10", port: 80, backends: [(Node.server.ipv4, 8080)])
    node.addService("10.96.0.10", port: 0, protocol: 0, backends: [], flags: 0)
    let listed = try node.run(.fromNetdev, Frames.ipv4("192.0.2.7", "10.96.0.10", syn))
    #expect(listed.drop == .isClusterIp)
    let other = Frames.ipv4(
      "192.0.2.7", "10.96.0.10", .tcp(source: 20_000, destination: 81, flags: 2))
    #expect(try node.run(.fromNetdev, other).drop == .noService)
  }

  @Test func aNodePortOfALocalBackendIsTranslated() throws {
    var node = Node()
    node.addService(
      "172.18.0.2", port: 30_080, backends: [(Node.server.ipv4, 8080)], flags: 2 | 64)
    let frame = Frames.ipv4(
      "192.0.2.7", "172.18.0.2", .tcp(source: 20_000, destination: 30_080, flags: 2))
    let result = try node.run(.fromNetdev, frame)
    #expect(result.verdict == .pass)
    #expect(Array(result.buffer.frame[30..<34]) == Frames.v4(Node.server.ipv4))
    #expect(Array(result.buffer.frame[36..<38]) == Frames.be(8080))
    #expect(Frames.isValidIPv4(result.buffer.frame))
    let entries = result.changes.filter { $0.map == .ct4TCP }.map { $0.value(as: CTEntry.self) }
    try #require(entries.count == 2)
    #expect(entries[0].backend_id == 1)
    #expect(entries[1].flags == 1 << 5 && entries[1].src_sec_id == 9 && entries[1].rev_nat_index == 5)
  }

  @Test func aNodePortOfARemoteBackendGoesIntoTheTunnel() throws {
    var node = Node()
    node.addService(
      "172.18.0.2", port: 30_080, backends: [(Node.remote.ipv4, 8080)], flags: 2 | 64)
    let frame = Frames.ipv4(
      "192.0.2.7", "172.18.0.2", .tcp(source: 50_000, destination: 30_080, flags: 2))
    var state = node.state()
    let result = try node.run(.fromNetdev, frame, in: state)
    #expect(result.verdict == .redirect(Redirect(ifindex: Node.encapIfindex, mode: .egress)))
    #expect(result.buffer.tunnelKey?.id == 2, "the world, so that policy of the backend counts")
    let out = result.buffer.frame
    #expect(Array(out[26..<30]) == Frames.v4("10.244.1.1") && out[22] == 63)
    #expect(Frames.isValidIPv4(out))
    #expect(result.buffer.mark & 0x0f00 == 0x0300)
    // The backend's answer finds its way back: translated twice, then the model would have to ask the FIB.
    state.apply(result.changes)
    let answer = Frames.ipv4(
      Node.remote.ipv4, "10.244.1.1", .tcp(source: 8080, destination: 50_000, flags: 0x12))
    #expect(throws: InterpreterError.self) {
      try node.run(
        .fromOverlay, answer, tunnel: TunnelKey(id: 10_003, remote: Node.ip(Node.remoteNode)), in: state)
    }
  }

  @Test func theHostReachesAPodOfItsNode() throws {
    let frame = Frames.ipv4("10.244.1.1", Node.server.ipv4, syn)
    let result = try Node().run(.fromHost, frame, mark: 0x0c00)
    #expect(result.verdict == .redirect(Redirect(ifindex: Node.server.ifindex, mode: .egress)))
    guard case .policyVerdict(let notify, _) = result.events.first else {
      Issue.record("no policy verdict")
      return
    }
    #expect(notify.remote_label == 1)
    #expect(result.buffer.mark == 0)
  }

  @Test func theHostReachesAPodElsewhereAsARemoteNode() throws {
    let result = try Node().run(
      .fromHost, Frames.ipv4("10.244.1.1", Node.remote.ipv4, syn), mark: 0x0c00)
    #expect(result.verdict == .redirect(Redirect(ifindex: Node.encapIfindex, mode: .egress)))
    #expect(result.buffer.tunnelKey?.id == 6)
    #expect(result.traced == [4])
  }

  @Test func theIdentityOfTheMarkCounts() throws {
    let result = try Node().run(
      .fromHost, Frames.ipv4(Node.client.ipv4, Node.server.ipv4, syn), mark: 10_001 << 16 | 0x0f00)
    guard case .policyVerdict(let notify, _) = result.events.first else { return }
    #expect(notify.remote_label == 10_001)
  }

  @Test func theWorldIsNotReachedThroughCiliumHost() throws {
    #expect(try Node().run(.fromHost, Frames.ipv4("10.244.1.1", "8.8.8.8", syn)).drop == .unroutable)
    let node = try Node().run(.fromHost, Frames.ipv4("10.244.1.1", "172.18.0.3", syn))
    #expect(node.verdict == .pass)
    #expect(Array(node.buffer.frame[0..<6]) == [2, 0, 0, 0, 3, 2], "for cilium_net")
  }

  @Test func traffickingOutOfTheNode() throws {
    // An overlay packet: no translation, and as much of it shown as outer headers need.
    let outer = Frames.ipv4(
      "172.18.0.2", "172.18.0.3",
      .udp(source: 50_000, destination: 8472, data: Array(repeating: 7, count: 300)))
    var node = Node()
    node.config.monitor_aggregation = 0
    let overlay = try node.run(.toNetdev, outer, mark: 10_001 << 16 | 0x0400)
    #expect(overlay.verdict == .pass && overlay.changes.count == 1)
    guard case .trace(let notify, let captured) = overlay.events.last else {
      Issue.record("no trace")
      return
    }
    #expect(notify.flags == 4 && captured.count == 192 && notify.src_label == 1)

    // The node's own: tracked. A pod's: not.
    let own = try Node().run(
      .toNetdev, Frames.ipv4("172.18.0.2", "192.0.2.7", .tcp(source: 40_000, destination: 443, flags: 2)),
      mark: 0x0c00)
    #expect(own.changes.filter { $0.map == .nat4 }.count == 2)
    #expect(own.buffer.mark == 0x0300)
    let pod = try Node().run(
      .toNetdev,
      Frames.ipv4(Node.client.ipv4, "192.0.2.7", .tcp(source: 40_000, destination: 443, flags: 2)))
    #expect(pod.changes.count == 1)
  }

  @Test func theProxysPortComesByMarkOrControlBlock() throws {
    let frame = Frames.ipv4(Node.client.ipv4, Node.server.ipv4, syn)
    let magic: UInt32 = 0x0200 | UInt32(UInt16(15_001).bigEndian) << 16
    var cb = ControlBlock()
    cb[0] = magic
    for result in [
      try Node().run(.toHost, frame, mark: magic), try Node().run(.toHost, frame, cb: cb),
    ] {
      #expect(result.verdict == .pass && result.buffer.mark == magic && result.changes.isEmpty)
      #expect(result.steps.contains { if case .toProxy(15_001) = $0 { true } else { false } })
    }
    let plain = try Node().run(.toHost, frame)
    #expect(plain.changes.count == 1 && plain.verdict == .pass)
  }

  @Test func endpointRoutesEnforceAtTheEndpoint() throws {
    var node = Node()
    node.config.enable_endpoint_routes = 1
    node.config.enable_routing = 0
    let frame = Frames.ipv4(Node.remote.ipv4, Node.server.ipv4, syn)
    let overlay = try node.run(
      .fromOverlay, frame, tunnel: TunnelKey(id: 10_003, remote: Node.ip(Node.remoteNode)))
    #expect(overlay.verdict == .redirect(Redirect(ifindex: Node.server.ifindex, mode: .egress)))
    #expect(overlay.buffer.mark == 10_003 << 16 | 0x0f00)
    #expect(overlay.changes.filter { $0.map == .ct4TCP }.isEmpty)

    node.isolate(Node.client)
    node.addPolicy(Node.client, identity: 10_003, egress: false, protocol: 6, port: 80)
    let toClient = Frames.ipv4(Node.remote.ipv4, Node.client.ipv4, syn)
    let allowed = try node.run(.toContainer, toClient, mark: 10_003 << 16 | 0x0f00)
    #expect(allowed.verdict == .pass && allowed.changes.filter { $0.map == .ct4TCP }.count == 1)
    let denied = try node.run(.toContainer, toClient, mark: 10_004 << 16 | 0x0f00)
    #expect(denied.drop == .policy)
  }
}
