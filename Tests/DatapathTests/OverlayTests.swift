import Datapath
import MapABI
import Testing
import Wire

@Suite struct OverlayTests {
  let syn = Frames.Payload.tcp(source: 40_000, destination: 80, flags: 2)

  func key(_ id: UInt32) -> TunnelKey { TunnelKey(id: id, remote: Node.ip(Node.remoteNode)) }

  @Test(arguments: [false, true])
  func aPacketFromTheTunnelIsDeliveredByItsVNI(_ ipv6: Bool) throws {
    let frame =
      ipv6
      ? Frames.ipv6(Node.remote.ipv6, Node.server.ipv6, syn)
      : Frames.ipv4(Node.remote.ipv4, Node.server.ipv4, syn)
    // The identity is the tunnel's, whatever the ipcache says.
    let result = try Node().run(.fromOverlay, frame, tunnel: key(62_651))
    #expect(result.verdict == .redirect(Redirect(ifindex: Node.server.ifindex, mode: .egress)))
    guard case .policyVerdict(let notify, _) = result.events.first else {
      Issue.record("no policy verdict")
      return
    }
    #expect(notify.remote_label == 62_651)
    let entry = result.changes.filter { $0.map == (ipv6 ? .ct6TCP : .ct4TCP) }
    try #require(entry.count == 1)
    #expect(entry[0].value(as: CTEntry.self).flags == 1 << 10, "the connection came by the tunnel")
    #expect(entry[0].value(as: CTEntry.self).src_sec_id == 62_651)
    #expect(result.buffer.frame[ipv6 ? 21 : 22] == 63)
    // Reception counts as plaintext in the overlay's file, the delivery in the endpoint's.
    let metrics = result.changes.filter { $0.map == .metrics }.map { $0.key(as: MetricsKey.self) }
    #expect(metrics.map(\.file) == [3, 2])
    #expect(metrics.map(\.reason) == [3, 0])
  }

  @Test func theWorldsOfDualStackShareAVNI() throws {
    let result = try Node().run(
      .fromOverlay, Frames.ipv4(Node.remote.ipv4, Node.server.ipv4, syn), tunnel: key(2))
    guard case .policyVerdict(let notify, _) = result.events.first else { return }
    #expect(notify.remote_label == 9)
  }

  @Test(arguments: [(UInt32?.none, DropReason.noTunnelKey), (1, .invalidIdentity)])
  func badTunnelKeysAreDropped(_ id: UInt32?, _ reason: DropReason) throws {
    let result = try Node().run(
      .fromOverlay, Frames.ipv4(Node.remote.ipv4, Node.server.ipv4, syn), tunnel: id.map(key))
    #expect(result.drop == reason)
    guard case .drop(let notify, _) = result.events.last else { return }
    #expect(notify.line == 1 && notify.file == 3 && notify.header.source == 0)
  }

  @Test func aRemoteNodeIsNamedByItsAddress() throws {
    var node = Node()
    node.addIdentity(Node.ip(Node.remote.ipv4), 0x0200_0001)
    let result = try node.run(
      .fromOverlay, Frames.ipv4(Node.remote.ipv4, Node.server.ipv4, syn), tunnel: key(6))
    guard case .policyVerdict(let notify, _) = result.events.first else { return }
    #expect(notify.remote_label == 0x0200_0001)
  }

  @Test func aPacketForTheNodeGoesToCiliumHost() throws {
    let result = try Node().run(
      .fromOverlay, Frames.ipv4(Node.remote.ipv4, "10.244.1.1", syn), tunnel: key(10_003))
    #expect(result.verdict == .redirect(Redirect(ifindex: 4, mode: .ingress)))
    #expect(result.buffer.mark == 10_003 << 16 | 0x0f00)
    #expect(Array(result.buffer.frame[0..<6]) == [2, 0, 0, 0, 3, 1])
    #expect(Frames.isValidIPv4(result.buffer.frame))
  }

  @Test func aPacketIntoTheTunnelIsMarked() throws {
    let frame = Frames.ipv4(Node.client.ipv4, Node.remote.ipv4, syn)
    let result = try Node().run(.toOverlay, frame, tunnel: key(10_001))
    #expect(result.verdict == .pass)
    #expect(result.buffer.mark == 10_001 << 16 | 0x0400)
    #expect(result.buffer.frame == frame)
    #expect(result.changes.filter { $0.map != .metrics }.isEmpty)
    // Counted, but without conntrack information not shown.
    #expect(result.traced.isEmpty && result.changes.count == 1)
  }

  @Test func theNodesOwnConnectionGetsItsPortReserved() throws {
    let frame = Frames.ipv4("10.244.1.1", Node.remote.ipv4, syn)
    let result = try Node().run(.toOverlay, frame, tunnel: key(6))
    #expect(result.buffer.frame == frame, "the port is free, so nothing is rewritten")
    let nat = result.changes.filter { $0.map == .nat4 }
    try #require(nat.count == 2)
    let router = AddressWords(Node.ip("10.244.1.1")).w0
    #expect(nat[0].key(as: CTTuple4.self).flags == 1 && nat[1].key(as: CTTuple4.self).flags == 0)
    #expect(nat[1].value(as: NATEntry4.self).to_addr == router)
    #expect(nat[1].value(as: NATEntry4.self).to_port == UInt16(40_000).bigEndian)
    #expect(nat[1].value(as: NATEntry4.self).needs_ct == 1)
    #expect(result.changes.filter { $0.map == .ct4TCP }.count == 1)
    #expect(result.changes.filter { $0.map == .ct4Any }.isEmpty, "no entry for errors here")
    #expect(result.traced == [4])
  }

  @Test func aTakenPortIsReplacedAndTheAnswerGetsItBack() throws {
    var node = Node()
    let router = AddressWords(Node.ip("10.244.1.1")).w0
    let remote = AddressWords(Node.ip(Node.remote.ipv4)).w0
    // Somebody else's answer would come to the port.
    var other = NATEntry4()
    other.to_addr = 1
    node.image.maps.nat4[
      CTTuple4(
        daddr: router, saddr: remote, dport: UInt16(40_000).bigEndian, sport: UInt16(80).bigEndian,
        nexthdr: 6, flags: 1)] = other
    var state = node.state()
    let out = try node.run(
      .toOverlay, Frames.ipv4("10.244.1.1", Node.remote.ipv4, syn), tunnel: key(6), in: state)
    state.apply(out.changes)
    let frame = out.buffer.frame
    let port = UInt16(frame[34]) << 8 | UInt16(frame[35])
    #expect(port != 40_000 && port >= 32_768)
    #expect(Frames.isValidIPv4(frame))
    let answer = Frames.ipv4(
      Node.remote.ipv4, "10.244.1.1", .tcp(source: 80, destination: port, flags: 0x12))
    let back = try node.run(.fromOverlay, answer, tunnel: key(10_003), in: state)
    #expect(Array(back.buffer.frame[36..<38]) == Frames.be(40_000))
    #expect(Frames.isValidIPv4(back.buffer.frame))
    #expect(back.verdict == .redirect(Redirect(ifindex: 4, mode: .ingress)))
  }
}
