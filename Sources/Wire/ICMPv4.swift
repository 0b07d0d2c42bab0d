// ICMP for IPv4. Source: RFC 792; RFC 1191 for the next-hop MTU.
//
//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |     Type      |     Code      |           Checksum            |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |    By type: identifier and sequence, MTU, gateway, pointer    |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

/// A checked view of an ICMPv4 message.
public struct ICMPv4View: ~Escapable {
  public let bytes: RawSpan

  @inlinable @inline(__always) @_lifetime(copy bytes)
  public init(_ bytes: RawSpan) throws(WireError) {
    try bytes.require(ICMPv4Header.byteCount, .icmpv4)
    self.bytes = bytes
  }

  @inlinable public var type: ICMPv4Type { ICMPv4Type(rawValue: bytes.unchecked8(0)) }
  @inlinable public var code: UInt8 { bytes.unchecked8(ICMPv4Header.Offset.code) }
  @inlinable public var checksum: UInt16 { bytes.unchecked16(ICMPv4Header.Offset.checksum) }
  /// The second word, whose meaning the type gives.
  @inlinable public var rest: UInt32 { bytes.unchecked32(ICMPv4Header.Offset.rest) }
  /// What follows the first eight octets: echo data, or the packet that an error is about.
  @inlinable public var payload: RawSpan {
    @_lifetime(copy self) get { bytes.dropping(ICMPv4Header.byteCount) }
  }
}

/// The type of an ICMPv4 message.
public struct ICMPv4Type: RawRepresentable, Hashable, Sendable {
  public var rawValue: UInt8
  @inlinable public init(rawValue: UInt8) { self.rawValue = rawValue }

  @inlinable public static var echoReply: ICMPv4Type { ICMPv4Type(rawValue: 0) }
  @inlinable public static var destinationUnreachable: ICMPv4Type { ICMPv4Type(rawValue: 3) }
  @inlinable public static var sourceQuench: ICMPv4Type { ICMPv4Type(rawValue: 4) }
  @inlinable public static var redirect: ICMPv4Type { ICMPv4Type(rawValue: 5) }
  @inlinable public static var echoRequest: ICMPv4Type { ICMPv4Type(rawValue: 8) }
  @inlinable public static var timeExceeded: ICMPv4Type { ICMPv4Type(rawValue: 11) }
  @inlinable public static var parameterProblem: ICMPv4Type { ICMPv4Type(rawValue: 12) }

  /// Whether the message quotes the packet that it is about.
  public var quotesPacket: Bool {
    switch self {
    case .destinationUnreachable, .sourceQuench, .redirect, .timeExceeded, .parameterProblem: true
    default: false
    }
  }
}

extension ICMPv4Type: CustomStringConvertible {
  public var description: String {
    switch self {
    case .echoReply: "echo-reply"
    case .destinationUnreachable: "destination-unreachable"
    case .sourceQuench: "source-quench"
    case .redirect: "redirect"
    case .echoRequest: "echo-request"
    case .timeExceeded: "time-exceeded"
    case .parameterProblem: "parameter-problem"
    default: String(rawValue)
    }
  }
}

/// The first eight octets of an ICMPv4 message.
public struct ICMPv4Header: WireHeader {
  public var type: ICMPv4Type
  public var code: UInt8
  public var checksum: UInt16
  /// The second word, whose meaning the type gives.
  public var rest: UInt32

  public init(type: ICMPv4Type, code: UInt8 = 0, rest: UInt32 = 0, checksum: UInt16 = 0) {
    self.type = type
    self.code = code
    self.checksum = checksum
    self.rest = rest
  }

  public static let name = WireProtocol.icmpv4
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

  /// Code 4, "fragmentation needed", carries the next hop's MTU in octets.
  public static func destinationUnreachable(code: UInt8, nextHopMTU: UInt16 = 0) -> Self {
    Self(type: .destinationUnreachable, code: code, rest: UInt32(nextHopMTU))
  }

  public static func timeExceeded(code: UInt8 = 0) -> Self { Self(type: .timeExceeded, code: code) }

  /// The identifier of an echo message.
  public var identifier: UInt16 { UInt16(rest >> 16) }
  /// The sequence number of an echo message.
  public var sequence: UInt16 { UInt16(rest & 0xffff) }
  /// The MTU of "fragmentation needed", in octets.
  public var nextHopMTU: UInt16 { UInt16(rest & 0xffff) }

  public init(_ view: borrowing ICMPv4View) {
    self.init(type: view.type, code: view.code, rest: view.rest, checksum: view.checksum)
  }

  public init(parsing bytes: RawSpan) throws(WireError) { self.init(try ICMPv4View(bytes)) }

  @_lifetime(bytes: copy bytes)
  public func write(into bytes: inout MutableRawSpan, at offset: Int) {
    bytes.store(type.rawValue, at: offset + Offset.type)
    bytes.store(code, at: offset + Offset.code)
    bytes.store(checksum, at: offset + Offset.checksum)
    bytes.store(rest, at: offset + Offset.rest)
  }
}
