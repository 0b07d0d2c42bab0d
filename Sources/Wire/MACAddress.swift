/// An Ethernet (EUI-48) address; `bits` holds the six octets as a number, first octet most significant.
public struct MACAddress: Hashable, Sendable {
  /// 0 … 2^48 − 1.
  public var bits: UInt64

  @inlinable
  public init(bits: UInt64) { self.bits = bits & 0xffff_ffff_ffff }

  /// Reads six two-digit hexadecimal octets separated by colons.
  public init?(_ text: some StringProtocol) {
    let fields = text.split(separator: ":", omittingEmptySubsequences: false)
    guard fields.count == 6 else { return nil }
    var bits: UInt64 = 0
    for field in fields {
      guard field.utf8.count == 2, field.first != "+", let octet = UInt8(field, radix: 16) else { return nil }
      bits = bits << 8 | UInt64(octet)
    }
    self.bits = bits
  }

  public static let broadcast = MACAddress(bits: 0xffff_ffff_ffff)

  /// The six octets in wire order.
  public var octets: [UInt8] { (0..<6).map { UInt8(truncatingIfNeeded: bits >> (40 - 8 * $0)) } }

  /// Whether the group bit is set (broadcast included).
  public var isMulticast: Bool { bits >> 40 & 1 == 1 }
}

extension MACAddress: CustomStringConvertible {
  public var description: String {
    octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
  }
}
