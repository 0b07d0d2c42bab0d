// IPv6. Source: RFC 8200, section 3.
//
//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |Version| Traffic class |              Flow label               |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |        Payload length         |  Next header  |   Hop limit   |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |                      Source (16 octets)                       |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |                   Destination (16 octets)                     |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

/// A checked view of an IPv6 packet.
///
/// Checked: version 6 and the 40 octets of the fixed header. The payload length is *not* (see `IPv4View`).
public struct IPv6View: ~Escapable {
  public let bytes: RawSpan

  @inlinable @inline(__always) @_lifetime(copy bytes)
  public init(_ bytes: RawSpan) throws(WireError) {
    try bytes.require(IPv6Header.byteCount, .ipv6)
    let version = bytes.unchecked8(0) >> 4
    guard version == 6 else {
      throw .invalid(.ipv6, "version", needed: "6", had: UInt64(version))
    }
    self.bytes = bytes
  }

  /// Checks only that the 40 octets are there, not the version.
  @inlinable @inline(__always) @_lifetime(copy bytes)
  public init(fixedPartOf bytes: RawSpan) throws(WireError) {
    try bytes.require(IPv6Header.byteCount, .ipv6)
    self.bytes = bytes
  }

  @inlinable public var trafficClass: UInt8 { UInt8(truncatingIfNeeded: bytes.unchecked16(0) >> 4) }
  /// 20 bits.
  @inlinable public var flowLabel: UInt32 { bytes.unchecked32(0) & 0xf_ffff }
  @inlinable public var payloadLength: UInt16 { bytes.unchecked16(IPv6Header.Offset.payloadLength) }
  @inlinable public var nextHeader: IPProtocol {
    IPProtocol(rawValue: bytes.unchecked8(IPv6Header.Offset.nextHeader))
  }
  @inlinable public var hopLimit: UInt8 { bytes.unchecked8(IPv6Header.Offset.hopLimit) }
  @inlinable public var source: IPv6Address { bytes.uncheckedIPv6(IPv6Header.Offset.source) }
  @inlinable public var destination: IPv6Address { bytes.uncheckedIPv6(IPv6Header.Offset.destination) }

  /// What follows the fixed header, without Ethernet padding when the payload length tells it apart.
  @inlinable public var payload: RawSpan {
    @_lifetime(copy self) get {
      let end = IPv6Header.byteCount + Int(payloadLength)
      return bytes.window(from: IPv6Header.byteCount, to: payloadLength == 0 ? bytes.byteCount : end)
    }
  }
}

/// An IPv6 header.
public struct IPv6Header: WireHeader {
  public var trafficClass: UInt8
  /// 20 bits.
  public var flowLabel: UInt32
  /// Extension headers and payload, in octets.
  public var payloadLength: UInt16
  public var nextHeader: IPProtocol
  public var hopLimit: UInt8
  public var source: IPv6Address
  public var destination: IPv6Address

  public init(
    source: IPv6Address, destination: IPv6Address, nextHeader: IPProtocol = .noNextHeader,
    hopLimit: UInt8 = 64, trafficClass: UInt8 = 0, flowLabel: UInt32 = 0, payloadLength: UInt16 = 0
  ) {
    self.trafficClass = trafficClass
    self.flowLabel = flowLabel
    self.payloadLength = payloadLength
    self.nextHeader = nextHeader
    self.hopLimit = hopLimit
    self.source = source
    self.destination = destination
  }

  public static let name = WireProtocol.ipv6
  @inlinable public static var byteCount: Int { 40 }
  public var byteCount: Int { Self.byteCount }

  /// Where the fields stand, in octets from the start of the header.
  public enum Offset {
    @inlinable public static var payloadLength: Int { 4 }
    @inlinable public static var nextHeader: Int { 6 }
    @inlinable public static var hopLimit: Int { 7 }
    @inlinable public static var source: Int { 8 }
    @inlinable public static var destination: Int { 24 }
  }

  public init(_ view: borrowing IPv6View) {
    self.init(
      source: view.source, destination: view.destination, nextHeader: view.nextHeader,
      hopLimit: view.hopLimit, trafficClass: view.trafficClass, flowLabel: view.flowLabel,
      payloadLength: view.payloadLength)
  }

  public init(parsing bytes: RawSpan) throws(WireError) { self.init(try IPv6View(bytes)) }

  public func validate() throws(WireError) {
    try Self.check(flowLabel, "flowLabel", atMost: 0xf_ffff)
  }

  @_lifetime(bytes: copy bytes)
  public func write(into bytes: inout MutableRawSpan, at offset: Int) {
    bytes.store(0x6000_0000 | UInt32(trafficClass) << 20 | flowLabel & 0xf_ffff, at: offset)
    bytes.store(payloadLength, at: offset + Offset.payloadLength)
    bytes.store(nextHeader.rawValue, at: offset + Offset.nextHeader)
    bytes.store(hopLimit, at: offset + Offset.hopLimit)
    bytes.store(source, at: offset + Offset.source)
    bytes.store(destination, at: offset + Offset.destination)
  }
}
