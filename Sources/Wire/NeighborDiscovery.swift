// Neighbour discovery: what follows the first eight octets of an ICMPv6 message. Source: RFC 4861, section 4.
//
//   neighbour solicitation and advertisement     router advertisement              router solicitation
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+  +-+-+-+-+-+-+-+-+-+-+
//  |           Target (16 octets)          |   | Reachable time (4, ms)        |  |     Options …     |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+   | Retransmission timer (4, ms)  |  +-+-+-+-+-+-+-+-+-+-+
//  |               Options …               |   | Options …                     |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

/// A checked view of the body of a neighbour solicitation or advertisement.
public struct NeighborView: ~Escapable {
  public let bytes: RawSpan

  @inlinable @inline(__always) @_lifetime(copy bytes)
  public init(_ bytes: RawSpan) throws(WireError) {
    try bytes.require(NeighborBody.minimumByteCount, .neighbor, "target")
    self.bytes = bytes
  }

  @inlinable public var target: IPv6Address { bytes.uncheckedIPv6(0) }
  @inlinable public var options: RawSpan {
    @_lifetime(copy self) get { bytes.dropping(NeighborBody.minimumByteCount) }
  }
}

/// The body of a neighbour solicitation or advertisement; an advertisement's flags are in the ICMPv6 header.
public struct NeighborBody: WireHeader {
  public var target: IPv6Address
  public var options: NDPOptions

  public init(target: IPv6Address, options: NDPOptions = []) {
    self.target = target
    self.options = options
  }

  public static let name = WireProtocol.neighbor
  @inlinable public static var minimumByteCount: Int { 16 }
  public var byteCount: Int { Self.minimumByteCount + options.octets.count }

  public init(_ view: borrowing NeighborView) {
    self.init(target: view.target, options: NDPOptions(octets: view.options.array))
  }

  public init(parsing bytes: RawSpan) throws(WireError) { self.init(try NeighborView(bytes)) }

  @_lifetime(bytes: copy bytes)
  public func write(into bytes: inout MutableRawSpan, at offset: Int) {
    bytes.store(target, at: offset)
    bytes.store(options.octets, at: offset + Self.minimumByteCount)
  }
}

/// The body of a router solicitation: options only.
public struct RouterSolicitationBody: WireHeader {
  public var options: NDPOptions

  public init(options: NDPOptions = []) { self.options = options }

  public static let name = WireProtocol.routerSolicitation
  public var byteCount: Int { options.octets.count }

  public init(parsing bytes: RawSpan) throws(WireError) {
    self.init(options: NDPOptions(octets: bytes.array))
  }

  @_lifetime(bytes: copy bytes)
  public func write(into bytes: inout MutableRawSpan, at offset: Int) {
    bytes.store(options.octets, at: offset)
  }
}

/// The body of a router advertisement; hop limit, flags and lifetime are in the ICMPv6 header's second word.
public struct RouterAdvertisementBody: WireHeader {
  /// In milliseconds; 0 leaves it open.
  public var reachableTime: UInt32
  /// In milliseconds; 0 leaves it open.
  public var retransmissionTimer: UInt32
  public var options: NDPOptions

  public init(reachableTime: UInt32 = 0, retransmissionTimer: UInt32 = 0, options: NDPOptions = []) {
    self.reachableTime = reachableTime
    self.retransmissionTimer = retransmissionTimer
    self.options = options
  }

  public static let name = WireProtocol.routerAdvertisement
  @inlinable public static var minimumByteCount: Int { 8 }
  public var byteCount: Int { Self.minimumByteCount + options.octets.count }

  public init(parsing bytes: RawSpan) throws(WireError) {
    try bytes.require(Self.minimumByteCount, .routerAdvertisement)
    self.init(
      reachableTime: bytes.unchecked32(0), retransmissionTimer: bytes.unchecked32(4),
      options: NDPOptions(octets: bytes.dropping(Self.minimumByteCount).array))
  }

  @_lifetime(bytes: copy bytes)
  public func write(into bytes: inout MutableRawSpan, at offset: Int) {
    bytes.store(reachableTime, at: offset)
    bytes.store(retransmissionTimer, at: offset + 4)
    bytes.store(options.octets, at: offset + Self.minimumByteCount)
  }
}

extension ICMPv6Header {
  public static let neighborSolicitation = ICMPv6Header(type: .neighborSolicitation)
  public static let routerSolicitation = ICMPv6Header(type: .routerSolicitation)

  public static func neighborAdvertisement(router: Bool, solicited: Bool, override: Bool) -> Self {
    Self(
      type: .neighborAdvertisement,
      rest: (router ? 1 << 31 : 0) | (solicited ? 1 << 30 : 0) | (override ? 1 << 29 : 0))
  }

  /// `lifetime` in seconds.
  public static func routerAdvertisement(hopLimit: UInt8, flags: UInt8 = 0, lifetime: UInt16) -> Self {
    Self(
      type: .routerAdvertisement, rest: UInt32(hopLimit) << 24 | UInt32(flags) << 16 | UInt32(lifetime))
  }

  /// The R, S and O flags of a neighbour advertisement.
  public var isRouter: Bool { rest >> 31 & 1 == 1 }
  public var isSolicited: Bool { rest >> 30 & 1 == 1 }
  public var isOverride: Bool { rest >> 29 & 1 == 1 }
}
