import TestSupport
import Testing
import Wire

let pod6 = IPv6Address("fd00:10:244:1::a")!
let peer6 = IPv6Address("fd00:10:244:2::14")!

@Suite struct IPv6Tests {
  static let header = IPv6Header(
    source: pod6, destination: peer6, nextHeader: .tcp, hopLimit: 63, trafficClass: 0xb8, flowLabel: 0xa1b2c,
    payloadLength: 24)
  static let bytes = hex(
    """
    6b 8a 1b 2c 00 18 06 3f fd 00 00 10 02 44 00 01 00 00 00 00 00 00 00 0a
    fd 00 00 10 02 44 00 02 00 00 00 00 00 00 00 14
    """)

  @Test func fixedHeader() throws {
    try expectContract(Self.header, Self.bytes)
    var other = Self.bytes
    other[0] = 0x4b
    #expect(throws: WireError.invalid(.ipv6, field: "version", needed: "6", had: 4)) {
      try IPv6Header(parsing: other)
    }
    #expect(try IPv6View(fixedPartOf: other.span.bytes).hopLimit == 63)
    var header = Self.header
    header.flowLabel = 1 << 20
    expectInvalid("flowLabel", header)
  }

  @Test func viewOfThePayload() throws {
    var bytes = Self.bytes + [1, 2, 3, 4]
    bytes[5] = 3
    #expect(try IPv6View(bytes.span.bytes).payload.array == [1, 2, 3])
    bytes[5] = 0
    #expect(try IPv6View(bytes.span.bytes).payload.byteCount == 4)
    bytes[4] = 0xff
    #expect(try IPv6View(bytes.span.bytes).payload.byteCount == 4)
  }

  @Test func options() throws {
    // Multicast listener reports carry a router alert and two octets of padding.
    let header = IPv6OptionsHeader([.routerAlert(0)], nextHeader: .icmpv6)
    try expectContract(header, hex("3a 00 05 02 00 00 01 00"))
    #expect(header.options.list == [.routerAlert(0), .padN(0)])
    #expect(IPv6Options([.option(type: 9, data: [1, 2, 3])]).octets.count == 6)
    #expect(
      IPv6Options([.option(type: 9, data: [1, 2, 3])]).list == [.option(type: 9, data: [1, 2, 3]), .pad1])
    #expect(IPv6Options([]).octets.count == 6)
    #expect(IPv6Options([.option(type: 9, data: [1, 2, 3, 4, 5])]).octets.count == 14)
    expectInvalid("options", IPv6OptionsHeader(IPv6Options(octets: [0])))
    #expect(IPv6Options(octets: [5]).list == [.malformed([5])])
    #expect(IPv6Options(octets: [5, 3, 0, 0]).list == [.malformed([5, 3, 0, 0])])
  }

  @Test func routing() throws {
    let header = IPv6RoutingHeader(
      type: 4, segmentsLeft: 1, data: [0, 0, 0, 0] + peer6.octets, nextHeader: .tcp)
    try expectContract(
      header, hex("06 02 04 01 00 00 00 00 fd 00 00 10 02 44 00 02 00 00 00 00 00 00 00 14"))
    expectInvalid("data", IPv6RoutingHeader(type: 0, segmentsLeft: 0, data: [0, 0, 0]))
  }

  @Test func fragment() throws {
    let header = IPv6FragmentHeader(
      fragmentOffset: 185, moreFragments: true, identification: 0xdead_beef, nextHeader: .udp, reserved: 7,
      reservedBits: 2)
    let bytes = hex("11 07 05 cd de ad be ef")
    try expectContract(header, bytes)
    let view = try IPv6ExtensionView(.fragment, bytes.span.bytes)
    #expect(view.fragmentOffset == 185)
    #expect(view.moreFragments == true)
    #expect(view.headerLength == 8)
    expectInvalid(
      "fragmentOffset", IPv6FragmentHeader(fragmentOffset: 8192, moreFragments: false, identification: 1))
  }

  @Test func authentication() throws {
    let header = AuthenticationHeader(
      spi: 0x100, sequence: 5, integrityCheckValue: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], nextHeader: .tcp)
    let bytes = hex("06 04 00 00 00 00 01 00 00 00 00 05 01 02 03 04 05 06 07 08 09 0a 0b 0c")
    try expectContract(header, bytes)
    #expect(try IPv6ExtensionView(.authentication, bytes.span.bytes).headerLength == 24)
    var short = bytes
    short[1] = 0
    #expect(throws: WireError.invalid(.authentication, field: "length", needed: "at least 1", had: 0)) {
      try AuthenticationHeader(parsing: short)
    }
    expectInvalid("options", AuthenticationHeader(spi: 1, sequence: 1, integrityCheckValue: [1]))
  }

  @Test func chainIsWalkedAndBuilt() throws {
    let layers: [Layer] = [
      .ethernet(EthernetHeader(destination: server, source: client)),
      .ipv6(IPv6Header(source: pod6, destination: peer6)),
      .ipv6Extension(.hopByHop(IPv6OptionsHeader([.routerAlert(0)]))),
      .ipv6Extension(.destinationOptions(IPv6OptionsHeader([]))),
      .ipv6Extension(.routing(IPv6RoutingHeader(type: 4, segmentsLeft: 0, data: [0, 0, 0, 0]))),
      .ipv6Extension(
        .authentication(AuthenticationHeader(spi: 1, sequence: 2, integrityCheckValue: [1, 2, 3, 4]))),
      .ipv6Extension(
        .fragment(IPv6FragmentHeader(fragmentOffset: 0, moreFragments: false, identification: 9))),
      .udp(UDPHeader(sourcePort: 1000, destinationPort: 53)),
    ]
    let frame = try Frame.build(layers, payload: [1, 2, 3])
    let packet = frame.span.bytes.dropping(14)
    var next = try IPv6View(packet).nextHeader
    var offset = 40
    var kinds: [IPv6ExtensionKind] = []
    while let kind = IPv6ExtensionKind(next) {
      let view = try IPv6ExtensionView(kind, packet.dropping(offset))
      kinds.append(kind)
      offset += view.headerLength
      next = view.nextHeader
    }
    #expect(kinds == [.hopByHop, .destinationOptions, .routing, .authentication, .fragment])
    #expect(next == .udp)
    #expect(offset == 40 + 8 + 8 + 8 + 16 + 8)
    #expect(
      Frame.dissect(frame).layers.map(\.name) == [
        .ethernet, .ipv6, .hopByHop, .destinationOptions, .routing, .authentication, .fragment, .udp,
        .payload,
      ])
  }

  @Test func laterFragmentHasNoTransportHeader() throws {
    let frame = try Frame.build(
      [
        .ipv6(IPv6Header(source: pod6, destination: peer6)),
        .ipv6Extension(
          .fragment(
            IPv6FragmentHeader(fragmentOffset: 3, moreFragments: false, identification: 9, nextHeader: .udp))),
      ], payload: [UInt8](repeating: 7, count: 20))
    #expect(Frame.dissect(frame, as: .ipv6).layers.map(\.name) == [.ipv6, .fragment, .payload])
  }
}
