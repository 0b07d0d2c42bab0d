// UDP. Source: RFC 768.
//
//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |          Source port          |       Destination port        |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |            Length             |           Checksum            |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

/// A checked view of a UDP datagram; its length field is not checked.
public struct UDPView: ~Escapable {
  public let bytes: RawSpan

  @inlinable @inline(__always) @_lifetime(copy bytes)
  public init(_ bytes: RawSpan) throws(WireError) {
    try bytes.require(UDPHeader.byteCount, .udp)
    self.bytes = bytes
  }

  @inlinable public var sourcePort: UInt16 { bytes.unchecked16(UDPHeader.Offset.sourcePort) }
  @inlinable public var destinationPort: UInt16 { bytes.unchecked16(UDPHeader.Offset.destinationPort) }
  /// Header and payload, in octets.
  @inlinable public var length: UInt16 { bytes.unchecked16(UDPHeader.Offset.length) }
  /// Zero: none was computed.
  @inlinable public var checksum: UInt16 { bytes.unchecked16(UDPHeader.Offset.checksum) }
  /// What follows the header, cut to the length field when that is possible.
  @inlinable public var payload: RawSpan {
    @_lifetime(copy self) get {
      bytes.window(from: UDPHeader.byteCount, to: length >= 8 ? Int(length) : bytes.byteCount)
    }
  }
}

/// A UDP header.
public struct UDPHeader: WireHeader {
  public var sourcePort: UInt16
  public var destinationPort: UInt16
  /// Header and payload, in octets.
  public var length: UInt16
  /// Zero: none was computed.
  public var checksum: UInt16

  public init(sourcePort: UInt16, destinationPort: UInt16, length: UInt16 = 0, checksum: UInt16 = 0) {
    self.sourcePort = sourcePort
    self.destinationPort = destinationPort
    self.length = length
    self.checksum = checksum
  }

  public static let name = WireProtocol.udp
  @inlinable public static var byteCount: Int { 8 }
  public var byteCount: Int { Self.byteCount }

  /// Where the fields stand, in octets from the start of the header.
  public enum Offset {
    @inlinable public static var sourcePort: Int { 0 }
    @inlinable public static var destinationPort: Int { 2 }
    @inlinable public static var length: Int { 4 }
    @inlinable public static var checksum: Int { 6 }
  }

  public init(_ view: borrowing UDPView) {
    self.init(
      sourcePort: view.sourcePort, destinationPort: view.destinationPort, length: view.length,
      checksum: view.checksum)
  }

  public init(parsing bytes: RawSpan) throws(WireError) { self.init(try UDPView(bytes)) }

  @_lifetime(bytes: copy bytes)
  public func write(into bytes: inout MutableRawSpan, at offset: Int) {
    bytes.store(sourcePort, at: offset + Offset.sourcePort)
    bytes.store(destinationPort, at: offset + Offset.destinationPort)
    bytes.store(length, at: offset + Offset.length)
    bytes.store(checksum, at: offset + Offset.checksum)
  }
}
