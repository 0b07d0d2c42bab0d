// Ethernet II. Source: IEEE 802.3, clause 3; RFC 894.
//
//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |                          Destination                          |
//  +                               +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |                               |                               |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+                               +
//  |                             Source                            |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |             Type              |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

/// A checked view of an Ethernet II header and what follows it.
public struct EthernetView: ~Escapable {
  public let bytes: RawSpan

  @inlinable @inline(__always) @_lifetime(copy bytes)
  public init(_ bytes: RawSpan) throws(WireError) {
    try bytes.require(EthernetHeader.byteCount, .ethernet)
    self.bytes = bytes
  }

  @inlinable public var destination: MACAddress { bytes.uncheckedMAC(EthernetHeader.Offset.destination) }
  @inlinable public var source: MACAddress { bytes.uncheckedMAC(EthernetHeader.Offset.source) }
  @inlinable public var type: EtherType { EtherType(rawValue: bytes.unchecked16(EthernetHeader.Offset.type)) }
  @inlinable public var payload: RawSpan {
    @_lifetime(copy self) get { bytes.dropping(EthernetHeader.byteCount) }
  }
}

/// An Ethernet II header.
public struct EthernetHeader: WireHeader {
  public var destination: MACAddress
  public var source: MACAddress
  public var type: EtherType

  public init(destination: MACAddress, source: MACAddress, type: EtherType = EtherType(rawValue: 0)) {
    self.destination = destination
    self.source = source
    self.type = type
  }

  public static let name = WireProtocol.ethernet
  @inlinable public static var byteCount: Int { 14 }
  public var byteCount: Int { Self.byteCount }

  /// Where the fields stand, in octets from the start of the header.
  public enum Offset {
    @inlinable public static var destination: Int { 0 }
    @inlinable public static var source: Int { 6 }
    @inlinable public static var type: Int { 12 }
  }

  public init(_ view: borrowing EthernetView) {
    self.init(destination: view.destination, source: view.source, type: view.type)
  }

  public init(parsing bytes: RawSpan) throws(WireError) { self.init(try EthernetView(bytes)) }

  @_lifetime(bytes: copy bytes)
  public func write(into bytes: inout MutableRawSpan, at offset: Int) {
    bytes.store(destination, at: offset + Offset.destination)
    bytes.store(source, at: offset + Offset.source)
    bytes.store(type.rawValue, at: offset + Offset.type)
  }
}
