/// An IPv4 address.
///
/// `bits` is the address as a number (10.0.0.1 is 0x0a000001); on the wire it stands most significant octet
/// first. Source: RFC 791, section 2.3.
public struct IPv4Address: Hashable, Sendable, Comparable {
  public var bits: UInt32

  @inlinable
  public init(bits: UInt32) { self.bits = bits }

  public init(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) {
    bits = UInt32(a) << 24 | UInt32(b) << 16 | UInt32(c) << 8 | UInt32(d)
  }

  /// Reads four decimal octets separated by dots; leading zeros and any other spelling are refused (as Go's
  /// `netip.ParseAddr` does, whose reading Kubernetes and Cilium share).
  public init?(_ text: some StringProtocol) {
    var value: UInt32 = 0
    var octets = 0
    var digits = 0
    var octet: UInt32 = 0
    for character in text.utf8 {
      if character == UInt8(ascii: ".") {
        guard digits > 0, octets < 3 else { return nil }
        value = value << 8 | octet
        octets += 1
        digits = 0
        octet = 0
      } else {
        guard character >= UInt8(ascii: "0"), character <= UInt8(ascii: "9") else { return nil }
        if digits > 0, octet == 0 { return nil }
        octet = octet * 10 + UInt32(character - UInt8(ascii: "0"))
        digits += 1
        guard octet <= 255 else { return nil }
      }
    }
    guard octets == 3, digits > 0 else { return nil }
    bits = value << 8 | octet
  }

  public static let unspecified = IPv4Address(bits: 0)

  /// The four octets in wire order.
  public var octets: [UInt8] {
    [UInt8(bits >> 24), UInt8(bits >> 16 & 255), UInt8(bits >> 8 & 255), UInt8(bits & 255)]
  }

  public static func < (a: Self, b: Self) -> Bool { a.bits < b.bits }
}

extension IPv4Address: CustomStringConvertible {
  public var description: String {
    "\(bits >> 24).\(bits >> 16 & 255).\(bits >> 8 & 255).\(bits & 255)"
  }
}
