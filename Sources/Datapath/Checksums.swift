internal import MapABI

// One's complement sums on words as they lie in memory; the order of octets cancels out. A frame given to a
// test run has no checksum state (CHECKSUM_NONE), so only the packet's own field changes.
// Source: RFC 1071, RFC 1624; the kernel's net/checksum.h, net/core/filter.c and net/core/utils.c.

/// Sums to be folded: 32 bits, carries added in.
enum InternetChecksum {
  @inline(__always)
  static func add(_ a: UInt32, _ b: UInt32) -> UInt32 {
    let (sum, carry) = a.addingReportingOverflow(b)
    return sum &+ (carry ? 1 : 0)
  }

  @inline(__always)
  static func fold(_ sum: UInt32) -> UInt16 {
    var folded = (sum & 0xffff) &+ (sum >> 16)
    folded = (folded & 0xffff) &+ (folded >> 16)
    return ~UInt16(truncatingIfNeeded: folded)
  }

  /// `csum_diff` of two words, as it is inlined: `seed` + ~from + to.
  @inline(__always)
  static func difference(_ from: UInt32, _ to: UInt32, seed: UInt32 = 0) -> UInt32 {
    add(seed, add(~from, to))
  }

  /// `bpf_csum_diff` of any length: the result is folded to 16 bits, without complement.
  static func difference(
    _ from: UnsafeRawBufferPointer?, _ to: UnsafeRawBufferPointer?, seed: UInt32 = 0
  ) -> UInt32 {
    var sum = seed
    if let to { sum = add(sum, partial(to)) }
    if let from { sum = add(sum, ~partial(from)) }
    return shorten(sum)
  }

  /// The same for two values of equal size.
  @inline(__always)
  static func difference<T>(of from: T, to: T, seed: UInt32 = 0) -> UInt32 {
    withUnsafeBytes(of: from) { from in
      withUnsafeBytes(of: to) { to in difference(from, to, seed: seed) }
    }
  }

  static func sum<T>(of value: T, seed: UInt32 = 0) -> UInt32 {
    withUnsafeBytes(of: value) { difference(nil, $0, seed: seed) }
  }

  static func partial(_ octets: UnsafeRawBufferPointer) -> UInt32 {
    var sum: UInt64 = 0
    var offset = 0
    while offset + 4 <= octets.count {
      sum &+= UInt64(octets.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
      offset += 4
    }
    if offset + 2 <= octets.count {
      sum &+= UInt64(octets.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
      offset += 2
    }
    if offset < octets.count { sum &+= UInt64(octets[offset]) }
    sum = (sum & 0xffff_ffff) &+ (sum >> 32)
    sum = (sum & 0xffff_ffff) &+ (sum >> 32)
    return UInt32(truncatingIfNeeded: sum)
  }

  private static func shorten(_ sum: UInt32) -> UInt32 {
    let folded = (sum & 0xffff) &+ (sum >> 16)
    return (folded & 0xffff) &+ (folded >> 16)
  }
}

/// Which checksum a transport protocol has (`csum_l4_offset_and_flags`).
struct ChecksumField {
  /// Octets from the start of the transport header; 0 for none that is ours to keep.
  var offset = 0
  /// A zero means "not computed" and is kept, and a sum that comes to zero is written as all ones (UDP).
  var zeroIsAbsent = false

  @inline(__always)
  init(protocol: UInt8) {
    switch `protocol` {
    case IPProtocol.tcp: offset = 16
    case IPProtocol.udp:
      offset = 6
      zeroIsAbsent = true
    case IPProtocol.icmpv6: offset = 2
    default: break
    }
  }

  init(offset: Int) { self.offset = offset }
}

enum IPProtocol {
  static let icmp: UInt8 = 1
  static let tcp: UInt8 = 6
  static let udp: UInt8 = 17
  static let icmpv6: UInt8 = 58
  static let sctp: UInt8 = 132
}

extension PacketBuffer {
  /// `bpf_l3_csum_replace` with a difference.
  @inline(__always)
  func updateIPChecksum(_ offset: Int, difference: UInt32) throws(Drop) {
    guard let old = load(offset, as: UInt16.self) else { throw Drop(.csumL3) }
    let new = InternetChecksum.fold(InternetChecksum.add(difference, ~UInt32(old)))
    _ = store(new, offset)
  }

  /// `bpf_l3_csum_replace` with two 16-bit values.
  @inline(__always)
  func updateIPChecksum(_ offset: Int, from: UInt16, to: UInt16) throws(Drop) {
    guard let old = load(offset, as: UInt16.self) else { throw Drop(.csumL3) }
    func add(_ a: UInt16, _ b: UInt16) -> UInt16 {
      let (sum, carry) = a.addingReportingOverflow(b)
      return sum &+ (carry ? 1 : 0)
    }
    _ = store(~add(add(~old, ~from), to), offset)
  }

  /// `bpf_l4_csum_replace` with a difference (`csum_l4_replace`).
  @inline(__always)
  func updateTransportChecksum(_ l4: Int, _ field: ChecksumField, difference: UInt32) throws(Drop) {
    try updateTransportChecksum(l4, field) { old in
      InternetChecksum.fold(InternetChecksum.add(difference, ~UInt32(old)))
    }
  }

  /// `bpf_l4_csum_replace` with two 16-bit values.
  @inline(__always)
  func updateTransportChecksum(
    _ l4: Int, _ field: ChecksumField, from: UInt16, to: UInt16
  ) throws(Drop) {
    try updateTransportChecksum(l4, field) { old in
      let without = InternetChecksum.add(~UInt32(old), ~UInt32(from))
      return InternetChecksum.fold(InternetChecksum.add(without, UInt32(to)))
    }
  }

  @inline(__always)
  private func updateTransportChecksum(
    _ l4: Int, _ field: ChecksumField, _ update: (UInt16) -> UInt16
  ) throws(Drop) {
    let offset = l4 + field.offset
    guard offset & 1 == 0, offset <= 0xffff, let old = load(offset, as: UInt16.self) else {
      throw Drop(.csumL4)
    }
    if field.zeroIsAbsent, old == 0 { return }
    let new = update(old)
    _ = store(field.zeroIsAbsent && new == 0 ? 0xffff : new, offset)
  }
}
