/// Classic pcap records. Source: draft-ietf-opsawg-pcap, sections 4 and 5.
struct PcapFormat {
  private let swapped: Bool
  /// Nanoseconds per unit of the time stamp's fraction.
  private let unit: UInt64
  private(set) var headerRead = false
  private var linkType = LinkType.ethernet

  /// By the first four octets, read as little-endian.
  init?(magic: UInt32) {
    switch magic {
    case 0xa1b2_c3d4: (swapped, unit) = (false, 1000)
    case 0xd4c3_b2a1: (swapped, unit) = (true, 1000)
    case 0xa1b2_3c4d: (swapped, unit) = (false, 1)
    case 0x4d3c_b2a1: (swapped, unit) = (true, 1)
    default: return nil
    }
  }

  mutating func parse<S: PacketSink & ~Copyable>(_ piece: inout Piece, into sink: inout S) -> Flaw? {
    if !headerRead {
      guard piece.count >= 24 else { return nil }
      let major = piece.load(4, swapped: swapped, as: UInt16.self)
      guard major == 2 else {
        return Flaw(offset: piece.offset &+ 4, reason: "pcap version \(major), expected 2")
      }
      // The upper bits tell the length of the frame check sequence.
      linkType = LinkType(rawValue: piece.load(20, swapped: swapped, as: UInt32.self) & 0x03ff_ffff)
      headerRead = true
      piece.consume(24)
      sink.declare(interface: 0, name: "", linkType: linkType)
    }
    return records(&piece, into: &sink)
  }

  // Apart from `parse`, and once only: the compiler stops inlining a sink's quick way into a function that is large
  // already, which costs a tenth of the speed.
  @inline(never)
  private func records<S: PacketSink & ~Copyable>(_ piece: inout Piece, into sink: inout S) -> Flaw? {
    let (base, end) = (piece.base, piece.end)
    let (first, firstOffset) = (piece.start, piece.offset)
    var position = first
    var flaw: Flaw?
    piece.needed = 16
    while end &- position >= 16 {
      var seconds = UInt32(littleEndian: base.loadUnaligned(fromByteOffset: position, as: UInt32.self))
      var fraction = UInt32(littleEndian: base.loadUnaligned(fromByteOffset: position + 4, as: UInt32.self))
      var captured = UInt32(littleEndian: base.loadUnaligned(fromByteOffset: position + 8, as: UInt32.self))
      var original = UInt32(littleEndian: base.loadUnaligned(fromByteOffset: position + 12, as: UInt32.self))
      if swapped {
        seconds = seconds.byteSwapped
        fraction = fraction.byteSwapped
        captured = captured.byteSwapped
        original = original.byteSwapped
      }
      let length = Int(captured)
      if length > CaptureReader.largestPacket {
        flaw = Flaw(
          offset: firstOffset &+ UInt64(position - first) &+ 8, reason: Self.impossibleLength(captured))
        break
      }
      guard end &- position &- 16 >= length else {
        piece.needed = 16 + length
        break
      }
      let packet = CapturedPacket(
        base: base + (position &+ 16), captured: length, original: Int(original),
        time: UInt64(seconds) &* 1_000_000_000 &+ UInt64(fraction) &* unit, linkType: linkType,
        offset: firstOffset &+ UInt64(truncatingIfNeeded: position &- first) &+ 16)
      if !sink.takeQuickly(packet) { sink.take(packet) }
      position &+= 16 &+ length
    }
    piece.consume(position - first)
    return flaw
  }

  @inline(never)
  private static func impossibleLength(_ length: UInt32) -> String { "impossible packet length \(length)" }
}
