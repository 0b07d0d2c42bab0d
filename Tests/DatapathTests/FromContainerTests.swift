import Datapath
import MapABI
import Testing
import Wire

@Suite struct FromContainerTests {
  let syn = Frames.Payload.tcp(source: 40_000, destination: 80, flags: 2)

  @Test func aSYNToAPodOnTheSameNodeIsDelivered() throws {
    let frame = Frames.ipv4(Node.client.ipv4, Node.server.ipv4, syn)
    let result = try Node().fromClient(frame)
    #expect(result.verdict == .redirect(Redirect(ifindex: Node.server.ifindex, mode: .egress)))
    // One hop: TTL 63, the server's addresses, nothing else.
    let out = result.buffer.frame
    #expect(out[22] == 63)
    #expect(Frames.isValidIPv4(out))
    #expect(Array(out[0..<6]) == [2, 0, 0, 0, 1, 22])
    #expect(Array(out[6..<12]) == [2, 0, 0, 0, 2, 22])
    #expect(Array(out[26...]) == Array(frame[26...]))
    #expect(result.buffer.mark == 10_001 << 16 | 0x0f00)
  }

  @Test func aSYNMakesBothEntriesAndThoseForErrors() throws {
    let result = try Node().fromClient(Frames.ipv4(Node.client.ipv4, Node.server.ipv4, syn))
    let client = AddressWords(Node.ip(Node.client.ipv4)).w0
    let server = AddressWords(Node.ip(Node.server.ipv4)).w0
    func tuple(_ flags: UInt8, icmp: Bool = false) -> CTTuple4 {
      CTTuple4(
        daddr: client, saddr: server, dport: icmp ? 0 : UInt16(80).bigEndian,
        sport: icmp ? 0 : UInt16(40_000).bigEndian, nexthdr: icmp ? 1 : 6, flags: flags)
    }
    var egress = CTEntry()
    egress.lifetime = 1060
    egress.tx_flags_seen = 2
    egress.src_sec_id = 10_001
    egress.last_tx_report = 1000
    var ingress = CTEntry()
    ingress.lifetime = 1060
    ingress.rx_flags_seen = 2
    ingress.src_sec_id = 10_001
    ingress.last_rx_report = 1000
    let expected = [
      MapChange(put: egress, at: tuple(2, icmp: true), in: .ct4Any),
      MapChange(put: egress, at: tuple(0), in: .ct4TCP),
      MapChange(put: ingress, at: tuple(3, icmp: true), in: .ct4Any),
      MapChange(put: ingress, at: tuple(1), in: .ct4TCP),
    ]
    #expect(result.changes.filter { $0.map == .ct4TCP || $0.map == .ct4Any } == expected)
  }

  @Test func aSYNIsCountedAndReported() throws {
    let frame = Frames.ipv4(Node.client.ipv4, Node.server.ipv4, syn)
    let result = try Node().fromClient(frame)
    let counters = Counters(packets: 1, bytes: UInt64(frame.count))
    func metric(_ direction: UInt8, _ place: UInt16) -> MapChange {
      MapChange(
        add: counters,
        to: MetricsKey(
          reason: 0, dir: direction, line: place, file: 2, reserved0: 0, reserved1: 0, reserved2: 0),
        in: .metrics)
    }
    // Local delivery (6) counts the way out, the trace point (11) the way in.
    #expect(result.changes.filter { $0.map == .metrics } == [metric(2, 6), metric(1, 11)])
    #expect(result.changes.filter { $0.map == .policyStats }.count == 2)

    try #require(result.events.count == 3)
    guard case .policyVerdict(let egress, let captured) = result.events[0],
      case .policyVerdict(let ingress, _) = result.events[1],
      case .trace(let trace, let traced) = result.events[2]
    else {
      Issue.record("other events: \(result.events)")
      return
    }
    #expect(captured == frame)
    #expect(egress.header.source == 101 && ingress.header.source == 102)
    #expect(egress.remote_label == 10_002 && ingress.remote_label == 10_001)
    #expect(egress.bits == 2 | 4 << 3 && ingress.bits == 1 | 4 << 3)
    #expect(egress.dst_port == 80 && egress.proto == 6 && egress.verdict == 0)
    #expect(egress.header.hash == 0xabcd && egress.header.version == 1)
    #expect(trace.header.subtype == 0 && trace.header.version == 2 && trace.reason == 0)
    #expect(trace.src_label == 10_001 && trace.dst_label == 10_002 && trace.dst_id == 102)
    #expect(trace.ifindex == Node.server.ifindex)
    #expect(trace.orig_ip.w0 == AddressWords(Node.ip(Node.client.ipv4)).w0)
    #expect(traced == result.buffer.frame)
  }

