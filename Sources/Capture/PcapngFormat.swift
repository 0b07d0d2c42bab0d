/// pcapng blocks: sections, interfaces, packets; other blocks are passed over.
///
/// Source: draft-ietf-opsawg-pcapng, section 4; the obsolete packet block: its appendix A.
struct PcapngFormat {
  private var swapped = false
  private var inSection = false
  private var interfaces: [CaptureInterface] = []
  /// Octets of a block being passed over that are still to come.
  private(set) var skipping: UInt64 = 0

  private enum Block {
    static let section: UInt32 = 0x0a0d_0d0a
    static let interface: UInt32 = 1
    static let packet: UInt32 = 2
    static let simplePacket: UInt32 = 3
    static let enhancedPacket: UInt32 = 6
  }

  mutating func parse<S: PacketSink & ~Copyable>(_ piece: inout Piece, into sink: inout S) -> Flaw? {
    if skipping > 0 {
      let octets = Int(min(skipping, UInt64(piece.count)))
      piece.consume(octets)
      skipping -= UInt64(octets)
    }
    piece.needed = 12
    while true {
      if inSection, let flaw = enhancedPackets(&piece, into: &sink) { return flaw }
      guard piece.count >= 12 else { return nil }
      let type = piece.load(0, swapped: swapped, as: UInt32.self)
      // The section's type reads the same in both byte orders; what follows it says which one holds from there.
      if type == Block.section, let flaw = readByteOrder(piece) { return flaw }
      let length = Int(piece.load(4, swapped: swapped, as: UInt32.self))
      guard length >= 12, length & 3 == 0 else { return flaw(piece, 4, "impossible block length \(length)") }
      guard inSection || type == Block.section else { return flaw(piece, 0, "block before any section") }
      guard isRead(type) || length <= piece.count else {
        // Nothing in it is needed: pass over it without holding it.
        skipping = UInt64(length - piece.count)
        piece.consume(piece.count)
        return nil
      }
      guard length <= CaptureReader.largestRecord else {
        return flaw(piece, 4, "impossible block length \(length) for a block of type \(type)")
      }
      guard length <= piece.count else {
        piece.needed = length
        return nil
      }
      let trailer = piece.load(length - 4, swapped: swapped, as: UInt32.self)
      guard Int(trailer) == length else {
        return flaw(piece, length - 4, "block length \(length) at its start, \(trailer) at its end")
      }
      if let flaw = read(type, length, piece, into: &sink) { return flaw }
      piece.consume(length)
    }
  }

  /// The run of whole enhanced packet blocks that are in order; leaves the first other block to `parse`.
  // Apart from `parse` for the same reason as `PcapFormat.records`.
  @inline(never)
  private func enhancedPackets<S: PacketSink & ~Copyable>(_ piece: inout Piece, into sink: inout S) -> Flaw? {
    while piece.count >= 32, piece.load(0, swapped: swapped, as: UInt32.self) == Block.enhancedPacket {
      let length = Int(piece.load(4, swapped: swapped, as: UInt32.self))
      guard length >= 32, length & 3 == 0, length <= piece.count,
        piece.load(length - 4, swapped: swapped, as: UInt32.self) == length
      else { return nil }
      let index = Int(piece.load(8, swapped: swapped, as: UInt32.self))
      let high = piece.load(12, swapped: swapped, as: UInt32.self)
      let low = piece.load(16, swapped: swapped, as: UInt32.self)
      if let flaw = deliver(piece, index, UInt64(high) << 32 | UInt64(low), room: length - 32, into: &sink) {
        return flaw
      }
      piece.consume(length)
    }
    return nil
  }

  @inline(__always)
  private func isRead(_ type: UInt32) -> Bool {
    type <= Block.simplePacket || type == Block.enhancedPacket || type == Block.section
  }

  private func flaw(_ piece: Piece, _ position: Int, _ reason: String) -> Flaw {
    Flaw(offset: piece.offset &+ UInt64(position), reason: reason)
  }

  private mutating func readByteOrder(_ piece: Piece) -> Flaw? {
    switch piece.load(8, swapped: false, as: UInt32.self) {
    case 0x1a2b_3c4d: swapped = false
    case 0x4d3c_2b1a: swapped = true
    case let magic:
      return flaw(piece, 8, "byte-order magic 0x\(String(magic, radix: 16)), expected 0x1a2b3c4d")
    }
    return nil
  }

  @inline(__always)
  private mutating func read<S: PacketSink & ~Copyable>(
    _ type: UInt32, _ length: Int, _ piece: Piece, into sink: inout S
  ) -> Flaw? {
    switch type {
    case Block.enhancedPacket:
      // `enhancedPackets` has taken all that are long enough.
      return flaw(piece, 4, "packet block of \(length) octets, expected 32")
    case Block.section:
      guard length >= 28 else { return flaw(piece, 4, "section header of \(length) octets, expected 28") }
      let major = piece.load(12, swapped: swapped, as: UInt16.self)
      guard major == 1 else { return flaw(piece, 12, "pcapng version \(major), expected 1") }
      inSection = true
      interfaces = []
      return nil
    case Block.interface: return interface(length, piece, into: &sink)
    case Block.simplePacket: return simplePacket(length, piece, into: &sink)
    case Block.packet: return packet(length, piece, into: &sink)
    default: return nil
    }
  }

