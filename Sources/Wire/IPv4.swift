// IPv4. Source: RFC 791, section 3.1; RFC 2474 and RFC 3168 for the type-of-service octet.
//
//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |Version|  IHL  |   DSCP    |ECN|          Total length         |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |         Identification        |0|D|M|     Fragment offset     |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |  Time to live |    Protocol   |        Header checksum        |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |                             Source                            |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |                          Destination                          |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |                    Options, 0 … 40 octets                     |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

/// A checked view of an IPv4 packet.
///
/// Checked: version 4, IHL at least 5, the whole header inside. The total length is *not*: a packet cut by a
/// capture or quoted in an ICMP error claims more than is there, an offloaded one may claim 0.
public struct IPv4View: ~Escapable {
  public let bytes: RawSpan
  /// In octets, 20…60.
  public let headerLength: Int

  @inlinable @inline(__always) @_lifetime(copy bytes)
  public init(_ bytes: RawSpan) throws(WireError) {
    try bytes.require(IPv4Header.minimumByteCount, .ipv4)
    let first = bytes.unchecked8(0)
    guard first >> 4 == 4 else {
      throw .invalid(.ipv4, "version", needed: "4", had: UInt64(first >> 4))
    }
    let length = Int(first & 15) * 4
    guard length >= IPv4Header.minimumByteCount else {
      throw .invalid(.ipv4, "headerLength", needed: "at least 20", had: UInt64(length))
    }
    try bytes.require(length, .ipv4, "options")
    self.bytes = bytes
    headerLength = length
  }

  /// Checks only that the 20 fixed octets are there, as a datapath does that trusts the stack for the rest;
  /// `headerLength` is then what IHL says (0…60), cut to the bytes that there are.
  @inlinable @inline(__always) @_lifetime(copy bytes)
  public init(fixedPartOf bytes: RawSpan) throws(WireError) {
    try bytes.require(IPv4Header.minimumByteCount, .ipv4)
    self.bytes = bytes
    headerLength = min(Int(bytes.unchecked8(0) & 15) * 4, bytes.byteCount)
  }

  @inlinable public var typeOfService: UInt8 { bytes.unchecked8(IPv4Header.Offset.typeOfService) }
  @inlinable public var totalLength: UInt16 { bytes.unchecked16(IPv4Header.Offset.totalLength) }
  @inlinable public var identification: UInt16 { bytes.unchecked16(IPv4Header.Offset.identification) }
  @inlinable public var flags: IPv4Flags {
    IPv4Flags(rawValue: bytes.unchecked8(IPv4Header.Offset.fragment) >> 5)
  }
  /// In units of eight octets, 0…8191.
  @inlinable public var fragmentOffset: UInt16 { bytes.unchecked16(IPv4Header.Offset.fragment) & 0x1fff }
  @inlinable public var timeToLive: UInt8 { bytes.unchecked8(IPv4Header.Offset.timeToLive) }
  @inlinable public var `protocol`: IPProtocol {
    IPProtocol(rawValue: bytes.unchecked8(IPv4Header.Offset.protocol))
  }
  @inlinable public var checksum: UInt16 { bytes.unchecked16(IPv4Header.Offset.checksum) }
  @inlinable public var source: IPv4Address { bytes.uncheckedIPv4(IPv4Header.Offset.source) }
  @inlinable public var destination: IPv4Address { bytes.uncheckedIPv4(IPv4Header.Offset.destination) }
  /// Whether the packet is a fragment, the first one included.
  @inlinable public var isFragment: Bool { bytes.unchecked16(IPv4Header.Offset.fragment) & 0x3fff != 0 }

  /// Empty, or 4…40 octets.
  @inlinable public var options: RawSpan {
    @_lifetime(copy self) get { bytes.window(from: IPv4Header.minimumByteCount, to: headerLength) }
  }
  /// What follows the header, without Ethernet padding when the total length tells it apart.
  @inlinable public var payload: RawSpan {
    @_lifetime(copy self) get {
      let total = Int(totalLength)
      let end = total >= headerLength && total <= bytes.byteCount ? total : bytes.byteCount
      return bytes.window(from: headerLength, to: end)
    }
  }
  /// Whether the header sums to what its checksum says.
  public var hasValidChecksum: Bool { Checksum(bytes.window(from: 0, to: headerLength)).folded == 0xffff }
}

/// The three flag bits of an IPv4 header.
public struct IPv4Flags: OptionSet, Hashable, Sendable {
  public var rawValue: UInt8
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

