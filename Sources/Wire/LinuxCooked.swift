// Linux "cooked" capture header, version 2. Source: LINKTYPE_LINUX_SLL2 (276) of the tcpdump group.
//
//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |             Type              |           Reserved            |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |                        Interface index                        |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |         ARPHRD type           |  Packet type  | Address length|
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |               Link-layer address (8 octets)                   |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

/// A checked view of a cooked capture header and what follows it.
public struct LinuxCookedView: ~Escapable {
  public let bytes: RawSpan

  @inlinable @inline(__always) @_lifetime(copy bytes)
  public init(_ bytes: RawSpan) throws(WireError) {
    try bytes.require(LinuxCookedHeader.byteCount, .linuxCooked)
    self.bytes = bytes
  }

  @inlinable public var type: EtherType {
    EtherType(rawValue: bytes.unchecked16(LinuxCookedHeader.Offset.type))
  }
  @inlinable public var reserved: UInt16 { bytes.unchecked16(LinuxCookedHeader.Offset.reserved) }
  @inlinable public var interfaceIndex: UInt32 {
    bytes.unchecked32(LinuxCookedHeader.Offset.interfaceIndex)
  }
  @inlinable public var hardwareType: UInt16 { bytes.unchecked16(LinuxCookedHeader.Offset.hardwareType) }
  @inlinable public var packetType: UInt8 { bytes.unchecked8(LinuxCookedHeader.Offset.packetType) }
  @inlinable public var addressLength: UInt8 { bytes.unchecked8(LinuxCookedHeader.Offset.addressLength) }
  @inlinable public var address: UInt64 { bytes.unchecked64(LinuxCookedHeader.Offset.address) }
  @inlinable public var payload: RawSpan {
    @_lifetime(copy self) get { bytes.dropping(LinuxCookedHeader.byteCount) }
  }
}

/// A cooked capture header.
public struct LinuxCookedHeader: WireHeader {
  public var type: EtherType
  public var reserved: UInt16
  public var interfaceIndex: UInt32
  /// An ARPHRD number; 1 is Ethernet, 772 loopback.
  public var hardwareType: UInt16
  /// 0 to us, 1 broadcast, 2 multicast, 3 to another host, 4 sent by us.
  public var packetType: UInt8
  /// How many octets of `address` count, 0…8.
  public var addressLength: UInt8
  /// The sender's address in the most significant octets.
  public var address: UInt64

  public init(
    type: EtherType = EtherType(rawValue: 0), interfaceIndex: UInt32, hardwareType: UInt16 = 1,
    packetType: UInt8 = 0, addressLength: UInt8 = 6, address: UInt64 = 0, reserved: UInt16 = 0
  ) {
    self.type = type
    self.reserved = reserved
    self.interfaceIndex = interfaceIndex
    self.hardwareType = hardwareType
    self.packetType = packetType
    self.addressLength = addressLength
    self.address = address
  }

  public static let name = WireProtocol.linuxCooked
  @inlinable public static var byteCount: Int { 20 }
  public var byteCount: Int { Self.byteCount }

  /// Where the fields stand, in octets from the start of the header.
  public enum Offset {
    @inlinable public static var type: Int { 0 }
    @inlinable public static var reserved: Int { 2 }
    @inlinable public static var interfaceIndex: Int { 4 }
    @inlinable public static var hardwareType: Int { 8 }
    @inlinable public static var packetType: Int { 10 }
    @inlinable public static var addressLength: Int { 11 }
    @inlinable public static var address: Int { 12 }
  }

  /// The sender's address when it is an Ethernet one.
  public var mac: MACAddress? { addressLength == 6 ? MACAddress(bits: address >> 16) : nil }

  public init(_ view: borrowing LinuxCookedView) {
    self.init(
      type: view.type, interfaceIndex: view.interfaceIndex, hardwareType: view.hardwareType,
      packetType: view.packetType, addressLength: view.addressLength, address: view.address,
      reserved: view.reserved)
  }

  public init(parsing bytes: RawSpan) throws(WireError) { self.init(try LinuxCookedView(bytes)) }

  @_lifetime(bytes: copy bytes)
  public func write(into bytes: inout MutableRawSpan, at offset: Int) {
    bytes.store(type.rawValue, at: offset + Offset.type)
    bytes.store(reserved, at: offset + Offset.reserved)
    bytes.store(interfaceIndex, at: offset + Offset.interfaceIndex)
    bytes.store(hardwareType, at: offset + Offset.hardwareType)
    bytes.store(packetType, at: offset + Offset.packetType)
    bytes.store(addressLength, at: offset + Offset.addressLength)
    bytes.store(address, at: offset + Offset.address)
  }
}
