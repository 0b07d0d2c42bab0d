import TestSupport
import Testing
import Wire

@Suite struct TransportTests {
  @Test func tcp() throws {
    let header = TCPHeader(
      sourcePort: 40000, destinationPort: 80, flags: [.syn, .ece, .cwr], sequence: 0x0102_0304,
      acknowledgment: 0xa0b0_c0d0, window: 64240, urgentPointer: 0x1122,
      options: [
        .maximumSegmentSize(1460), .selectiveAcknowledgmentPermitted, .timestamps(value: 0x10, echo: 0x20),
        .noOperation, .windowScale(7),
      ], checksum: 0xbeef)
    let bytes = hex(
      """
      9c 40 00 50 01 02 03 04 a0 b0 c0 d0 a0 c2 fa f0 be ef 11 22
      02 04 05 b4 04 02 08 0a 00 00 00 10 00 00 00 20 01 03 03 07
      """)
    try expectContract(header, bytes)
    #expect(
      try TCPHeader(parsing: bytes).options.list == [
        .maximumSegmentSize(1460), .selectiveAcknowledgmentPermitted, .timestamps(value: 0x10, echo: 0x20),
        .noOperation, .windowScale(7),
      ])
    #expect(header.flags.description == "SYN, ECE, CWR")
    var view = bytes + [1, 2, 3]
    #expect(try TCPView(view.span.bytes).payload.array == [1, 2, 3])
    view[12] = 0x4f
    #expect(throws: WireError.invalid(.tcp, field: "headerLength", needed: "at least 20", had: 16)) {
      try TCPHeader(parsing: view)
    }
  }

  @Test(arguments: [
    ("02 04 05", [TCPOption.malformed([2, 4, 5])]), ("02 03 05", [.other(kind: 2, data: [5])]),
    ("05 02", [.other(kind: 5, data: [])]), ("fd 04 f9 89", [.other(kind: 253, data: [0xf9, 0x89])]),
    ("05 0a 00 00 00 01 00 00 00 02", [.selectiveAcknowledgment([1, 2])]),
    ("08 01", [.malformed([8, 1])]), ("01 00 02", [.noOperation, .endOfList]),
  ])
  func tcpOptions(_ text: String, _ list: [TCPOption]) {
    #expect(TCPOptions(octets: hex(text)).list == list)
  }

  @Test func tcpOptionsAreWrittenAsRead() {
    let list: [TCPOption] = [
      .selectiveAcknowledgment([1, 2, 3, 4]), .other(kind: 253, data: [1, 2]), .noOperation, .noOperation,
    ]
    #expect(TCPOptions(list).list == list)
    #expect(TCPOptions([.windowScale(2)]).octets == [3, 3, 2, 0])
  }

  @Test func tcpRefusedOnWriting() {
    var header = TCPHeader(sourcePort: 1, destinationPort: 2, flags: TCPFlags(rawValue: 0x1000))
    expectInvalid("flags", header)
    header.flags = .ack
    header.options = TCPOptions(octets: [UInt8](repeating: 1, count: 44))
    expectInvalid("options", header)
    header.options = TCPOptions(octets: [1])
    expectInvalid("options", header)
  }

  @Test func udp() throws {
    let bytes = hex("c3 50 21 18 00 0a 12 34")
    try expectContract(
      UDPHeader(sourcePort: 50000, destinationPort: 8472, length: 10, checksum: 0x1234), bytes)
    #expect(try UDPView((bytes + [1, 2, 3]).span.bytes).payload.array == [1, 2])
    #expect(try UDPView(hex("c3 50 21 18 00 07 12 34 01 02 03").span.bytes).payload.byteCount == 3)
    #expect(try UDPView(hex("c3 50 21 18 ff ff 12 34 01 02 03").span.bytes).payload.byteCount == 3)
  }

  @Test func ports() throws {
    try expectContract(PortsHeader(sourcePort: 40000, destinationPort: 80), hex("9c 40 00 50"))
  }

  @Test func sctp() throws {
    let bytes = hex("0b 59 0b 5a 00 00 0e 50 53 c3 05 5f")
    try expectContract(
      SCTPHeader(sourcePort: 2905, destinationPort: 2906, verificationTag: 0xe50, checksum: 0x5f05_c353),
      bytes)
  }

  @Test func sctpChecksumIsTheBitwiseCRC() throws {
    // A SHUTDOWN ACK chunk, with the CRC computed bit by bit.
    var packet = hex("30 39 00 50 11 22 33 44 00 00 00 00 08 00 00 04")
    var crc: UInt32 = 0xffff_ffff
    for octet in packet {
      crc ^= UInt32(octet)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0x82f6_3b78 : crc >> 1 }
    }
    packet.store((~crc).byteSwapped, at: SCTPHeader.Offset.checksum)
    let view = try SCTPView(packet.span.bytes)
    #expect(view.checksum == ~crc)
    #expect(view.computedChecksum == ~crc)
    let built = try Frame.build(
      [
        .ipv4(IPv4Header(source: IPv4Address(10, 0, 0, 1), destination: IPv4Address(10, 0, 0, 2))),
        .sctp(SCTPHeader(sourcePort: 12345, destinationPort: 80, verificationTag: 0x1122_3344)),
      ], payload: [8, 0, 0, 4])
    #expect(Array(built[20...]) == packet)
  }
}
