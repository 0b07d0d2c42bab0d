// What IPv6's extension headers have in common: the next header first, and a length that can be walked.
// Source: RFC 8200, section 4; RFC 4302 (authentication).
//
//  +--------+--------+--------+--------+
//  |  Next  | Length |    By kind …    |
//  +--------+--------+--------+--------+

/// A checked view of any IPv6 extension header and what follows it.
///
/// Enough to walk the chain: `while let kind = IPv6ExtensionKind(next) { … next = view.nextHeader }`.
public struct IPv6ExtensionView: ~Escapable {
  public let bytes: RawSpan
  public let kind: IPv6ExtensionKind
  /// The length of this header in octets, at least 8.
  public let headerLength: Int

  @inlinable @inline(__always) @_lifetime(copy bytes)
  public init(_ kind: IPv6ExtensionKind, _ bytes: RawSpan) throws(WireError) {
    let name = kind.protocol.next
    try bytes.require(8, name)
    let units = Int(bytes.unchecked8(1))
    let length =
      switch kind {
      case .fragment: 8
      case .authentication: (units + 2) * 4
      case .hopByHop, .routing, .destinationOptions: (units + 1) * 8
      }
    try bytes.require(length, name, "length")
    self.bytes = bytes
    self.kind = kind
    headerLength = length
  }

  @inlinable public var nextHeader: IPProtocol { IPProtocol(rawValue: bytes.unchecked8(0)) }
  /// Of a fragment header, in units of eight octets; 0 for the others.
  @inlinable public var fragmentOffset: UInt16 { kind == .fragment ? bytes.unchecked16(2) >> 3 : 0 }
  /// Of a fragment header; false for the others.
  @inlinable public var moreFragments: Bool { kind == .fragment && bytes.unchecked16(2) & 1 == 1 }
  @inlinable public var payload: RawSpan {
    @_lifetime(copy self) get { bytes.dropping(headerLength) }
  }
}

/// The extension headers that this module reads.
public enum IPv6ExtensionKind: UInt8, Hashable, Sendable, CaseIterable {
  case hopByHop = 0
  case routing = 43
  case fragment = 44
  case authentication = 51
  case destinationOptions = 60

  /// Nil when `protocol` is not an extension header: an upper layer follows.
  @inlinable
  public init?(_ protocol: IPProtocol) { self.init(rawValue: `protocol`.rawValue) }

  @inlinable
  public var `protocol`: IPProtocol { IPProtocol(rawValue: rawValue) }
}

/// An IPv6 extension header of any kind.
public enum IPv6ExtensionHeader: Hashable, Sendable {
  case hopByHop(IPv6OptionsHeader)
  case routing(IPv6RoutingHeader)
  case fragment(IPv6FragmentHeader)
  case authentication(AuthenticationHeader)
  case destinationOptions(IPv6OptionsHeader)

  public var kind: IPv6ExtensionKind {
    switch self {
    case .hopByHop: .hopByHop
    case .routing: .routing
    case .fragment: .fragment
    case .authentication: .authentication
    case .destinationOptions: .destinationOptions
    }
  }

  public init(_ kind: IPv6ExtensionKind, parsing bytes: RawSpan) throws(WireError) {
    let view = try IPv6ExtensionView(kind, bytes)
    switch kind {
    case .hopByHop: self = .hopByHop(IPv6OptionsHeader(view))
    case .routing: self = .routing(IPv6RoutingHeader(view))
    case .fragment: self = .fragment(IPv6FragmentHeader(view))
    case .authentication: self = .authentication(try AuthenticationHeader(view))
    case .destinationOptions: self = .destinationOptions(IPv6OptionsHeader(view))
    }
  }

  public var nextHeader: IPProtocol {
    get {
      switch self {
      case .hopByHop(let header), .destinationOptions(let header): header.nextHeader
      case .routing(let header): header.nextHeader
      case .fragment(let header): header.nextHeader
      case .authentication(let header): header.nextHeader
      }
    }
    set {
      switch self {
      case .hopByHop(var header):
        header.nextHeader = newValue
        self = .hopByHop(header)
      case .destinationOptions(var header):
        header.nextHeader = newValue
        self = .destinationOptions(header)
      case .routing(var header):
        header.nextHeader = newValue
        self = .routing(header)
      case .fragment(var header):
        header.nextHeader = newValue
        self = .fragment(header)
      case .authentication(var header):
        header.nextHeader = newValue
        self = .authentication(header)
      }
    }
  }
}
