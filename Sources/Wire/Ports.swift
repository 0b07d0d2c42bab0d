// The ports that TCP, UDP and SCTP have in the same place. Source: RFC 9293, RFC 768, RFC 9260.
//
//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |          Source port          |       Destination port        |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

/// A checked view of the two ports at the start of a TCP, UDP or SCTP header; no more of it need be there.
public struct PortsView: ~Escapable {
  public let bytes: RawSpan

  @inlinable @inline(__always) @_lifetime(copy bytes)
  public init(_ bytes: RawSpan) throws(WireError) {
    try bytes.require(PortsHeader.byteCount, .ports)
    self.bytes = bytes
  }

  @inlinable public var sourcePort: UInt16 { bytes.unchecked16(PortsHeader.Offset.sourcePort) }
  @inlinable public var destinationPort: UInt16 { bytes.unchecked16(PortsHeader.Offset.destinationPort) }
}

/// The ports of a transport header that an ICMP error quotes only the start of (RFC 792: eight octets).
public struct PortsHeader: WireHeader {
  public var sourcePort: UInt16
  public var destinationPort: UInt16

  public init(sourcePort: UInt16, destinationPort: UInt16) {
    self.sourcePort = sourcePort
    self.destinationPort = destinationPort
  }

  public static let name = WireProtocol.ports
  @inlinable public static var byteCount: Int { 4 }
  public var byteCount: Int { Self.byteCount }

  /// Where the fields stand, in octets from the start of the header.
  public enum Offset {
    @inlinable public static var sourcePort: Int { 0 }
    @inlinable public static var destinationPort: Int { 2 }
  }

  public init(_ view: borrowing PortsView) {
    self.init(sourcePort: view.sourcePort, destinationPort: view.destinationPort)
  }

  public init(parsing bytes: RawSpan) throws(WireError) { self.init(try PortsView(bytes)) }

  @_lifetime(bytes: copy bytes)
  public func write(into bytes: inout MutableRawSpan, at offset: Int) {
    bytes.store(sourcePort, at: offset + Offset.sourcePort)
    bytes.store(destinationPort, at: offset + Offset.destinationPort)
  }
}
