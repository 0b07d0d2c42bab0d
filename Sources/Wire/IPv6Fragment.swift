// Fragment header. Source: RFC 8200, section 4.5.
//
//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |  Next header  |   Reserved    |     Fragment offset     |Res|M|
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |                        Identification                         |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

/// An IPv6 fragment header.
public struct IPv6FragmentHeader: WireHeader {
  public var nextHeader: IPProtocol
  /// In units of eight octets, 0…8191.
  public var fragmentOffset: UInt16
  public var moreFragments: Bool
  public var identification: UInt32
  /// The octet after the next header.
  public var reserved: UInt8
  /// The two bits before the M flag.
  public var reservedBits: UInt8

  public init(
    fragmentOffset: UInt16, moreFragments: Bool, identification: UInt32,
    nextHeader: IPProtocol = .noNextHeader, reserved: UInt8 = 0, reservedBits: UInt8 = 0
  ) {
    self.nextHeader = nextHeader
    self.fragmentOffset = fragmentOffset
    self.moreFragments = moreFragments
    self.identification = identification
    self.reserved = reserved
    self.reservedBits = reservedBits
  }

  public static let name = WireProtocol.fragment
  @inlinable public static var byteCount: Int { 8 }
  public var byteCount: Int { Self.byteCount }

  init(_ view: borrowing IPv6ExtensionView) {
    self.init(
      fragmentOffset: view.fragmentOffset, moreFragments: view.moreFragments,
      identification: view.bytes.unchecked32(4), nextHeader: view.nextHeader,
      reserved: view.bytes.unchecked8(1), reservedBits: view.bytes.unchecked8(3) >> 1 & 3)
  }

  public init(parsing bytes: RawSpan) throws(WireError) {
    self.init(try IPv6ExtensionView(.fragment, bytes))
  }

  public func validate() throws(WireError) {
    try Self.check(fragmentOffset, "fragmentOffset", atMost: 0x1fff)
    try Self.check(reservedBits, "reservedBits", atMost: 3)
  }

  @_lifetime(bytes: copy bytes)
  public func write(into bytes: inout MutableRawSpan, at offset: Int) {
    bytes.store(nextHeader.rawValue, at: offset)
    bytes.store(reserved, at: offset + 1)
    bytes.store(
      fragmentOffset << 3 | UInt16(reservedBits & 3) << 1 | (moreFragments ? 1 : 0), at: offset + 2)
    bytes.store(identification, at: offset + 4)
  }
}