  /// The obsolete packet block: as the enhanced one, but 16 bits of interface and 16 of a drop count.
  private func packet<S: PacketSink & ~Copyable>(
    _ length: Int, _ piece: Piece, into sink: inout S
  ) -> Flaw? {
    guard length >= 32 else { return flaw(piece, 4, "packet block of \(length) octets, expected 32") }
    let index = Int(piece.load(8, swapped: swapped, as: UInt16.self))
    let high = piece.load(12, swapped: swapped, as: UInt32.self)
    let low = piece.load(16, swapped: swapped, as: UInt32.self)
    return deliver(piece, index, UInt64(high) << 32 | UInt64(low), room: length - 32, into: &sink)
  }

  /// Hands on the packet of an enhanced or an obsolete packet block; `room` octets lie between header and trailer.
  @inline(__always)
  private func deliver<S: PacketSink & ~Copyable>(
    _ piece: Piece, _ index: Int, _ ticks: UInt64, room: Int, into sink: inout S
  ) -> Flaw? {
    let captured = Int(piece.load(20, swapped: swapped, as: UInt32.self))
    let original = Int(piece.load(24, swapped: swapped, as: UInt32.self))
    guard captured <= room, captured <= CaptureReader.largestPacket else {
      return lengthFlaw(piece, captured, room)
    }
    guard index < interfaces.count else { return interfaceFlaw(piece, index) }
    let interface = interfaces[index]
    let packet = CapturedPacket(
      base: piece.base + (piece.start + 28), captured: captured, original: original,
      time: interface.nanoseconds(ticks), linkType: interface.linkType, interface: index,
      offset: piece.offset &+ 28)
    if !sink.takeQuickly(packet) { sink.take(packet) }
    return nil
  }

  @inline(never)
  private func lengthFlaw(_ piece: Piece, _ captured: Int, _ room: Int) -> Flaw {
    flaw(piece, 20, "packet length \(captured) in a block with room for \(room)")
  }

  @inline(never)
  private func interfaceFlaw(_ piece: Piece, _ index: Int) -> Flaw {
    flaw(piece, 8, "interface \(index), but \(interfaces.count) are declared")
  }

  private func simplePacket<S: PacketSink & ~Copyable>(
    _ length: Int, _ piece: Piece, into sink: inout S
  ) -> Flaw? {
    guard length >= 16 else { return flaw(piece, 4, "packet block of \(length) octets, expected 16") }
    guard let interface = interfaces.first else { return flaw(piece, 0, "packet before any interface") }
    let original = Int(piece.load(8, swapped: swapped, as: UInt32.self))
    let limit = interface.snapLength == 0 ? Int.max : Int(interface.snapLength)
    let captured = min(original, limit, CaptureReader.largestPacket)
    guard captured <= length - 16 else {
      return flaw(piece, 8, "packet length \(captured) in a block with room for \(length - 16)")
    }
    sink.take(
      CapturedPacket(
        base: piece.base + (piece.start + 12), captured: captured, original: original, time: 0,
        linkType: interface.linkType, offset: piece.offset &+ 12))
    return nil
  }

  private mutating func interface<S: PacketSink & ~Copyable>(
    _ length: Int, _ piece: Piece, into sink: inout S
  ) -> Flaw? {
    guard length >= 20 else { return flaw(piece, 4, "interface block of \(length) octets, expected 20") }
    var interface = CaptureInterface(
      linkType: LinkType(rawValue: UInt32(piece.load(8, swapped: swapped, as: UInt16.self))),
      snapLength: piece.load(12, swapped: swapped, as: UInt32.self))
    var name = ""
    var position = 16
    while position + 4 <= length - 4 {
      let code = piece.load(position, swapped: swapped, as: UInt16.self)
      let size = Int(piece.load(position + 2, swapped: swapped, as: UInt16.self))
      if code == 0 { break }
      guard position + 4 + size <= length - 4 else {
        return flaw(piece, position, "option of \(size) octets beyond the end of its block")
      }
      switch (code, size) {
      case (2, _):
        let octets = UnsafeRawBufferPointer(start: piece.base + (piece.start + position + 4), count: size)
        name = String(decoding: octets.prefix { $0 != 0 }, as: UTF8.self)
      case (9, 1...): interface.setResolution(piece.load(position + 4, swapped: false, as: UInt8.self))
      case (14, 8...): interface.offset = piece.load(position + 4, swapped: swapped, as: UInt64.self)
      default: break
      }
      position += 4 + (size + 3) & ~3
    }
    sink.declare(interface: interfaces.count, name: name, linkType: interface.linkType)
    interfaces.append(interface)
    return nil
  }
}
