// SCTP's common header. Source: RFC 9260, section 3.1.
//
//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |          Source port          |       Destination port        |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |                       Verification tag                        |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |               Checksum (CRC32c, little-endian)                |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

/// A checked view of an SCTP packet's common header.
public struct SCTPView: ~Escapable {
  public let bytes: RawSpan

  @inlinable @inline(__always) @_lifetime(copy bytes)
  public init(_ bytes: RawSpan) throws(WireError) {
    try bytes.require(SCTPHeader.byteCount, .sctp)
    self.bytes = bytes
  }

  @inlinable public var sourcePort: UInt16 { bytes.unchecked16(SCTPHeader.Offset.sourcePort) }
  @inlinable public var destinationPort: UInt16 { bytes.unchecked16(SCTPHeader.Offset.destinationPort) }
  @inlinable public var verificationTag: UInt32 { bytes.unchecked32(SCTPHeader.Offset.verificationTag) }
  /// The CRC as a number; on the wire it stands least significant octet first.
  @inlinable public var checksum: UInt32 { bytes.unchecked32(SCTPHeader.Offset.checksum).byteSwapped }
  /// The chunks.
  @inlinable public var payload: RawSpan {
    @_lifetime(copy self) get { bytes.dropping(SCTPHeader.byteCount) }
  }

  /// What the checksum has to be: the CRC over the packet with four zeros in the checksum's place.
  public var computedChecksum: UInt32 {
    var crc = CRC32C.update(0xffff_ffff, bytes.window(from: 0, to: SCTPHeader.Offset.checksum))
    let zeros: [UInt8] = [0, 0, 0, 0]
    crc = CRC32C.update(crc, zeros.span.bytes)
    return ~CRC32C.update(crc, payload)
  }
}

/// An SCTP common header.
public struct SCTPHeader: WireHeader {
  public var sourcePort: UInt16
  public var destinationPort: UInt16
  public var verificationTag: UInt32
  /// The CRC as a number; on the wire it stands least significant octet first.
  public var checksum: UInt32

  public init(sourcePort: UInt16, destinationPort: UInt16, verificationTag: UInt32, checksum: UInt32 = 0) {
    self.sourcePort = sourcePort
    self.destinationPort = destinationPort
    self.verificationTag = verificationTag
    self.checksum = checksum
  }

  public static let name = WireProtocol.sctp
  @inlinable public static var byteCount: Int { 12 }
  public var byteCount: Int { Self.byteCount }

  /// Where the fields stand, in octets from the start of the header.
  public enum Offset {
    @inlinable public static var sourcePort: Int { 0 }
    @inlinable public static var destinationPort: Int { 2 }
    @inlinable public static var verificationTag: Int { 4 }
    @inlinable public static var checksum: Int { 8 }
  }

  public init(_ view: borrowing SCTPView) {
    self.init(
      sourcePort: view.sourcePort, destinationPort: view.destinationPort,
      verificationTag: view.verificationTag, checksum: view.checksum)
  }

  public init(parsing bytes: RawSpan) throws(WireError) { self.init(try SCTPView(bytes)) }

  @_lifetime(bytes: copy bytes)
  public func write(into bytes: inout MutableRawSpan, at offset: Int) {
    bytes.store(sourcePort, at: offset + Offset.sourcePort)
    bytes.store(destinationPort, at: offset + Offset.destinationPort)
    bytes.store(verificationTag, at: offset + Offset.verificationTag)
    bytes.store(checksum.byteSwapped, at: offset + Offset.checksum)
  }
}
