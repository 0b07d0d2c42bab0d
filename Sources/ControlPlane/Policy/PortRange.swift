/// A port prefix: the ports whose first `length` bits are those of `port`.
struct PortPrefix: Hashable, Sendable {
  var port: UInt16
  /// 0 (every port) … 16 (one port).
  var length: UInt8
}

enum PortRange {
  /// The fewest prefixes that cover the ports from `start` to `end`, in ascending order.
  ///
  /// An `end` that is not above `start` means the one port, and 0…0 and 0…65535 every port.
  ///
  /// Source: Cilium `pkg/policy/portrange.go`.
  static func prefixes(from start: UInt16, to end: UInt16) -> [PortPrefix] {
    if start == 0, end == 0 || end == .max { return [PortPrefix(port: 0, length: 0)] }
    guard end > start else { return [PortPrefix(port: start, length: 16)] }
    var prefixes: [PortPrefix] = []
    var next = UInt32(start)
    let last = UInt32(end)
    while next <= last {
      // The largest block that begins here: aligned, and not past the end.
      var bits = next == 0 ? 16 : next.trailingZeroBitCount
      while next + (1 << UInt32(bits)) - 1 > last { bits -= 1 }
      prefixes.append(PortPrefix(port: UInt16(next), length: UInt8(16 - bits)))
      next += 1 << UInt32(bits)
    }
    return prefixes
  }
}
