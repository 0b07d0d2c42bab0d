// The bytes abstraction of this module.
//
// Reading is over `RawSpan`: a borrowed window that the compiler does not let outlive the array it was taken
// from. It costs no reference counting and needs no closure: `try IPv4View(frame.span.bytes)`. Every view
// checks its bounds once, in its initialiser, and then loads words without checking again. Writing is over
// `MutableRawSpan`, always checked. `[UInt8]` has a convenience of each.

extension RawSpan {
  // Unchecked: only behind a view's bounds check.
  @inlinable @inline(__always)
  func unchecked8(_ offset: Int) -> UInt8 {
    unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt8.self)
  }

  @inlinable @inline(__always)
  func unchecked16(_ offset: Int) -> UInt16 {
    UInt16(bigEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt16.self))
  }

  @inlinable @inline(__always)
  func unchecked32(_ offset: Int) -> UInt32 {
    UInt32(bigEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt32.self))
  }

  @inlinable @inline(__always)
  func unchecked64(_ offset: Int) -> UInt64 {
    UInt64(bigEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
  }

  @inlinable @inline(__always)
  func uncheckedMAC(_ offset: Int) -> MACAddress {
    MACAddress(bits: UInt64(unchecked16(offset)) << 32 | UInt64(unchecked32(offset + 2)))
  }

  @inlinable @inline(__always)
  func uncheckedIPv4(_ offset: Int) -> IPv4Address { IPv4Address(bits: unchecked32(offset)) }

  @inlinable @inline(__always)
  func uncheckedIPv6(_ offset: Int) -> IPv6Address {
    IPv6Address(high: unchecked64(offset), low: unchecked64(offset + 8))
  }

  /// The number in network order at `offset`; nil when it does not lie wholly inside.
  @inlinable
  public func load<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type, at offset: Int) -> T? {
    guard offset >= 0, offset <= byteCount - MemoryLayout<T>.size else { return nil }
    return T(bigEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: T.self))
  }

  /// What is left after the first `count` octets; empty when there are no more.
  @inlinable @inline(__always) @_lifetime(copy self)
  public func dropping(_ count: Int) -> RawSpan { window(from: count, to: byteCount) }

  /// The octets of `range`, cut to what there is.
  @inlinable @_lifetime(copy self)
  public func window(_ range: Range<Int>) -> RawSpan { window(from: range.lowerBound, to: range.upperBound) }

  /// The octets from `low` up to, not including, `high`, cut to what there is; empty when `high` is not above.
  @inlinable @inline(__always) @_lifetime(copy self)
  func window(from low: Int, to high: Int) -> RawSpan {
    let low = Swift.max(0, Swift.min(low, byteCount))
    let high = Swift.max(low, Swift.min(high, byteCount))
    return extracting(unchecked: Range(uncheckedBounds: (low, high)))
  }

  /// An owned copy.
  public var array: [UInt8] { withUnsafeBytes { [UInt8]($0) } }
}

extension MutableRawSpan {
  /// Stores the number in network order; false, and nothing written, when it does not fit.
  @discardableResult @_lifetime(self: copy self)
  public mutating func store<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, at offset: Int) -> Bool {
    guard offset >= 0, offset <= byteCount - MemoryLayout<T>.size else { return false }
    storeBytes(of: value.bigEndian, toByteOffset: offset, as: T.self)
    return true
  }

  @_lifetime(self: copy self)
  mutating func store(_ address: MACAddress, at offset: Int) {
    store(UInt16(truncatingIfNeeded: address.bits >> 32), at: offset)
    store(UInt32(truncatingIfNeeded: address.bits), at: offset + 2)
  }

  @_lifetime(self: copy self)
  mutating func store(_ address: IPv4Address, at offset: Int) { store(address.bits, at: offset) }

  @_lifetime(self: copy self)
  mutating func store(_ address: IPv6Address, at offset: Int) {
    store(address.high, at: offset)
    store(address.low, at: offset + 8)
  }

  @_lifetime(self: copy self)
  mutating func store(_ octets: [UInt8], at offset: Int) {
    guard offset >= 0, offset <= byteCount - octets.count else { return }
    withUnsafeMutableBytes { target in
      octets.withUnsafeBytes { target[offset..<offset + octets.count].copyBytes(from: $0) }
    }
  }
}

extension [UInt8] {
  /// The number in network order at `offset`; nil when it does not lie wholly inside.
  @inlinable
  public func load<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type, at offset: Int) -> T? {
    span.bytes.load(type, at: offset)
  }

  /// Stores the number in network order; false, and nothing written, when it does not fit.
  @discardableResult
  public mutating func store<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, at offset: Int) -> Bool {
    var span = mutableSpan
    var bytes = span.mutableBytes
    return bytes.store(value, at: offset)
  }
}
