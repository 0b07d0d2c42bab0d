import Capture
import Testing

/// The frame that both writers are given: five octets, so that padding shows.
private let frame: [UInt8] = [0xde, 0xad, 0xbe, 0xef, 0x01]

@Test func `pcapng: section, interface and packet, octet by octet`() {
  var writer = PcapngWriter(application: "ciliate")
  let index = writer.addInterface(name: "n/eth0", linkType: .ethernet)
  writer.write(
    time: 0x1122_3344_5566_7788, interface: index, bytes: frame, originalLength: 9, comment: "hi",
    direction: .outbound)
  let section: [UInt8] = [
    0x0a, 0x0d, 0x0d, 0x0a, 44, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    4, 0, 7, 0, 0x63, 0x69, 0x6c, 0x69, 0x61, 0x74, 0x65, 0, 0, 0, 0, 0, 44, 0, 0, 0,
  ]
  let interface: [UInt8] = [
    1, 0, 0, 0, 44, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0,
    2, 0, 6, 0, 0x6e, 0x2f, 0x65, 0x74, 0x68, 0x30, 0, 0,
    9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0, 44, 0, 0, 0,
  ]
  let packet: [UInt8] = [
    6, 0, 0, 0, 60, 0, 0, 0, 0, 0, 0, 0, 0x44, 0x33, 0x22, 0x11, 0x88, 0x77, 0x66, 0x55, 5, 0, 0, 0, 9, 0, 0,
    0,
    0xde, 0xad, 0xbe, 0xef, 0x01, 0, 0, 0,
    1, 0, 2, 0, 0x68, 0x69, 0, 0, 2, 0, 4, 0, 2, 0, 0, 0, 0, 0, 0, 0, 60, 0, 0, 0,
  ]
  #expect(index == 0)
  #expect(writer.bytes == section + interface + packet)
}

@Test func `pcapng: a packet without comment has no options, interfaces count up`() {
  var writer = PcapngWriter()
  #expect(writer.addInterface(name: "a/eth0", linkType: .ethernet) == 0)
  #expect(writer.addInterface(name: "a/wg0", linkType: .raw) == 1)
  writer.removeAll()
  writer.write(time: 1, interface: 1, bytes: frame.reversed())
  #expect(writer.bytes.count == 32 + 8)
  #expect(writer.bytes[8] == 1)
  #expect(Array(writer.bytes[28..<36]) == [0x01, 0xef, 0xbe, 0xad, 0xde, 0, 0, 0])
}

@Test(arguments: [
  (PcapWriter.Resolution.nanoseconds, [0x4d, 0x3c, 0xb2, 0xa1] as [UInt8], 123_456_789 as UInt32),
  (.microseconds, [0xd4, 0xc3, 0xb2, 0xa1], 123_456),
])
func `pcap: header and record`(resolution: PcapWriter.Resolution, magic: [UInt8], fraction: UInt32) {
  var writer = PcapWriter(linkType: .linuxSLL2, resolution: resolution)
  writer.write(time: 7_123_456_789, bytes: frame, originalLength: 100)
  let rest: [UInt8] = [2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0x14, 1, 0, 0, 7, 0, 0, 0]
  let octets = (0..<4).map { UInt8(truncatingIfNeeded: fraction >> UInt32(8 * $0)) }
  #expect(writer.bytes == magic + rest + octets + [5, 0, 0, 0, 100, 0, 0, 0] + frame)
}
