import Cluster
import Wire

/// What a packet carries past IP, as policies tell it apart.
public enum Transport: Hashable, Sendable {
  case tcp(UInt16)
  case udp(UInt16)
  case sctp(UInt16)
  /// ICMP of the conversation's address family. Policies go by the type; the code tells a message that is too
  /// large for the path from others.
  case icmp(type: UInt8, code: UInt8 = 0)
  /// Any other protocol, by its IANA number.
  case other(UInt8)

  public init(_ transport: TransportProtocol, _ port: UInt16) {
    switch transport {
    case .tcp: self = .tcp(port)
    case .udp: self = .udp(port)
    case .sctp: self = .sctp(port)
    }
  }

  /// The IANA protocol number.
  public func number(_ family: AddressFamily) -> UInt8 {
    switch self {
    case .tcp: 6
    case .udp: 17
    case .sctp: 132
    case .icmp: family == .ipv4 ? 1 : 58
    case .other(let number): number
    }
  }

  /// What stands in the place of a destination port: the ICMP type for ICMP.
  public var port: UInt16 {
    switch self {
    case .tcp(let port), .udp(let port), .sctp(let port): port
    case .icmp(let type, _): UInt16(type)
    case .other: 0
    }
  }

  /// The protocol whose named ports count; nil for those without ports.
  public var named: TransportProtocol? {
    switch self {
    case .tcp: .tcp
    case .udp: .udp
    case .sctp: .sctp
    case .icmp, .other: nil
    }
  }
}

extension Transport: CustomStringConvertible {
  /// `80/TCP`, `ICMP type 8`, `protocol 47`.
  public var description: String {
    switch self {
    case .tcp(let port): "\(port)/TCP"
    case .udp(let port): "\(port)/UDP"
    case .sctp(let port): "\(port)/SCTP"
    case .icmp(let type, _): "ICMP type \(type)"
    case .other(let number): "protocol \(number)"
    }
  }
}

/// A new conversation: who opens it, to whom, on what.
///
/// The port is the one that the destination receives: a service's has been translated to the backend's.
public struct Traffic: Hashable, Sendable {
  public var from: Subject
  public var to: Subject
  public var transport: Transport
  public var family: AddressFamily

  public init(from: Subject, to: Subject, _ transport: Transport, family: AddressFamily = .ipv4) {
    self.from = from
    self.to = to
    self.transport = transport
    self.family = family
  }
}
