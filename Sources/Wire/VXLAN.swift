// VXLAN. Source: RFC 7348, section 5.
//
//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |R|R|R|R|I|R|R|R|                   Reserved                    |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |      VXLAN network identifier (VNI)           |   Reserved    |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

/// A checked view of a VXLAN header and the Ethernet frame in it; the I flag is not checked.
public struct VXLANView: ~Escapable {
  public let bytes: RawSpan

  @inlinable @inline(__always) @_lifetime(copy bytes)
  public init(_ bytes: RawSpan) throws(WireError) {
    try bytes.require(VXLANHeader.byteCount, .vxlan)
    self.bytes = bytes
  }

  @inlinable public var flags: UInt8 { bytes.unchecked8(0) }
  @inlinable public var hasVNI: Bool { flags & VXLANHeader.vniFlag != 0 }
  /// 24 bits; in Cilium the sender's identity.
  @inlinable public var vni: UInt32 { bytes.unchecked32(VXLANHeader.Offset.vni) >> 8 }
  /// The inner Ethernet frame.
  @inlinable public var payload: RawSpan {
    @_lifetime(copy self) get { bytes.dropping(VXLANHeader.byteCount) }
  }
}

/// A VXLAN header.
public struct VXLANHeader: WireHeader {
  /// 24 bits; in Cilium the sender's identity.
  public var vni: UInt32
  public var flags: UInt8
  /// The 24 bits between flags and VNI.
  public var reserved: UInt32
  /// The octet after the VNI.
  public var reservedTail: UInt8

  public init(
    vni: UInt32, flags: UInt8 = VXLANHeader.vniFlag, reserved: UInt32 = 0, reservedTail: UInt8 = 0
  ) {
    self.vni = vni
    self.flags = flags
    self.reserved = reserved
    self.reservedTail = reservedTail
  }

  public static let name = WireProtocol.vxlan
  @inlinable public static var byteCount: Int { 8 }
  public var byteCount: Int { Self.byteCount }
  /// The I flag: the VNI is valid.
  @inlinable public static var vniFlag: UInt8 { 0x08 }

  /// Where the fields stand, in octets from the start of the header.
  public enum Offset {
    @inlinable public static var flags: Int { 0 }
    @inlinable public static var vni: Int { 4 }
  }

  public init(_ view: borrowing VXLANView) {
    self.init(
      vni: view.vni, flags: view.flags, reserved: view.bytes.unchecked32(0) & 0xff_ffff,
      reservedTail: view.bytes.unchecked8(7))
  }

  public init(parsing bytes: RawSpan) throws(WireError) { self.init(try VXLANView(bytes)) }

  public func validate() throws(WireError) {
    try Self.check(vni, "vni", atMost: 0xff_ffff)
    try Self.check(reserved, "reserved", atMost: 0xff_ffff)
  }

  @_lifetime(bytes: copy bytes)
  public func write(into bytes: inout MutableRawSpan, at offset: Int) {
    bytes.store(UInt32(flags) << 24 | reserved & 0xff_ffff, at: offset + Offset.flags)
    bytes.store(vni << 8 | UInt32(reservedTail), at: offset + Offset.vni)
  }
}
