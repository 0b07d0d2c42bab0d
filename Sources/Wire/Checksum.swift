// The Internet checksum. Source: RFC 1071; RFC 1624 for the incremental update; RFC 793 section 3.1 and RFC 8200
// section 8.1 for the pseudo-headers.

/// A running one's complement sum of 16-bit words.
///
/// Octets may be added in any number of pieces, each but the last of even length. The value is independent of
/// the machine's byte order.
public struct Checksum: Hashable, Sendable {
  // Never folded before the end: 2^32 words of 32 bits fit.
  var sum: UInt64

  public init() { sum = 0 }

  public init(_ bytes: RawSpan) {
    sum = 0
    add(bytes)
  }

  public init(_ bytes: [UInt8]) { self.init(bytes.span.bytes) }

  /// Continues from a partial checksum (one that was folded but not complemented).
  public init(partial: UInt16) { sum = UInt64(partial) }

  public mutating func add(_ word: UInt16) { sum &+= UInt64(word) }
  public mutating func add(_ word: UInt32) { sum &+= UInt64(word) }
  public mutating func add(_ address: IPv4Address) { add(address.bits) }
  public mutating func add(_ address: IPv6Address) {
    add(UInt32(truncatingIfNeeded: address.high >> 32))
    add(UInt32(truncatingIfNeeded: address.high))
    add(UInt32(truncatingIfNeeded: address.low >> 32))
    add(UInt32(truncatingIfNeeded: address.low))
  }

  /// Adds octets; an odd last one counts as the high half of a word.
  public mutating func add(_ bytes: RawSpan) {
    // In the machine's order, swapped once at the end: the sum commutes with a byte swap (RFC 1071, 2.B).
    var native: UInt64 = 0
    let words = bytes.byteCount / 4
    var offset = 0
    for _ in 0..<words {
      native &+= UInt64(bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt32.self))
      offset &+= 4
    }
    sum &+= UInt64(UInt16(bigEndian: Self.fold(native)))
    if bytes.byteCount - offset >= 2 {
      sum &+= UInt64(bytes.unchecked16(offset))
      offset &+= 2
    }
    if offset < bytes.byteCount { sum &+= UInt64(bytes.unchecked8(offset)) << 8 }
  }

  /// The sum in 16 bits, not complemented: 0xffff over octets that include their valid checksum.
  ///
  /// Over a pseudo-header alone this is what a sender with checksum offload leaves in the checksum field
  /// (`CHECKSUM_PARTIAL`).
  public var folded: UInt16 { Self.fold(sum) }

  /// The checksum: the complement of the sum.
  public var complement: UInt16 { ~folded }

  /// The checksum for UDP, where zero says "none" and 0xffff stands for a computed zero (RFC 768).
  public var udpComplement: UInt16 { complement == 0 ? 0xffff : complement }

  static func fold(_ sum: UInt64) -> UInt16 {
    var sum = (sum >> 32) &+ (sum & 0xffff_ffff)
    sum = (sum >> 16) &+ (sum & 0xffff)
    sum = (sum >> 16) &+ (sum & 0xffff)
    sum = (sum >> 16) &+ (sum & 0xffff)
    return UInt16(truncatingIfNeeded: sum)
  }
}

extension Checksum {
  /// The sum of a pseudo-header; `length` is that of the transport header and its payload, in octets.
  public static func pseudoHeader(
    source: IPv4Address, destination: IPv4Address, protocol: IPProtocol, length: Int
  ) -> Checksum {
    var checksum = Checksum()
    checksum.add(source)
    checksum.add(destination)
    checksum.add(UInt16(`protocol`.rawValue))
    checksum.add(UInt32(truncatingIfNeeded: length))
    return checksum
  }

  /// The sum of a pseudo-header; `length` is that of the transport header and its payload, in octets.
  public static func pseudoHeader(
    source: IPv6Address, destination: IPv6Address, protocol: IPProtocol, length: Int
  ) -> Checksum {
    var checksum = Checksum()
    checksum.add(source)
    checksum.add(destination)
    checksum.add(UInt16(`protocol`.rawValue))
    checksum.add(UInt32(truncatingIfNeeded: length))
    return checksum
  }
}

extension Checksum {
  /// The checksum after a word that it covers changed: HC' = ~(~HC + ~m + m') (RFC 1624, equation 3).
  public static func update(_ checksum: UInt16, from old: UInt16, to new: UInt16) -> UInt16 {
    var sum = Checksum(partial: ~checksum)
    sum.add(~old)
    sum.add(new)
    return sum.complement
  }

  /// The checksum after two neighbouring words changed.
  public static func update(_ checksum: UInt16, from old: UInt32, to new: UInt32) -> UInt16 {
    var sum = Checksum(partial: ~checksum)
    sum.add(~old)
    sum.add(new)
    return sum.complement
  }

  /// The checksum after an address that it covers changed.
  public static func update(_ checksum: UInt16, from old: IPv4Address, to new: IPv4Address) -> UInt16 {
    update(checksum, from: old.bits, to: new.bits)
  }

  /// The checksum after an address that it covers changed.
  public static func update(_ checksum: UInt16, from old: IPv6Address, to new: IPv6Address) -> UInt16 {
    var sum = Checksum(partial: ~checksum)
    sum.add(IPv6Address(high: ~old.high, low: ~old.low))
    sum.add(new)
    return sum.complement
  }

  /// A partial checksum (pseudo-header sum, not complemented) after an address in it changed.
  public static func updatePartial(_ partial: UInt16, from old: IPv4Address, to new: IPv4Address) -> UInt16 {
    ~update(~partial, from: old, to: new)
  }

  /// A partial checksum (pseudo-header sum, not complemented) after an address in it changed.
  public static func updatePartial(_ partial: UInt16, from old: IPv6Address, to new: IPv6Address) -> UInt16 {
    ~update(~partial, from: old, to: new)
  }
}
