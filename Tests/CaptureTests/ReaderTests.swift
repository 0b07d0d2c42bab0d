import Capture
import Testing

private func pcap(magic: UInt32, bigEndian: Bool, snaplen: UInt32 = 65535) -> Octets {
  var file = Octets(bigEndian: bigEndian)
  file.put(magic)
  file.put(2 as UInt16)
  file.put(4 as UInt16)
  file.put(0 as UInt64)
  file.put(snaplen)
  file.put(276 as UInt32)
  return file
}

@Test(arguments: [true, false], [(0xa1b2_c3d4 as UInt32, 1000 as UInt64), (0xa1b2_3c4d, 1)])
func `pcap in both byte orders and resolutions`(bigEndian: Bool, form: (magic: UInt32, unit: UInt64)) {
  var file = pcap(magic: form.magic, bigEndian: bigEndian)
  for second in 1...2 as ClosedRange<UInt32> {
    file.put(second)
    file.put(42 as UInt32)
    file.put(3 as UInt32)
    file.put(1500 as UInt32)
    file.bytes += [1, 2, 3]
  }
  let (sink, error) = CollectedPackets.read(file.bytes)
  #expect(error == nil)
  #expect(sink.packets.map(\.time) == [1_000_000_000 + 42 * form.unit, 2_000_000_000 + 42 * form.unit])
  #expect(sink.packets.map(\.octets) == [[1, 2, 3], [1, 2, 3]])
  #expect(sink.packets.map(\.offset) == [40, 59])
  #expect(sink.packets.allSatisfy { $0.original == 1500 && $0.linkType == .linuxSLL2 })
}

@Test(arguments: [true, false])
func `pcapng: sections of either order, several interfaces, all kinds of packet block`(bigEndian: Bool) {
  var file = Octets(bigEndian: bigEndian)
  file.section()
  file.interface(1, resolution: nil)
  file.interface(101, snapLength: 2, resolution: 9, offset: -5)
  file.enhancedPacket(interface: 1, ticks: 6_000_000_001, [9, 9])
  file.block(2) {  // obsolete packet block
    $0.put(0 as UInt16)
    $0.put(77 as UInt16)
    $0.put(0 as UInt64)
    $0.put(1 as UInt32)
    $0.put(4 as UInt32)
    $0.bytes += [8]
  }
  file.block(5) { $0.bytes += [UInt8](repeating: 1, count: 40) }  // statistics: passed over
  var second = Octets(bigEndian: !bigEndian)
  second.section()
  second.interface(1, snapLength: 2, resolution: 6)
  second.block(3) {  // simple packet block, cut by the interface's snap length
    $0.put(5 as UInt32)
    $0.bytes += [7, 6]
  }
  second.enhancedPacket(interface: 0, ticks: 3, [5])
  let (sink, error) = CollectedPackets.read(file.bytes + second.bytes)
  #expect(error == nil)
  #expect(sink.packets.map(\.octets) == [[9, 9], [8], [7, 6], [5]])
  #expect(sink.packets.map(\.time) == [1_000_000_001, 0, 0, 3000])
  #expect(sink.packets.map(\.original) == [2, 4, 5, 1])
  #expect(sink.packets.map(\.linkType) == [.raw, .ethernet, .ethernet, .ethernet])
  #expect(sink.interfaces == ["0::ethernet", "1::raw", "0::ethernet"])
}

/// A resolution octet, a count of ticks, and the nanoseconds that they are.
private let resolutions: [[UInt64]] = [
  [0, 3, 3_000_000_000], [3, 1, 1_000_000], [6, 1, 1000], [9, 1, 1], [10, 25, 2], [12, 1_999_999, 1999],
  [28, 10_000_000_000_000_000_000, 1], [29, 1, 0], [127, UInt64.max, 0], [0x80, 2, 2_000_000_000],
  [0x80 | 10, 1024, 1_000_000_000], [0x80 | 32, 1 << 31, 500_000_000], [0x80 | 63, 1 << 62, 500_000_000],
  [0x80 | 64, 1 << 63, 500_000_000], [0xff, UInt64.max, 0],
]

@Test(arguments: resolutions)
func `pcapng: every time stamp resolution`(row: [UInt64]) {
  var file = Octets(bigEndian: false)
  file.section()
  file.interface(1, resolution: UInt8(row[0]))
  file.enhancedPacket(interface: 0, ticks: row[1], [])
  #expect(CollectedPackets.read(file.bytes).0.packets.map(\.time) == [row[2]])
}

@Test func `what is written is read back, over many pieces`() {
  var writer = PcapngWriter()
  let first = writer.addInterface(name: "a/eth0", linkType: .ethernet)
  let second = writer.addInterface(name: "b/any", linkType: .linuxSLL2)
  var expected: [CollectedPacket] = []
  for number in 0..<3000 {
    let octets = (0..<(number * 7 % 1600)).map { UInt8(truncatingIfNeeded: $0 &* number) }
    let interface = number % 3 == 0 ? first : second
    writer.write(
      time: UInt64(number) << 31, interface: interface, bytes: octets, comment: number % 5 == 0 ? "c" : "")
    expected.append(
      CollectedPacket(
        octets: octets, original: octets.count, time: UInt64(number) << 31,
        linkType: interface == first ? .ethernet : .linuxSLL2, interface: interface, offset: 0))
  }
  #expect(writer.bytes.count > 4 * 256 << 10)
  var (sink, error) = CollectedPackets.read(writer.bytes)
  for index in sink.packets.indices { sink.packets[index].offset = 0 }
  #expect(error == nil)
  #expect(sink.packets == expected)
  #expect(sink.interfaces == ["0:a/eth0:ethernet", "1:b/any:linux-sll2"])
}

@Test(arguments: [1, 65_000, 262_144])
func `a packet as long as may be`(length: Int) {
  var writer = PcapWriter()
  writer.write(time: 1, bytes: [UInt8](repeating: 7, count: length))
  writer.write(time: 2, bytes: [1])
  let (sink, error) = CollectedPackets.read(writer.bytes)
  #expect(error == nil)
  #expect(sink.packets.map(\.octets.count) == [length, 1])
}
