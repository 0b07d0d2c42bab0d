import TestSupport
import Testing
import Wire

@Suite struct ICMPTests {
  @Test func version4() throws {
    let echo = ICMPv4Header(type: .echoRequest, rest: 0x1234_0001, checksum: 0xabcd)
    try expectContract(echo, hex("08 00 ab cd 12 34 00 01"))
    #expect(echo.identifier == 0x1234)
    #expect(echo.sequence == 1)
    try expectContract(
      ICMPv4Header.destinationUnreachable(code: 4, nextHopMTU: 1450), hex("03 04 00 00 00 00 05 aa"))
    #expect(ICMPv4Header.destinationUnreachable(code: 4, nextHopMTU: 1450).nextHopMTU == 1450)
    try expectContract(ICMPv4Header.timeExceeded(), hex("0b 00 00 00 00 00 00 00"))
    try expectContract(ICMPv4Header.echoReply(identifier: 7, sequence: 9), hex("00 00 00 00 00 07 00 09"))
  }

  @Test func version6() throws {
    try expectContract(ICMPv6Header.echoRequest(identifier: 7, sequence: 9), hex("80 00 00 00 00 07 00 09"))
    try expectContract(ICMPv6Header.packetTooBig(mtu: 1280), hex("02 00 00 00 00 00 05 00"))
    let advertisement = ICMPv6Header.neighborAdvertisement(router: true, solicited: true, override: false)
    try expectContract(advertisement, hex("88 00 00 00 c0 00 00 00"))
    #expect(advertisement.isRouter && advertisement.isSolicited && !advertisement.isOverride)
    try expectContract(
      ICMPv6Header.routerAdvertisement(hopLimit: 64, flags: 0x80, lifetime: 1800),
      hex("86 00 00 00 40 80 07 08"))
  }

  @Test func neighbor() throws {
    let body = NeighborBody(target: pod6, options: [.sourceLinkLayerAddress(client)])
    let bytes = hex("fd 00 00 10 02 44 00 01 00 00 00 00 00 00 00 0a 01 01 0a 58 0a f4 01 0a")
    #expect(try NeighborBody(parsing: bytes) == body)
    #expect(try body.octets() == bytes)
    #expect(try NeighborBody(parsing: bytes).options.list == [.sourceLinkLayerAddress(client)])
    try expectContract(NeighborBody(target: pod6), Array(bytes[..<16]))
  }

  @Test func router() throws {
    let body = RouterAdvertisementBody(
      reachableTime: 30000, retransmissionTimer: 1000,
      options: [
        .mtu(1450),
        .prefix(IPv6Address("fd00:10:244:1::")!, length: 64, flags: 0xc0, valid: 86400, preferred: 14400),
      ])
    let bytes = hex(
      """
      00 00 75 30 00 00 03 e8 05 01 00 00 00 00 05 aa
      03 04 40 c0 00 01 51 80 00 00 38 40 00 00 00 00 fd 00 00 10 02 44 00 01 00 00 00 00 00 00 00 00
      """)
    #expect(try RouterAdvertisementBody(parsing: bytes) == body)
    #expect(try body.octets() == bytes)
    #expect(try RouterAdvertisementBody(parsing: bytes).options.list == body.options.list)
    #expect(body.options.list.count == 2)
    try expectContract(RouterAdvertisementBody(), [UInt8](repeating: 0, count: 8))
    let solicitation = RouterSolicitationBody(options: [.sourceLinkLayerAddress(client)])
    #expect(try solicitation.octets() == hex("01 01 0a 58 0a f4 01 0a"))
    #expect(try RouterSolicitationBody(parsing: solicitation.octets()) == solicitation)
  }

  @Test(arguments: [
    ("01 00 00 00", [NDPOption.malformed([1, 0, 0, 0])]), ("01", [.malformed([1])]),
    ("01 02 00 00 00 00 00 00", [.malformed([1, 2, 0, 0, 0, 0, 0, 0])]),
    ("02 01 0a 58 0a f4 02 14", [.targetLinkLayerAddress(server)]),
    ("05 01 00 01 00 00 05 aa", [.other(type: 5, data: [0, 1, 0, 0, 5, 0xaa])]),
  ])
  func ndpOptions(_ text: String, _ list: [NDPOption]) {
    #expect(NDPOptions(octets: hex(text)).list == list)
    #expect(NDPOptions(list).octets == hex(text))
  }

  @Test func neighborSolicitationIsBuiltAndRead() throws {
    let frame = try Frame.build([
      .ethernet(EthernetHeader(destination: server, source: client)),
      .ipv6(IPv6Header(source: pod6, destination: peer6, hopLimit: 255)),
      .icmpv6(.neighborSolicitation),
      .neighbor(NeighborBody(target: peer6, options: [.sourceLinkLayerAddress(client)])),
    ])
    let layers = Frame.dissect(frame).layers
    #expect(layers.map(\.name) == [.ethernet, .ipv6, .icmpv6, .neighbor])
    var sum = Checksum.pseudoHeader(source: pod6, destination: peer6, protocol: .icmpv6, length: 32)
    sum.add(frame.span.bytes.dropping(54))
    #expect(sum.folded == 0xffff)
  }

  @Test func errorQuotesThePacket() throws {
    let original = try Frame.build(Array(FrameTests.inner.dropFirst()))
    let frame = try Frame.build(
      [
        .ipv4(IPv4Header(source: IPv4Address(10, 244, 2, 1), destination: IPv4Address(10, 244, 1, 10))),
        .icmpv4(.destinationUnreachable(code: 1)),
      ], payload: Array(original[..<28]))
    let dissection = Frame.dissect(frame, as: .ipv4)
    #expect(
      dissection.entries.map(\.path) == ["ipv4", "icmpv4", "inner.ipv4", "inner.ports", "inner.payload"])
    // The cut is in the nature of a quotation.
    #expect(dissection.error == nil)
    guard case .ipv4(let quoted) = dissection.layers[2] else {
      Issue.record("no quoted packet")
      return
    }
    #expect(dissection.layers[3] == .ports(PortsHeader(sourcePort: 40000, destinationPort: 80)))
    #expect(quoted.totalLength == 48)
    #expect(quoted.destination == IPv4Address(10, 244, 2, 20))
    // Cut even before the ports.
    let shorter = Frame.dissect(Array(frame.dropLast(5)), as: .ipv4)
    #expect(shorter.error == nil)
    #expect(shorter.layers.last == .payload(Array(original[20..<23])))
    // Given as layers, the quotation keeps its own lengths and checksums.
    #expect(try Frame.build(dissection.layers) == frame)
  }
}
