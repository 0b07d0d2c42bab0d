/// Why bytes are not the header that they were taken for, or why a header has no wire form.
public enum WireError: Error, Hashable, Sendable {
  /// The bytes end too early: `field` (or, for a fixed header, "header") needs `needed` octets from the start of
  /// the header, and there were `had`.
  case truncated(WireProtocol, field: String, needed: Int, had: Int)
  /// The field holds a value that the format excludes; `needed` says what is possible.
  case invalid(WireProtocol, field: String, needed: String, had: UInt64)
  /// The buffer to write into has `had` octets at that place, and the header takes `needed`.
  case noRoom(WireProtocol, needed: Int, had: Int)
}

extension WireError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .truncated(let name, let field, let needed, let had):
      "\(name).\(field): needs \(needed) octets, had \(had)"
    case .invalid(let name, let field, let needed, let had):
      "\(name).\(field): needs \(needed), had \(had)"
    case .noRoom(let name, let needed, let had):
      "\(name): needs room for \(needed) octets, had \(had)"
    }
  }
}

/// What a header, or what follows one, can be. The raw value is the name used in messages and differences.
public enum WireProtocol: String, Hashable, Sendable, CaseIterable {
  case ethernet, linuxCooked, vlan, arp
  case ipv4, ipv6, hopByHop, routing, fragment, authentication, destinationOptions
  case icmpv4, icmpv6, neighbor, routerSolicitation, routerAdvertisement
  case tcp, udp, sctp
  /// The start of a transport header, quoted in an ICMP error.
  case ports
  case vxlan, geneve
  /// Octets that no header here describes.
  case payload
  /// Octets after the end that a header declares: Ethernet padding, mostly.
  case trailer
}

extension WireProtocol: CustomStringConvertible {
  public var description: String { rawValue }
}
