import Capture
import Glibc
import Testing
import Wire

/// Packets of every kind, some of them quick to take and most not; several pieces of a file.
private func manyPackets() -> [UInt8] {
  var random = SplitMix(state: 5)
  let all = TunnelFrame.allKinds()
  return capture(
    (0..<9000).map { number in
      var frame = number % 3 == 0 ? all[number % all.count] : TunnelFrame()
      frame.vni = UInt32.random(in: 1...40, using: &random)
      frame.payload = Int.random(in: 0..<300, using: &random)
      return (frame.bytes(), frame.link.type)
    })
}

/// Extracts from a capture, and gives what was written.
private func extract(
  _ bytes: [UInt8], _ content: PacketExtract.Content, filter: String? = nil
) throws -> [UInt8] {
  let folder = try TemporaryFolder()
  try OutputFile.write(bytes, to: "\(folder.path)/in")
  var selective = SelectiveDecoder(
    decoder: Decoder(), selection: PacketSelection(filter: try filter.map { try PacketFilter($0) }),
    lines: nil,
    extract: try PacketExtract(path: "\(folder.path)/out", content: content, names: ReportNames()))
  _ = selective.read("\(folder.path)/in", ReadingMode())
  let report = selective.report()
  #expect(!report.diagnostics.contains { $0.kind == .file })
  return try readWholeFile("\(folder.path)/out")
}

@Test func `an extract of all packets has each of them, octet by octet`() throws {
  let source = manyPackets()
  let (before, _) = CollectedPackets.read(source)
  let (after, error) = CollectedPackets.read(try extract(source, .whole))
  #expect(error == nil && after.packets.count == 9000)
  for (one, other) in zip(before.packets, after.packets) {
    #expect(one.octets == other.octets && one.time == other.time && one.linkType == other.linkType)
  }
}

@Test(arguments: [PacketExtract.Content.whole, .inner])
func `an extract is the same by the quick way and by the long way`(content: PacketExtract.Content) throws {
  let source = manyPackets()
  // A filter needs the dissection of each packet; this one holds for all of them.
  let long = try extract(source, content, filter: "len >= 0")
  #expect(try extract(source, content) == long)
  #expect(long.count > 1 << 20)
}

@Test func `more tunnels than comments are kept for: each packet has its own`() throws {
  var frame = TunnelFrame().bytes()
  var writer = PcapWriter()
  for vni in 1...66_000 as ClosedRange<UInt32> {
    for place in 0..<3 { frame[46 + place] = UInt8(truncatingIfNeeded: vni >> UInt32(16 - 8 * place)) }
    writer.write(time: 0, bytes: frame)
  }
  let text = try extract(writer.bytes, .inner).suffix(5 * 160)
  for vni in 65_997...66_000 {
    #expect(String(decoding: text, as: UTF8.self).contains("identity \(vni), vxlan 172.18.0.5 > 172.18.0.3"))
  }
}

@Test func `a file is replaced at once, or not at all`() throws {
  let folder = try TemporaryFolder()
  let path = "\(folder.path)/file"
  try OutputFile.write([1, 2, 3], to: path)
  do {
    var dropped = try OutputFile(path: path)
    try dropped.write([9])
    #expect(try readWholeFile(path) == [1, 2, 3])
  }
  #expect(lines(of: "ls -A '\(folder.path)'") == ["file"])
  try OutputFile.write([4], to: path)
  #expect(try readWholeFile(path) == [4])
  #expect(lines(of: "ls -A '\(folder.path)'") == ["file"])
  // A folder is no file; it stays what it is.
  #expect(throws: CaptureError.self) { try OutputFile.write([5], to: folder.path) }
  #expect(try readWholeFile(path) == [4])
}

@Test func `space that was reserved and not needed is given back`() throws {
  let folder = try TemporaryFolder()
  let path = "\(folder.path)/file"
  var file = try OutputFile(path: path)
  let piece = [UInt8](repeating: 7, count: 1 << 20)
  for _ in 0..<3 { try file.write(piece) }
  try file.commit()
  var status = stat()
  try #require(stat(path, &status) == 0)
  #expect(status.st_size == 3 << 20 && status.st_blocks * 512 <= 4 << 20)
}

@Test func `a pipe is written as it is`() throws {
  let folder = try TemporaryFolder()
  let path = "\(folder.path)/pipe"
  try #require(mkfifo(path, 0o600) == 0)
  let reader = open(path, O_RDONLY | O_NONBLOCK)
  defer { close(reader) }
  try OutputFile.write([1, 2], to: path)
  var got = [UInt8](repeating: 0, count: 4)
  #expect(read(reader, &got, 4) == 2 && got == [1, 2, 0, 0])
  #expect(lines(of: "ls -A '\(folder.path)'") == ["pipe"])
}
