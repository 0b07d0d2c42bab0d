import Capture
import Testing

private func sample(pcapng: Bool) -> [UInt8] {
  if pcapng {
    var writer = PcapngWriter()
    let index = writer.addInterface(name: "n/eth0", linkType: .ethernet)
    for number in 0..<3 {
      writer.write(time: 5, interface: index, bytes: [UInt8](repeating: 1, count: 20 + number), comment: "x")
    }
    return writer.bytes
  }
  var writer = PcapWriter()
  for number in 0..<3 { writer.write(time: 5, bytes: [UInt8](repeating: 1, count: 20 + number)) }
  return writer.bytes
}

@Test(arguments: [true, false])
func `cut at every octet: an error, unless at a record's end, and every whole packet before it`(pcapng: Bool)
{
  let whole = sample(pcapng: pcapng)
  let ends = CollectedPackets.read(whole).0.packets.map { packet in
    pcapng
      ? Int(packet.offset) + (packet.octets.count + 3) / 4 * 4 + 8 + 4 + 4
      : Int(packet.offset) + packet.octets.count
  }
  #expect(ends.last == whole.count)
  for length in 0..<whole.count {
    let (sink, error) = CollectedPackets.read(Array(whole[..<length]))
    #expect(sink.packets.count == ends.count { $0 <= length }, "cut at \(length)")
    let clean = ends.contains(length) || (pcapng ? length == 44 || length == 88 : length == 24)
    #expect((error == nil) == clean, "cut at \(length): \(String(describing: error))")
    if let error { #expect(error.file == "test" && error.offset.map { $0 <= length } == true) }
  }
}

@Test func `impossible lengths and magics are told with their offset`() {
  var tooLong = sample(pcapng: false)
  tooLong.replaceSubrange(32..<36, with: [0xff, 0xff, 0xff, 0xff])
  var zero = sample(pcapng: true)
  zero.replaceSubrange(48..<52, with: [0, 0, 0, 0])
  var odd = sample(pcapng: true)
  odd.replaceSubrange(48..<52, with: [45, 0, 0, 0])
  var huge = sample(pcapng: true)
  huge.replaceSubrange(92..<96, with: [0xfc, 0xff, 0xff, 0xff])
  var trailer = sample(pcapng: true)
  trailer[40] = 48
  var order = sample(pcapng: true)
  order[8] = 0
  var capture = Octets(bigEndian: false)
  capture.section()
  let noInterface = capture.bytes.count
  capture.enhancedPacket(interface: 0, ticks: 0, [1])
  var room = Octets(bigEndian: false)
  room.section()
  room.interface(1, resolution: nil)
  let roomStart = room.bytes.count
  room.enhancedPacket(interface: 0, ticks: 0, [1], captured: 5)
  let cases: [([UInt8], UInt64?, String)] = [
    ([], 0, "the file is empty"),
    ([1, 2], 0, "too short for a capture: 2 octets"),
    (Array("GIF89a".utf8), 0, "not a capture: starts with 47 49 46 38, expected pcap or pcapng"),
    (tooLong, 32, "impossible packet length 4294967295"),
    (zero, 48, "impossible block length 0"),
    (odd, 48, "impossible block length 45"),
    (huge, 92, "impossible block length 4294967292 for a block of type 6"),
    (trailer, 40, "block length 44 at its start, 48 at its end"),
    (order, 8, "byte-order magic 0x1a2b3c00, expected 0x1a2b3c4d"),
    (capture.bytes, UInt64(noInterface + 8), "interface 0, but 0 are declared"),
    (room.bytes, UInt64(roomStart + 20), "packet length 5 in a block with room for 4"),
  ]
  for (bytes, offset, reason) in cases {
    #expect(CollectedPackets.read(bytes).1 == CaptureError(file: "test", offset: offset, reason: reason))
  }
}

@Test func `a long block of no interest is passed over without being held`() {
  var file = Octets(bigEndian: false)
  file.section()
  file.interface(1, resolution: nil)
  file.block(0xbad) { $0.bytes = [UInt8](repeating: 0, count: 3 << 20) }
  file.enhancedPacket(interface: 0, ticks: 0, [1, 2])
  let (sink, error) = CollectedPackets.read(file.bytes)
  #expect(error == nil)
  #expect(sink.packets.map(\.octets) == [[1, 2]])
  let cut = CollectedPackets.read(Array(file.bytes[..<(2 << 20)])).1
  #expect(cut?.reason.hasPrefix("cut: a block lacks ") == true)
}
