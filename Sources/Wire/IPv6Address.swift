/// An IPv6 address.
///
/// `high` holds the first eight octets of the wire form as a number, `low` the last eight.
/// Text form: RFC 4291 section 2.2 for reading, RFC 5952 for writing.
public struct IPv6Address: Hashable, Sendable, Comparable {
  public var high: UInt64
  public var low: UInt64

  @inlinable
  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// The address of these sixteen octets in wire order; nil unless there are sixteen.
  public init?(octets: some Collection<UInt8>) {
    guard octets.count == 16 else { return nil }
    var high: UInt64 = 0
    var low: UInt64 = 0
    for (index, octet) in octets.enumerated() {
      if index < 8 { high = high << 8 | UInt64(octet) } else { low = low << 8 | UInt64(octet) }
    }
    self.init(high: high, low: low)
  }

  /// Reads the text form, `::` and an embedded IPv4 tail included; zones are refused.
  public init?(_ text: some StringProtocol) {
    var head: [UInt16] = []
    var tail: [UInt16] = []
    var compressed = false
    var fields = text.split(separator: ":", omittingEmptySubsequences: false)[...]
    guard fields.count >= 3, fields.count <= 9 else { return nil }
    if fields.first!.isEmpty {
      guard fields.dropFirst().first!.isEmpty else { return nil }
      fields = fields.dropFirst()
    }
    if fields.last!.isEmpty {
      guard fields.count >= 2, fields.dropLast().last!.isEmpty else { return nil }
      fields = fields.dropLast()
    }
    for (position, field) in zip(fields.indices, fields) {
      if field.isEmpty {
        guard !compressed else { return nil }
        compressed = true
        continue
      }
      var groups: [UInt16] = []
      if field.utf8.contains(UInt8(ascii: ".")) {
        guard position == fields.indices.last, let v4 = IPv4Address(field) else { return nil }
        groups = [UInt16(v4.bits >> 16), UInt16(v4.bits & 0xffff)]
      } else {
        guard field.utf8.count <= 4, let value = UInt16(field, radix: 16), field.first != "+" else {
          return nil
        }
        groups = [value]
      }
      if compressed { tail += groups } else { head += groups }
    }
    let count = head.count + tail.count
    guard compressed ? count <= 7 : count == 8 else { return nil }
    let groups = head + Array(repeating: 0, count: 8 - count) + tail
    high = groups[..<4].reduce(0) { $0 << 16 | UInt64($1) }
    low = groups[4...].reduce(0) { $0 << 16 | UInt64($1) }
  }

  public static let unspecified = IPv6Address(high: 0, low: 0)

  /// The sixteen octets in wire order.
  public var octets: [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: high >> (56 - 8 * $0)) }
      + (0..<8).map { UInt8(truncatingIfNeeded: low >> (56 - 8 * $0)) }
  }

  /// The eight 16-bit groups, first first.
  public var groups: [UInt16] {
    (0..<4).map { UInt16(truncatingIfNeeded: high >> (48 - 16 * $0)) }
      + (0..<4).map { UInt16(truncatingIfNeeded: low >> (48 - 16 * $0)) }
  }

  /// Whether the address is in fe80::/10.
  public var isLinkLocal: Bool { high >> 54 == 0xfe80 >> 6 }
  /// Whether the address is in ff00::/8.
  public var isMulticast: Bool { high >> 56 == 0xff }

  public static func < (a: Self, b: Self) -> Bool { (a.high, a.low) < (b.high, b.low) }
}

extension IPv6Address: CustomStringConvertible {
  /// RFC 5952: lower case, the longest run of two or more zero groups (the first of equals) as `::`, IPv4-mapped
  /// addresses with a dotted tail.
  public var description: String {
    if high == 0, low >> 32 == 0xffff {
      return "::ffff:\(IPv4Address(bits: UInt32(truncatingIfNeeded: low)))"
    }
    let groups = groups
    var best = 0..<0
    var start = 0
    while start < 8 {
      var end = start
      while end < 8, groups[end] == 0 { end += 1 }
      if end - start > best.count { best = start..<end }
      start = max(end, start + 1)
    }
    func text(_ range: Range<Int>) -> String {
      groups[range].map { String($0, radix: 16) }.joined(separator: ":")
    }
    guard best.count >= 2 else { return text(0..<8) }
    return text(0..<best.lowerBound) + "::" + text(best.upperBound..<8)
  }
}
