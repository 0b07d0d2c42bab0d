/// The CRC with Castagnoli's polynomial, that guards SCTP packets.
///
/// Reflected polynomial 0x82f63b78, initial value and final exclusive-or all ones. Source: RFC 9260, appendix A.
public enum CRC32C {
  // One octet at a time; a table of 256 words is worth its cache lines only in bulk.
  static let table: [UInt32] = (0..<256).map { index in
    var value = UInt32(index)
    for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0x82f6_3b78 : value >> 1 }
    return value
  }

  /// The CRC of the octets: 0xe3069283 for the text "123456789".
  public static func of(_ bytes: RawSpan) -> UInt32 {
    ~update(0xffff_ffff, bytes)
  }

  static func update(_ start: UInt32, _ bytes: RawSpan) -> UInt32 {
    var crc = start
    let table = table
    for offset in 0..<bytes.byteCount {
      crc = crc >> 8 ^ table[Int((crc ^ UInt32(bytes.unchecked8(offset))) & 0xff)]
    }
    return crc
  }
}
