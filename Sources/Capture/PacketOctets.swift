import Wire

/// A packet's octets with two ends: what was captured, and what was on the wire by all lengths read so far.
struct PacketOctets {
  let base: UnsafeRawPointer
  let captured: Int
  /// Narrowed by every header that states a length. May exceed `captured`.
  var wireEnd: Int

  /// Throws unless `count` octets from `offset` may be loaded.
  @inline(__always)
  func need(_ offset: Int, _ count: Int, _ header: Fault.Header) throws(Fault) {
    if offset + count <= min(captured, wireEnd) { return }
    let kind: Fault.Kind = offset + count <= wireEnd ? .truncated : .malformed
    throw Fault(kind: kind, offset: max(offset, min(captured, wireEnd)), reason: .short(header))
  }

  func malformed(_ offset: Int, _ reason: Fault.Reason) -> Fault {
    Fault(kind: .malformed, offset: offset, reason: reason)
  }

  // The caller has made sure with `need` that the octets are there.
  @inline(__always) func u8(_ offset: Int) -> UInt8 { base.load(fromByteOffset: offset, as: UInt8.self) }
  @inline(__always) func u16(_ offset: Int) -> UInt16 {
    UInt16(bigEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
  }
  @inline(__always) func u32(_ offset: Int) -> UInt32 {
    UInt32(bigEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
  }
  @inline(__always) func u64(_ offset: Int) -> UInt64 {
    UInt64(bigEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }
  func ipv4(_ offset: Int) -> IPAddress { .v4(IPv4Address(bits: u32(offset))) }
  func ipv6(_ offset: Int) -> IPAddress { .v6(IPv6Address(high: u64(offset), low: u64(offset + 8))) }
  func mac(_ offset: Int) -> MACAddress {
    MACAddress(bits: UInt64(u16(offset)) << 32 | UInt64(u32(offset + 2)))
  }
}
