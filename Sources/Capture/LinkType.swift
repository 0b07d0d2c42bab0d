/// What a captured frame starts with: the link-layer header type of a capture file.
///
/// Source: the tcpdump.org list of link-layer header types (LINKTYPE_*).
public struct LinkType: RawRepresentable, Hashable, Sendable {
  public var rawValue: UInt32

  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// BSD loopback: a four-octet address family in the byte order of the machine that captured.
  public static let null = LinkType(rawValue: 0)
  public static let ethernet = LinkType(rawValue: 1)
  /// The packet starts with an IPv4 or IPv6 header.
  public static let raw = LinkType(rawValue: 101)
  /// OpenBSD loopback: as `null`, always in network byte order.
  public static let loop = LinkType(rawValue: 108)
  /// Linux "cooked" capture, version 1: sixteen octets, protocol last.
  public static let linuxSLL = LinkType(rawValue: 113)
  public static let ipv4 = LinkType(rawValue: 228)
  public static let ipv6 = LinkType(rawValue: 229)
  /// Linux "cooked" capture, version 2: twenty octets, protocol first.
  public static let linuxSLL2 = LinkType(rawValue: 276)
}

extension LinkType: CustomStringConvertible {
  public var description: String {
    switch self {
    case .null: "null"
    case .ethernet: "ethernet"
    case .raw: "raw"
    case .loop: "loop"
    case .linuxSLL: "linux-sll"
    case .ipv4: "ipv4"
    case .ipv6: "ipv6"
    case .linuxSLL2: "linux-sll2"
    default: "link type \(rawValue)"
    }
  }
}

/// Which way a packet crossed the interface that saw it.
public enum PacketDirection: UInt8, Hashable, Sendable {
  case unknown = 0
  case inbound = 1
  case outbound = 2
}
