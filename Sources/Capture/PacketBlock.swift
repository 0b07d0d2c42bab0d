/// An enhanced packet block of a pcapng capture, laid out where it is to stand. Source: draft-ietf-opsawg-pcapng,
/// section 4.3.
struct PacketBlock {
  var interface: Int
  /// Nanoseconds since the epoch.
  var time: UInt64
  /// How long the packet was on the wire.
  var originalLength: Int

  /// How many octets the block of a packet takes, with options that `options` made.
  @inline(__always)
  static func size(_ octets: Int, _ options: Int) -> Int { 28 + (octets + 3) & ~3 + options + 4 }

  /// The block's options as they stand in the file; empty where there is nothing to say.
  static func options(comment: String, direction: PacketDirection = .unknown) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(option: 1, comment)
    if direction != .unknown {
      bytes.append(littleEndian: 2 as UInt16)  // epb_flags: bits 0 and 1 are the direction
      bytes.append(littleEndian: 4 as UInt16)
      bytes.append(littleEndian: UInt32(direction.rawValue))
    }
    if !bytes.isEmpty { bytes.append(littleEndian: 0 as UInt32) }
    return bytes
  }

  /// Writes the block; there is room for `size` octets at `target`.
  @inline(__always)
  func store(
    to target: UnsafeMutableRawPointer, _ octets: UnsafeRawBufferPointer, _ options: UnsafeRawBufferPointer
  ) {
    func put(_ value: UInt32, _ offset: Int) {
      target.storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt32.self)
    }
    let size = Self.size(octets.count, options.count)
    put(6, 0)
    put(UInt32(clamping: size), 4)
    put(UInt32(truncatingIfNeeded: interface), 8)
    put(UInt32(truncatingIfNeeded: time >> 32), 12)
    put(UInt32(truncatingIfNeeded: time), 16)
    put(UInt32(clamping: octets.count), 20)
    put(UInt32(clamping: originalLength), 24)
    // Zeros first, where the padding will be; the octets then cover all but that.
    let padded = (octets.count + 3) & ~3
    if padded > 0 { put(0, 24 + padded) }
    if let base = octets.baseAddress { (target + 28).copyMemory(from: base, byteCount: octets.count) }
    if let base = options.baseAddress {
      (target + (28 + padded)).copyMemory(from: base, byteCount: options.count)
    }
    put(UInt32(clamping: size), size - 4)
  }
}

extension [UInt8] {
  /// Appends a pcapng option with text, cut to the sixteen bits that its length has; nothing for an empty text.
  mutating func append(option code: UInt16, _ text: String) {
    guard !text.isEmpty else { return }
    var text = text
    text.withUTF8 { octets in
      let length = Swift.min(octets.count, 0xffff)
      append(littleEndian: code)
      append(littleEndian: UInt16(length))
      append(contentsOf: UnsafeBufferPointer(rebasing: octets[..<length]))
    }
    padToWord()
  }
}
