/// A span of virtual time, in nanoseconds.
///
/// Text form: Go's durations, `1h2m3.5s`, `10ms`, `0`; a bare number counts seconds.
public struct VirtualDuration: Hashable, Sendable, Comparable {
  /// Not negative.
  public var nanoseconds: UInt64

  public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

  public static func seconds(_ count: UInt32) -> Self { Self(nanoseconds: UInt64(count) * 1_000_000_000) }

  public init?(_ text: String) {
    var rest = text[...]
    var total: UInt64 = 0
    guard !rest.isEmpty else { return nil }
    while !rest.isEmpty {
      let whole = rest.prefix { $0.isASCII && $0.isNumber }
      rest = rest.dropFirst(whole.count)
      var fraction: Substring = ""
      if rest.first == "." {
        fraction = rest.dropFirst().prefix { $0.isASCII && $0.isNumber }
        rest = rest.dropFirst(fraction.count + 1)
      }
      guard !whole.isEmpty || !fraction.isEmpty else { return nil }
      let unit = rest.prefix { $0.isLetter }
      rest = rest.dropFirst(unit.count)
      guard let scale = Self.scale(unit, isWhole: unit.isEmpty && rest.isEmpty && total == 0) else {
        return nil
      }
      guard let part = Self.scaled(whole, fraction, scale) else { return nil }
      let (sum, overflow) = total.addingReportingOverflow(part)
      if overflow { return nil }
      total = sum
    }
    nanoseconds = total
  }

  private static func scale(_ unit: Substring, isWhole: Bool) -> UInt64? {
    switch unit {
    case "ns": 1
    case "us", "µs", "μs": 1_000
    case "ms": 1_000_000
    case "s": 1_000_000_000
    case "m": 60_000_000_000
    case "h": 3_600_000_000_000
    case "" where isWhole: 1_000_000_000
    default: nil
    }
  }

  private static func scaled(_ whole: Substring, _ fraction: Substring, _ scale: UInt64) -> UInt64? {
    guard let count = whole.isEmpty ? 0 : UInt64(whole) else { return nil }
    let (product, overflow) = count.multipliedReportingOverflow(by: scale)
    if overflow { return nil }
    var part: UInt64 = 0
    var unit = scale
    for digit in fraction {
      unit /= 10
      part += unit * UInt64(digit.wholeNumberValue ?? 0)
    }
    let (sum, carry) = product.addingReportingOverflow(part)
    return carry ? nil : sum
  }

  public static func < (a: Self, b: Self) -> Bool { a.nanoseconds < b.nanoseconds }
}

extension VirtualDuration: CustomStringConvertible {
  /// The largest unit that gives a whole number: `90s`, `1500ms`.
  public var description: String {
    if nanoseconds % 1_000_000_000 == 0 { return "\(nanoseconds / 1_000_000_000)s" }
    if nanoseconds % 1_000_000 == 0 { return "\(nanoseconds / 1_000_000)ms" }
    if nanoseconds % 1_000 == 0 { return "\(nanoseconds / 1_000)us" }
    return "\(nanoseconds)ns"
  }
}
