/// What a packet's block needs to know of its interface: the link type, and how to read its time stamps.
struct CaptureInterface {
  var linkType: LinkType
  /// 0: no limit.
  var snapLength: UInt32
  /// Seconds to add to every time stamp, as the two's complement that the file holds.
  var offset: UInt64 = 0

  private enum Scale {
    case multiply(UInt64)
    case divide(UInt64)
    case binary(UInt64)
  }
  private var scale = Scale.multiply(1000)  // microseconds unless said otherwise

  init(linkType: LinkType, snapLength: UInt32) {
    self.linkType = linkType
    self.snapLength = snapLength
  }

  /// Takes if_tsresol: units of 10^-n seconds, or of 2^-n when the highest bit is set. Source:
  /// draft-ietf-opsawg-pcapng, section 4.2.
  mutating func setResolution(_ value: UInt8) {
    let exponent = UInt64(value & 0x7f)
    func power(_ n: UInt64) -> UInt64 { (0..<n).reduce(1) { product, _ in product &* 10 } }
    switch (value & 0x80 != 0, exponent) {
    case (true, _): scale = .binary(exponent)
    case (false, ...9): scale = .multiply(power(9 - exponent))
    case (false, 10...28): scale = .divide(power(exponent - 9))
    default: scale = .divide(0)
    }
  }

  /// Nanoseconds since the epoch, modulo 2^64.
  @inline(__always)
  func nanoseconds(_ ticks: UInt64) -> UInt64 {
    if case .multiply(let factor) = scale { return ticks &* factor &+ offset &* 1_000_000_000 }
    return slowNanoseconds(ticks) &+ offset &* 1_000_000_000
  }

  private func slowNanoseconds(_ ticks: UInt64) -> UInt64 {
    switch scale {
    case .multiply(let factor): return ticks &* factor
    case .divide(let divisor): return divisor == 0 ? 0 : ticks / divisor
    case .binary(let exponent):
      // ticks × 10^9 / 2^exponent, in 128 bits.
      let (high, low) = ticks.multipliedFullWidth(by: 1_000_000_000)
      if exponent == 0 { return low }
      if exponent < 64 { return high << (64 - exponent) | low >> exponent }
      return exponent < 128 ? high >> (exponent - 64) : 0
    }
  }
}
