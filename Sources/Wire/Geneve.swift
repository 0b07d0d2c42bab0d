// Geneve. Source: RFC 8926, section 3.
//
//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |Ver|  Opt len  |O|C|    Rsvd   |         Protocol type         |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |       Virtual network identifier (VNI)        |   Reserved    |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |                    Options, 0 … 252 octets                    |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

/// A checked view of a Geneve header and what it carries: version 0, all options inside.
public struct GeneveView: ~Escapable {
  public let bytes: RawSpan
  /// In octets, 8…260.
  public let headerLength: Int

  @inlinable @inline(__always) @_lifetime(copy bytes)
  public init(_ bytes: RawSpan) throws(WireError) {
    try bytes.require(GeneveHeader.minimumByteCount, .geneve)
    let first = bytes.unchecked8(0)
    guard first >> 6 == 0 else {
      throw .invalid(.geneve, "version", needed: "0", had: UInt64(first >> 6))
    }
    let length = GeneveHeader.minimumByteCount + Int(first & 0x3f) * 4
    try bytes.require(length, .geneve, "options")
    self.bytes = bytes
    headerLength = length
  }

  /// The O and C flags and six reserved bits.
  @inlinable public var flags: UInt8 { bytes.unchecked8(1) }
  @inlinable public var type: EtherType { EtherType(rawValue: bytes.unchecked16(GeneveHeader.Offset.type)) }
  /// 24 bits; in Cilium the sender's identity.
  @inlinable public var vni: UInt32 { bytes.unchecked32(GeneveHeader.Offset.vni) >> 8 }
  @inlinable public var options: RawSpan {
    @_lifetime(copy self) get { bytes.window(from: GeneveHeader.minimumByteCount, to: headerLength) }
  }
  @inlinable public var payload: RawSpan {
    @_lifetime(copy self) get { bytes.dropping(headerLength) }
  }
}

/// A Geneve header.
public struct GeneveHeader: WireHeader {
  /// 24 bits; in Cilium the sender's identity.
  public var vni: UInt32
  /// 0x6558 when an Ethernet frame follows, as with Cilium.
  public var type: EtherType
  /// O (0x80, control packet), C (0x40, critical options present) and six reserved bits.
  public var flags: UInt8
  /// The octet after the VNI.
  public var reserved: UInt8
  public var options: GeneveOptions

  public init(
    vni: UInt32, type: EtherType = .ethernet, flags: UInt8 = 0, reserved: UInt8 = 0,
    options: GeneveOptions = []
  ) {
    self.vni = vni
    self.type = type
    self.flags = flags
    self.reserved = reserved
    self.options = options
  }

  public static let name = WireProtocol.geneve
  @inlinable public static var minimumByteCount: Int { 8 }
  public var byteCount: Int { Self.minimumByteCount + options.octets.count }
  public static let controlFlag: UInt8 = 0x80
  public static let criticalFlag: UInt8 = 0x40

  /// Where the fields stand, in octets from the start of the header.
  public enum Offset {
    @inlinable public static var flags: Int { 1 }
    @inlinable public static var type: Int { 2 }
    @inlinable public static var vni: Int { 4 }
    @inlinable public static var options: Int { 8 }
  }

  public init(_ view: borrowing GeneveView) {
    self.init(
      vni: view.vni, type: view.type, flags: view.flags, reserved: view.bytes.unchecked8(7),
      options: GeneveOptions(octets: view.options.array))
  }

  public init(parsing bytes: RawSpan) throws(WireError) { self.init(try GeneveView(bytes)) }

  public func validate() throws(WireError) {
    try Self.check(vni, "vni", atMost: 0xff_ffff)
    try Self.check(options: options.octets, unit: 4, atMost: 252)
  }

  @_lifetime(bytes: copy bytes)
  public func write(into bytes: inout MutableRawSpan, at offset: Int) {
    bytes.store(UInt8(truncatingIfNeeded: options.octets.count / 4 & 0x3f), at: offset)
    bytes.store(flags, at: offset + Offset.flags)
    bytes.store(type.rawValue, at: offset + Offset.type)
    bytes.store(vni << 8 | UInt32(reserved), at: offset + Offset.vni)
    bytes.store(options.octets, at: offset + Offset.options)
  }
}
