/// The number in IPv4's protocol and IPv6's next-header field. Source: IANA "Protocol Numbers".
public struct IPProtocol: RawRepresentable, Hashable, Sendable {
  public var rawValue: UInt8
  @inlinable
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  @inlinable public static var hopByHop: IPProtocol { IPProtocol(rawValue: 0) }
  @inlinable public static var icmpv4: IPProtocol { IPProtocol(rawValue: 1) }
  @inlinable public static var ipv4: IPProtocol { IPProtocol(rawValue: 4) }
  @inlinable public static var tcp: IPProtocol { IPProtocol(rawValue: 6) }
  @inlinable public static var udp: IPProtocol { IPProtocol(rawValue: 17) }
  @inlinable public static var ipv6: IPProtocol { IPProtocol(rawValue: 41) }
  @inlinable public static var routing: IPProtocol { IPProtocol(rawValue: 43) }
  @inlinable public static var fragment: IPProtocol { IPProtocol(rawValue: 44) }
  @inlinable public static var esp: IPProtocol { IPProtocol(rawValue: 50) }
  @inlinable public static var authentication: IPProtocol { IPProtocol(rawValue: 51) }
  @inlinable public static var icmpv6: IPProtocol { IPProtocol(rawValue: 58) }
  @inlinable public static var noNextHeader: IPProtocol { IPProtocol(rawValue: 59) }
  @inlinable public static var destinationOptions: IPProtocol { IPProtocol(rawValue: 60) }
  @inlinable public static var sctp: IPProtocol { IPProtocol(rawValue: 132) }
  /// Not assigned; stands in a header whose payload is not known yet.
  @inlinable public static var reserved: IPProtocol { IPProtocol(rawValue: 255) }

  /// The layer that a header with this number announces.
  public var next: WireProtocol {
    switch self {
    case .hopByHop: .hopByHop
    case .icmpv4: .icmpv4
    case .ipv4: .ipv4
    case .tcp: .tcp
    case .udp: .udp
    case .ipv6: .ipv6
    case .routing: .routing
    case .fragment: .fragment
    case .authentication: .authentication
    case .icmpv6: .icmpv6
    case .destinationOptions: .destinationOptions
    case .sctp: .sctp
    default: .payload
    }
  }
}

extension IPProtocol: CustomStringConvertible {
  public var description: String {
    switch self {
    case .esp: "esp"
    case .noNextHeader: "none"
    default: next == .payload ? String(rawValue) : next.rawValue
    }
  }
}
