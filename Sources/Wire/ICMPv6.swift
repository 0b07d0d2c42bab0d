// ICMP for IPv6. Source: RFC 4443, section 2.1; RFC 4861, section 4, for the flags of neighbour discovery.
//
//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |     Type      |     Code      |           Checksum            |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |   By type: identifier and sequence, MTU, pointer, NDP flags   |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

/// A checked view of an ICMPv6 message.
public struct ICMPv6View: ~Escapable {
  public let bytes: RawSpan

  @inlinable @inline(__always) @_lifetime(copy bytes)
  public init(_ bytes: RawSpan) throws(WireError) {
    try bytes.require(ICMPv6Header.byteCount, .icmpv6)
    self.bytes = bytes
  }

  @inlinable public var type: ICMPv6Type { ICMPv6Type(rawValue: bytes.unchecked8(0)) }
  @inlinable public var code: UInt8 { bytes.unchecked8(ICMPv6Header.Offset.code) }
  @inlinable public var checksum: UInt16 { bytes.unchecked16(ICMPv6Header.Offset.checksum) }
  /// The second word, whose meaning the type gives.
  @inlinable public var rest: UInt32 { bytes.unchecked32(ICMPv6Header.Offset.rest) }
  /// What follows the first eight octets.
  @inlinable public var payload: RawSpan {
    @_lifetime(copy self) get { bytes.dropping(ICMPv6Header.byteCount) }
  }
}

/// The type of an ICMPv6 message.
public struct ICMPv6Type: RawRepresentable, Hashable, Sendable {
  public var rawValue: UInt8
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

  @inlinable public static var destinationUnreachable: ICMPv6Type { ICMPv6Type(rawValue: 1) }
  @inlinable public static var packetTooBig: ICMPv6Type { ICMPv6Type(rawValue: 2) }
  @inlinable public static var timeExceeded: ICMPv6Type { ICMPv6Type(rawValue: 3) }
  @inlinable public static var parameterProblem: ICMPv6Type { ICMPv6Type(rawValue: 4) }
  @inlinable public static var echoRequest: ICMPv6Type { ICMPv6Type(rawValue: 128) }
  @inlinable public static var echoReply: ICMPv6Type { ICMPv6Type(rawValue: 129) }
  @inlinable public static var routerSolicitation: ICMPv6Type { ICMPv6Type(rawValue: 133) }
  @inlinable public static var routerAdvertisement: ICMPv6Type { ICMPv6Type(rawValue: 134) }
  @inlinable public static var neighborSolicitation: ICMPv6Type { ICMPv6Type(rawValue: 135) }
  @inlinable public static var neighborAdvertisement: ICMPv6Type { ICMPv6Type(rawValue: 136) }
  @inlinable public static var redirect: ICMPv6Type { ICMPv6Type(rawValue: 137) }

  /// Whether the message quotes the packet that it is about: the error messages, types 1…4.
  public var quotesPacket: Bool { (1...4).contains(rawValue) }

  /// The layer that follows the first eight octets.
  public var next: WireProtocol {
    switch self {
    case .routerSolicitation: .routerSolicitation
    case .routerAdvertisement: .routerAdvertisement
    case .neighborSolicitation, .neighborAdvertisement: .neighbor
    default: quotesPacket ? .ipv6 : .payload
    }
  }
}

extension ICMPv6Type: CustomStringConvertible {
  public var description: String {
    switch self {
    case .destinationUnreachable: "destination-unreachable"
    case .packetTooBig: "packet-too-big"
    case .timeExceeded: "time-exceeded"
    case .parameterProblem: "parameter-problem"
    case .echoRequest: "echo-request"
    case .echoReply: "echo-reply"
    case .routerSolicitation: "router-solicitation"
    case .routerAdvertisement: "router-advertisement"
    case .neighborSolicitation: "neighbor-solicitation"
    case .neighborAdvertisement: "neighbor-advertisement"
    case .redirect: "redirect"
    default: String(rawValue)
    }
  }
}

/// The first eight octets of an ICMPv6 message.
public struct ICMPv6Header: WireHeader {
  public var type: ICMPv6Type
  public var code: UInt8
  public var checksum: UInt16
  /// The second word, whose meaning the type gives.
  public var rest: UInt32

  public init(type: ICMPv6Type, code: UInt8 = 0, rest: UInt32 = 0, checksum: UInt16 = 0) {
    self.type = type
    self.code = code
    self.checksum = checksum
    self.rest = rest
  }

  public static let name = WireProtocol.icmpv6
  @inlinable public static var byteCount: Int { 8 }
  public var byteCount: Int { Self.byteCount }

  /// Where the fields stand, in octets from the start of the message.
  public enum Offset {
    @inlinable public static var type: Int { 0 }
    @inlinable public static var code: Int { 1 }
    @inlinable public static var checksum: Int { 2 }
    @inlinable public static var rest: Int { 4 }
    @inlinable public static var identifier: Int { 4 }
    @inlinable public static var sequence: Int { 6 }
  }

  public static func echoRequest(identifier: UInt16, sequence: UInt16) -> Self {
    Self(type: .echoRequest, rest: UInt32(identifier) << 16 | UInt32(sequence))
  }

  public static func echoReply(identifier: UInt16, sequence: UInt16) -> Self {
    Self(type: .echoReply, rest: UInt32(identifier) << 16 | UInt32(sequence))
  }

  public static func destinationUnreachable(code: UInt8) -> Self {
    Self(type: .destinationUnreachable, code: code)
  }

  /// `mtu` in octets.
  public static func packetTooBig(mtu: UInt32) -> Self { Self(type: .packetTooBig, rest: mtu) }

  public static func timeExceeded(code: UInt8 = 0) -> Self { Self(type: .timeExceeded, code: code) }

  /// The identifier of an echo message.
  public var identifier: UInt16 { UInt16(rest >> 16) }
  /// The sequence number of an echo message.
  public var sequence: UInt16 { UInt16(rest & 0xffff) }
  /// The MTU of "packet too big", in octets.
  public var mtu: UInt32 { rest }

  public init(_ view: borrowing ICMPv6View) {
    self.init(type: view.type, code: view.code, rest: view.rest, checksum: view.checksum)
  }

  public init(parsing bytes: RawSpan) throws(WireError) { self.init(try ICMPv6View(bytes)) }

  @_lifetime(bytes: copy bytes)
  public func write(into bytes: inout MutableRawSpan, at offset: Int) {
    bytes.store(type.rawValue, at: offset + Offset.type)
    bytes.store(code, at: offset + Offset.code)
    bytes.store(checksum, at: offset + Offset.checksum)
    bytes.store(rest, at: offset + Offset.rest)
  }
}
