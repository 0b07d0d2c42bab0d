// 802.1Q and 802.1ad (QinQ) tag. Source: IEEE 802.1Q-2018, clause 9.6.
//
// The tag's own type (0x8100 or 0x88a8) stands in the header before it.
//
//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  | PCP |D|        VLAN ID        |             Type              |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

/// A checked view of a VLAN tag and what follows it.
public struct VLANView: ~Escapable {
  public let bytes: RawSpan

  @inlinable @inline(__always) @_lifetime(copy bytes)
  public init(_ bytes: RawSpan) throws(WireError) {
    try bytes.require(VLANHeader.byteCount, .vlan)
    self.bytes = bytes
  }

  @inlinable public var control: UInt16 { bytes.unchecked16(VLANHeader.Offset.control) }
  @inlinable public var type: EtherType { EtherType(rawValue: bytes.unchecked16(VLANHeader.Offset.type)) }
  @inlinable public var payload: RawSpan {
    @_lifetime(copy self) get { bytes.dropping(VLANHeader.byteCount) }
  }
}

/// A VLAN tag: the four octets after the tag's type.
public struct VLANHeader: WireHeader {
  /// 0…7.
  public var priority: UInt8
  public var dropEligible: Bool
  /// 0…4095; 0 is a priority tag without a VLAN.
  public var id: UInt16
  public var type: EtherType

  public init(
    id: UInt16, priority: UInt8 = 0, dropEligible: Bool = false, type: EtherType = EtherType(rawValue: 0)
  ) {
    self.id = id
    self.priority = priority
    self.dropEligible = dropEligible
    self.type = type
  }

  public static let name = WireProtocol.vlan
  @inlinable public static var byteCount: Int { 4 }
  public var byteCount: Int { Self.byteCount }

  /// Where the fields stand, in octets from the start of the header.
  public enum Offset {
    @inlinable public static var control: Int { 0 }
    @inlinable public static var type: Int { 2 }
  }

  public init(_ view: borrowing VLANView) {
    let control = view.control
    self.init(
      id: control & 0xfff, priority: UInt8(control >> 13), dropEligible: control & 0x1000 != 0,
      type: view.type)
  }

  public init(parsing bytes: RawSpan) throws(WireError) { self.init(try VLANView(bytes)) }

  public func validate() throws(WireError) {
    try Self.check(priority, "priority", atMost: 7)
    try Self.check(id, "id", atMost: 4095)
  }

  @_lifetime(bytes: copy bytes)
  public func write(into bytes: inout MutableRawSpan, at offset: Int) {
    bytes.store(
      UInt16(priority) << 13 | (dropEligible ? 0x1000 : 0) | id & 0xfff, at: offset + Offset.control)
    bytes.store(type.rawValue, at: offset + Offset.type)
  }
}
