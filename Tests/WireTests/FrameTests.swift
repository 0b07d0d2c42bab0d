import TestSupport
import Testing
import Wire

let client = MACAddress("0a:58:0a:f4:01:0a")!
let server = MACAddress("0a:58:0a:f4:02:14")!

@Suite struct FrameTests {
  static let inner: [Layer] = [
    .ethernet(EthernetHeader(destination: server, source: client)),
    .ipv4(IPv4Header(source: IPv4Address(10, 244, 1, 10), destination: IPv4Address(10, 244, 2, 20))),
    .tcp(
      TCPHeader(
        sourcePort: 40000, destinationPort: 80, flags: .syn, sequence: 1000,
        options: [.maximumSegmentSize(1460), .selectiveAcknowledgmentPermitted])),
  ]
  static let outer: [Layer] = [
    .ethernet(EthernetHeader(destination: server, source: client)),
    .ipv4(IPv4Header(source: IPv4Address(172, 18, 0, 2), destination: IPv4Address(172, 18, 0, 3))),
    .udp(UDPHeader(sourcePort: 50000, destinationPort: 8472)),
    .vxlan(VXLANHeader(vni: 62651)),
  ]

  @Test func encapsulationIsMoreLayers() throws {
    let inner = try Frame.build(Self.inner)
    let whole = try Frame.build(Self.outer + Self.inner)
    #expect(whole.count == inner.count + 50)
    #expect(Array(whole[50...]) == inner)
    #expect(Array(whole[42..<50]) == hex("08 00 00 00 00 f4 bb 00"))
    #expect(
      Frame.dissect(whole).entries.map(\.path) == [
        "ethernet", "ipv4", "udp", "vxlan", "inner.ethernet", "inner.ipv4", "inner.tcp",
      ])
    // The tunnel's UDP checksum is left at zero, lengths count what is inside.
    #expect(whole.load(UInt16.self, at: 40) == 0)
    #expect(whole.load(UInt16.self, at: 38) == UInt16(whole.count - 34))
    #expect(whole.load(UInt16.self, at: 16) == UInt16(whole.count - 14))
    #expect(try IPv4View(whole.span.bytes.dropping(14)).hasValidChecksum)
  }

  @Test func geneveAndTunnelPorts() throws {
    let frame = try Frame.build(
      Self.outer.dropLast(2) + [
        .udp(UDPHeader(sourcePort: 50000, destinationPort: 6081)),
        .geneve(GeneveHeader(vni: 62651, type: EtherType(rawValue: 0), options: [])),
      ] + Self.inner)
    #expect(Array(frame[42..<50]) == hex("00 00 65 58 00 f4 bb 00"))
    #expect(Frame.dissect(frame).layers.map(\.name)[3...] == [.geneve, .ethernet, .ipv4, .tcp])
    #expect(Frame.dissect(frame, tunnelPorts: .none).layers.map(\.name)[2...] == [.udp, .payload])
    #expect(
      Frame.dissect(frame, tunnelPorts: TunnelPorts(vxlan: [], geneve: [6081])).layers.count
        == Frame.dissect(frame).layers.count)
  }

  @Test func checksumsAreValid() throws {
    let addresses = (IPv4Address(10, 0, 0, 1), IPv4Address(10, 0, 0, 2))
    let network4 = Layer.ipv4(IPv4Header(source: addresses.0, destination: addresses.1))
    let network6 = Layer.ipv6(IPv6Header(source: pod6, destination: peer6))
    let transports: [(Layer, IPProtocol)] = [
      (.tcp(TCPHeader(sourcePort: 1, destinationPort: 2, flags: .syn)), .tcp),
      (.udp(UDPHeader(sourcePort: 1, destinationPort: 2)), .udp),
    ]
    for (layer, name) in transports {
      let payload: [UInt8] = [1, 2, 3]
      let packet4 = try Frame.build([network4, layer], payload: payload)
      var sum = Checksum.pseudoHeader(
        source: addresses.0, destination: addresses.1, protocol: name, length: packet4.count - 20)
      sum.add(packet4.span.bytes.dropping(20))
      #expect(sum.folded == 0xffff)
      let packet6 = try Frame.build([network6, layer], payload: payload)
      sum = Checksum.pseudoHeader(
        source: pod6, destination: peer6, protocol: name, length: packet6.count - 40)
      sum.add(packet6.span.bytes.dropping(40))
      #expect(sum.folded == 0xffff)
    }
    let echo = try Frame.build([network4, .icmpv4(.echoRequest(identifier: 1, sequence: 2))], payload: [9])
    #expect(Checksum(echo.span.bytes.dropping(20)).folded == 0xffff)
  }

  @Test func fillNothingLeavesTheFieldsAlone() throws {
    let header = IPv4Header(
      source: .unspecified, destination: .unspecified, protocol: .sctp, totalLength: 9, checksum: 0x1234)
    let bytes = try Frame.build([.ipv4(header)], payload: [1, 2], fill: .nothing)
    #expect(try IPv4Header(parsing: bytes) == header)
    #expect(bytes.count == 22)
    let types = try Frame.build(
      [.ipv4(header), .udp(UDPHeader(sourcePort: 1, destinationPort: 2, length: 77, checksum: 5))],
      fill: .types)
    #expect(try IPv4Header(parsing: types).protocol == .udp)
    #expect(
      try UDPHeader(parsing: Array(types[20...]))
        == UDPHeader(sourcePort: 1, destinationPort: 2, length: 77, checksum: 5))
  }

  @Test func trailersCountInNoLengthOfTheirFrame() throws {
    let short: [Layer] = [
      .ethernet(EthernetHeader(destination: server, source: client)),
      .ipv4(IPv4Header(source: IPv4Address(10, 0, 0, 1), destination: IPv4Address(10, 0, 0, 2))),
      .udp(UDPHeader(sourcePort: 1, destinationPort: 2)),
    ]
    let padded = try Frame.build(short + [.trailer([UInt8](repeating: 0, count: 17))], payload: [7])
    #expect(padded.count == 60)
    #expect(padded.load(UInt16.self, at: 16) == 29)
    #expect(Frame.dissect(padded).layers.map(\.name) == [.ethernet, .ipv4, .udp, .payload, .trailer])
    // In a tunnel the inner frame's padding is the outer frame's payload.
    let both = try Frame.build(
      Self.outer + short + [.trailer([UInt8](repeating: 1, count: 17)), .trailer([2, 2, 2])], payload: [7])
    #expect(Array(both[50..<110]) == Array(padded[..<43]) + [UInt8](repeating: 1, count: 17))
    #expect(both.load(UInt16.self, at: 16) == UInt16(both.count - 14 - 3))
    #expect(Frame.dissect(both).entries.suffix(2).map(\.path) == ["inner.trailer", "trailer"])
  }

  @Test func fragmentsKeepTheirTransportChecksum() throws {
    let packet = try Frame.build(
      [
        .ipv4(IPv4Header(source: .unspecified, destination: .unspecified, flags: .moreFragments)),
        .udp(UDPHeader(sourcePort: 1, destinationPort: 2, checksum: 0x4242)),
      ], payload: [1, 2, 3, 4, 5, 6, 7, 8])
    #expect(packet.load(UInt16.self, at: 26) == 0x4242)
    #expect(Frame.dissect(packet, as: .ipv4).layers.map(\.name) == [.ipv4, .udp, .payload])
  }

  @Test func laterFragmentHasNoTransportHeader() throws {
    let header = IPv4Header(
      source: .unspecified, destination: .unspecified, protocol: .udp, fragmentOffset: 1)
    let packet = try Frame.build([.ipv4(header)], payload: [1, 2, 3, 4, 5, 6, 7, 8])
    #expect(Frame.dissect(packet, as: .ipv4).layers.map(\.name) == [.ipv4, .payload])
  }

  @Test func tooLongForItsLengthField() {
    #expect(throws: WireError.invalid(.ipv4, field: "totalLength", needed: "at most 65535", had: 65556)) {
      try Frame.build(
        [.ipv4(IPv4Header(source: .unspecified, destination: .unspecified))],
        payload: [UInt8](repeating: 0, count: 65536))
    }
    #expect(throws: WireError.self) {
      try Frame.build([.vxlan(VXLANHeader(vni: 1 << 24))])
    }
    #expect(throws: Never.self) { try Frame.build([]) }
  }

  @Test func whatCannotBeReadIsPayload() throws {
    let frame = try Frame.build(Self.inner)
    for length in 0..<frame.count {
      let cut = Frame.dissect(Array(frame[..<length]))
      #expect(cut.error != nil, "\(length)")
      #expect(cut.layers.allSatisfy { $0.name != .tcp })
    }
    #expect(Frame.dissect(frame).error == nil)
    #expect(
      Frame.dissect(Array(frame[..<20])).error == .truncated(.ipv4, field: "header", needed: 20, had: 6))
    #expect(Frame.dissect(Array(frame[..<20])).layers.last == .payload(Array(frame[14..<20])))
  }

  @Test func printed() throws {
    let frame = try Frame.build(Self.outer + Self.inner)
    let lines = Frame.dissect(frame).description.split(separator: "\n")
    #expect(lines.count == 7)
    #expect(lines[0] == "ethernet dst 0a:58:0a:f4:02:14 src 0a:58:0a:f4:01:0a type ipv4")
    #expect(lines[2] == "udp sport 50000 dport 8472 length 78 checksum 0x0000")
    #expect(lines[3] == "vxlan flags 0x08 reserved 0x000000 vni 62651 reservedTail 0x00")
    #expect(lines[4].hasPrefix("  ethernet dst"))
    #expect(
      WireError.truncated(.ipv4, field: "header", needed: 20, had: 6).description
        == "ipv4.header: needs 20 octets, had 6")
  }
}
