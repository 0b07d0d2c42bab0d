extension [UInt8] {
  /// Appends an integer, least significant octet first.
  mutating func append<I: FixedWidthInteger>(littleEndian value: I) {
    Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
  }

  /// Appends zeros up to the next multiple of four, as pcapng pads everything.
  mutating func padToWord() {
    while count & 3 != 0 { append(0) }
  }

  /// Overwrites four octets that were appended before.
  mutating func replace(at position: Int, littleEndian value: UInt32) {
    for index in 0..<4 { self[position + index] = UInt8(truncatingIfNeeded: value >> UInt32(8 * index)) }
  }
}
