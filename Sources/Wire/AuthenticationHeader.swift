// Authentication header. Source: RFC 4302, section 2.
//
//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |  Next header  |  Length (−2)  |           Reserved            |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |                Security parameters index (SPI)                |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |                        Sequence number                        |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |          Integrity check value, in words of 4 octets          |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

/// An IPsec authentication header, over IPv4 or IPv6.
public struct AuthenticationHeader: WireHeader {
  public var nextHeader: IPProtocol
  public var reserved: UInt16
  public var spi: UInt32
  public var sequence: UInt32
  /// A multiple of four octets, at most 1016.
  public var integrityCheckValue: [UInt8]

  public init(
    spi: UInt32, sequence: UInt32, integrityCheckValue: [UInt8], nextHeader: IPProtocol = .noNextHeader,
    reserved: UInt16 = 0
  ) {
    self.nextHeader = nextHeader
    self.reserved = reserved
    self.spi = spi
    self.sequence = sequence
    self.integrityCheckValue = integrityCheckValue
  }

  public static let name = WireProtocol.authentication
  @inlinable public static var minimumByteCount: Int { 12 }
  public var byteCount: Int { Self.minimumByteCount + integrityCheckValue.count }

  init(_ view: borrowing IPv6ExtensionView) throws(WireError) {
    guard view.headerLength >= Self.minimumByteCount else {
      throw .invalid(Self.name, field: "length", needed: "at least 1", had: UInt64(view.bytes.unchecked8(1)))
    }
    self.init(
      spi: view.bytes.unchecked32(4), sequence: view.bytes.unchecked32(8),
      integrityCheckValue: view.bytes.window(from: Self.minimumByteCount, to: view.headerLength).array,
      nextHeader: view.nextHeader, reserved: view.bytes.unchecked16(2))
  }

  public init(parsing bytes: RawSpan) throws(WireError) {
    try self.init(try IPv6ExtensionView(.authentication, bytes))
  }

  public func validate() throws(WireError) {
    try Self.check(options: integrityCheckValue, unit: 4, atMost: 1016)
  }

  @_lifetime(bytes: copy bytes)
  public func write(into bytes: inout MutableRawSpan, at offset: Int) {
    bytes.store(nextHeader.rawValue, at: offset)
    bytes.store(UInt8(truncatingIfNeeded: byteCount / 4 - 2), at: offset + 1)
    bytes.store(reserved, at: offset + 2)
    bytes.store(spi, at: offset + 4)
    bytes.store(sequence, at: offset + 8)
    bytes.store(integrityCheckValue, at: offset + Self.minimumByteCount)
  }
}
