/// The number in IPv4's protocol and IPv6's next-header field. Source: IANA "Protocol Numbers".
public struct IPProtocol: RawRepresentable, Hashable, Sendable {
  public var rawValue: UInt8
  @inlinable
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  public static let hopByHop = IPProtocol(rawValue: 0)
  public static let icmpv4 = IPProtocol(rawValue: 1)
  public static let ipv4 = IPProtocol(rawValue: 4)
  public static let tcp = IPProtocol(rawValue: 6)
  public static let udp = IPProtocol(rawValue: 17)
  public static let ipv6 = IPProtocol(rawValue: 41)
  public static let routing = IPProtocol(rawValue: 43)
  public static let fragment = IPProtocol(rawValue: 44)
  public static let esp = IPProtocol(rawValue: 50)
  public static let authentication = IPProtocol(rawValue: 51)
  public static let icmpv6 = IPProtocol(rawValue: 58)
  public static let noNextHeader = IPProtocol(rawValue: 59)
  public static let destinationOptions = IPProtocol(rawValue: 60)
  public static let sctp = IPProtocol(rawValue: 132)
  /// Not assigned; stands in a header whose payload is not known yet.
  public static let reserved = IPProtocol(rawValue: 255)

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