  @Test(arguments: [(false, DropReason.policy), (true, DropReason.policyDeny)])
  func policyOfTheReceiverDrops(_ deny: Bool, _ reason: DropReason) throws {
    var node = Node()
    node.isolate(Node.server)
    if deny {
      node.allow(Node.server, egress: false)
      node.addPolicy(
        Node.server, identity: 10_001, egress: false, deny: true, precedence: .max)
    }
    let frame = Frames.ipv4(Node.client.ipv4, Node.server.ipv4, syn)
    let result = try node.fromClient(frame)
    #expect(result.verdict == .drop)
    #expect(result.drop == reason)
    guard case .drop(let notify, let captured) = result.events.last else {
      Issue.record("no drop event")
      return
    }
    // The drop happens behind the routing hop, in the receiver's program.
    #expect(notify.src_label == 10_001 && notify.dst_label == 10_002 && notify.dst_id == 102)
    #expect(notify.line == 5 && notify.file == 2 && notify.ifindex == Node.client.ifindex)
    #expect(captured.count == frame.count && captured[22] == 63)
    // The sender's entries were made before; the receiver's were not.
    #expect(result.changes.filter { $0.map == .ct4TCP }.count == 1)
  }

  @Test func aRemotePodIsReachedThroughTheTunnel() throws {
    let frame = Frames.ipv4(Node.client.ipv4, Node.remote.ipv4, syn)
    let result = try Node().fromClient(frame)
    #expect(result.verdict == .redirect(Redirect(ifindex: Node.encapIfindex, mode: .egress)))
    #expect(
      result.buffer.tunnelKey == TunnelKey(id: 10_001, remote: Node.ip(Node.remoteNode), tos: 0, ttl: 64))
    #expect(result.buffer.frame == frame)
    guard case .trace(let trace, _) = result.events.last else {
      Issue.record("no trace event")
      return
    }
    #expect(trace.header.subtype == 4 && trace.ifindex == Node.encapIfindex && trace.dst_label == 10_003)
  }

  @Test func theNodeAndTheWorldAreLeftToTheStack() throws {
    for (address, identity) in [("10.244.1.1", UInt32(1)), ("8.8.8.8", 9)] {
      let frame = Frames.ipv4(Node.client.ipv4, address, syn)
      let result = try Node().fromClient(frame)
      #expect(result.verdict == .pass)
      #expect(result.buffer.frame == frame)
      guard case .trace(let trace, _) = result.events.last else {
        Issue.record("no trace event")
        return
      }
      #expect(trace.header.subtype == 3 && trace.dst_label == identity)
    }
  }

  @Test func anEstablishedConnectionIsQuiet() throws {
    var node = Node()
    var state = node.state()
    let frame = Frames.ipv4(Node.client.ipv4, Node.server.ipv4, syn)
    state.apply(try node.fromClient(frame, in: state).changes)
    // The reply, as the server's device sees it, is another test; here the client goes on.
    node.environment.ktime += 1_000_000_000
    let ack = Frames.ipv4(
      Node.client.ipv4, Node.server.ipv4, .tcp(source: 40_000, destination: 80, flags: 0x10))
    let first = try node.fromClient(ack, in: state)
    // The ACK is a flag not seen before: shown once.
    #expect(first.events.count == 1)
    state.apply(first.changes)
    let second = try node.fromClient(ack, in: state)
    #expect(second.events.isEmpty)
    #expect(second.changes.filter { $0.operation == .put }.isEmpty, "the same second, so no new lifetime")
    #expect(second.verdict == first.verdict)
    node.environment.ktime += 1_000_000_000
    let third = try node.fromClient(ack, in: state)
    #expect(third.change(.ct4TCP)?.value(as: CTEntry.self).lifetime == 9002)
  }

  @Test func aForgedSourceIsDropped() throws {
    let result = try Node().fromClient(Frames.ipv4(Node.server.ipv4, Node.client.ipv4, syn))
    #expect(result.drop == .invalidSip)
    #expect(result.steps.contains { if case .spoofedSource = $0 { true } else { false } })
  }

  static let zeroAddresses = [UInt8](repeating: 0, count: 12)
  static let addresses = [UInt8](repeating: 1, count: 12)
  static let brokenFrames: [([UInt8], DropReason)] = [
    ([UInt8](repeating: 0, count: 10), .unsupportedL2),
    (zeroAddresses + [UInt8](repeating: 0, count: 48), .unsupportedL2),
    (addresses + [0x88, 0xcc, 0], .unknownL3),
    // Lengths of 802.3: only multiples of 256 are seen to be no types.
    (addresses + [0x00, 0x22, 0], .unknownL3),
    (addresses + [0x05, 0x00, 0], .unsupportedL2),
    (addresses + [0x08, 0x00, 0x45], .invalid),
    (addresses + [0x86, 0xdd, 0x60], .invalid),
    (addresses + [0x08, 0x06, 0, 1], .invalid),
  ]

  @Test(arguments: brokenFrames)
  func brokenFramesAreDroppedAtTheEntry(_ frame: [UInt8], _ reason: DropReason) throws {
    let result = try Node().fromClient(frame)
    #expect(result.drop == reason)
    guard case .drop(let notify, _) = result.events.first else { return }
    #expect(notify.line == 1)
  }

  /// Lengths of 802.3 in the place of a type: only multiples of 256 are seen to be none.
  @Test func lengthsPassForTypes() throws {
    let addresses = [UInt8](repeating: 1, count: 12)
    #expect(try Node().fromClient(addresses + [0x00, 0x22, 0]).drop == .unknownL3)
    #expect(try Node().fromClient(addresses + [0x05, 0xff, 0]).drop == .unknownL3)
    #expect(try Node().fromClient(addresses + [0x05, 0x00, 0]).drop == .unsupportedL2)
  }

  @Test func aTruncatedTransportHeaderIsDropped() throws {
    let frame = Frames.ipv4(Node.client.ipv4, Node.server.ipv4, syn)
    for (length, place) in [(36, UInt16(2)), (46, 3)] {
      let result = try Node().fromClient(Array(frame.prefix(length)))
      #expect(result.drop == .ctInvalidHdr)
      guard case .drop(let notify, _) = result.events.first else { return }
      #expect(notify.line == place, "ports are read for the service look-up, flags for conntrack")
    }
  }

  @Test func aUsedUpTTLIsDropped() throws {
    let result = try Node().fromClient(Frames.ipv4(Node.client.ipv4, Node.server.ipv4, syn, ttl: 1))
    #expect(result.drop == .ttlExceeded)
  }

  @Test func anEndpointWithoutProgramIsNotReady() throws {
    let node = Node()
    var image = node.image
    image.endpointConfigs = []
    let result = try node.fromClient(
      Frames.ipv4(Node.client.ipv4, Node.server.ipv4, syn), in: NodeState(image))
    #expect(result.drop == .epNotReady)
  }
}