  @inlinable public static var moreFragments: IPv4Flags { IPv4Flags(rawValue: 1) }
  @inlinable public static var dontFragment: IPv4Flags { IPv4Flags(rawValue: 2) }
  @inlinable public static var reserved: IPv4Flags { IPv4Flags(rawValue: 4) }
}

/// An IPv4 header.
public struct IPv4Header: WireHeader {
  public var typeOfService: UInt8
  /// Header and payload, in octets.
  public var totalLength: UInt16
  public var identification: UInt16
  public var flags: IPv4Flags
  /// In units of eight octets, 0…8191.
  public var fragmentOffset: UInt16
  public var timeToLive: UInt8
  public var `protocol`: IPProtocol
  public var checksum: UInt16
  public var source: IPv4Address
  public var destination: IPv4Address
  public var options: IPv4Options

  public init(
    source: IPv4Address, destination: IPv4Address, protocol: IPProtocol = .reserved, timeToLive: UInt8 = 64,
    identification: UInt16 = 0, flags: IPv4Flags = [], fragmentOffset: UInt16 = 0, typeOfService: UInt8 = 0,
    options: IPv4Options = [], totalLength: UInt16 = 0, checksum: UInt16 = 0
  ) {
    self.typeOfService = typeOfService
    self.totalLength = totalLength
    self.identification = identification
    self.flags = flags
    self.fragmentOffset = fragmentOffset
    self.timeToLive = timeToLive
    self.protocol = `protocol`
    self.checksum = checksum
    self.source = source
    self.destination = destination
    self.options = options
  }

  public static let name = WireProtocol.ipv4
  @inlinable public static var minimumByteCount: Int { 20 }
  public var byteCount: Int { Self.minimumByteCount + options.octets.count }

  /// Where the fields stand, in octets from the start of the header.
  public enum Offset {
    @inlinable public static var typeOfService: Int { 1 }
    @inlinable public static var totalLength: Int { 2 }
    @inlinable public static var identification: Int { 4 }
    @inlinable public static var fragment: Int { 6 }
    @inlinable public static var timeToLive: Int { 8 }
    @inlinable public static var `protocol`: Int { 9 }
    @inlinable public static var checksum: Int { 10 }
    @inlinable public static var source: Int { 12 }
    @inlinable public static var destination: Int { 16 }
    @inlinable public static var options: Int { 20 }
  }

  public init(_ view: borrowing IPv4View) {
    self.init(
      source: view.source, destination: view.destination, protocol: view.protocol,
      timeToLive: view.timeToLive, identification: view.identification, flags: view.flags,
      fragmentOffset: view.fragmentOffset, typeOfService: view.typeOfService,
      options: IPv4Options(octets: view.options.array), totalLength: view.totalLength,
      checksum: view.checksum)
  }

  public init(parsing bytes: RawSpan) throws(WireError) { self.init(try IPv4View(bytes)) }

  public func validate() throws(WireError) {
    try Self.check(options: options.octets, unit: 4, atMost: 40)
    try Self.check(flags.rawValue, "flags", atMost: 7)
    try Self.check(fragmentOffset, "fragmentOffset", atMost: 0x1fff)
  }

  @_lifetime(bytes: copy bytes)
  public func write(into bytes: inout MutableRawSpan, at offset: Int) {
    bytes.store(UInt8(truncatingIfNeeded: 0x40 | byteCount / 4 & 15), at: offset)
    bytes.store(typeOfService, at: offset + Offset.typeOfService)
    bytes.store(totalLength, at: offset + Offset.totalLength)
    bytes.store(identification, at: offset + Offset.identification)
    bytes.store(UInt16(flags.rawValue) << 13 | fragmentOffset & 0x1fff, at: offset + Offset.fragment)
    bytes.store(timeToLive, at: offset + Offset.timeToLive)
    bytes.store(`protocol`.rawValue, at: offset + Offset.protocol)
    bytes.store(checksum, at: offset + Offset.checksum)
    bytes.store(source, at: offset + Offset.source)
    bytes.store(destination, at: offset + Offset.destination)
    bytes.store(options.octets, at: offset + Offset.options)
  }

  /// What the checksum has to be for the other fields as they stand.
  public func computedChecksum() throws(WireError) -> UInt16 {
    var header = self
    header.checksum = 0
    return Checksum(try header.octets()).complement
  }
}
