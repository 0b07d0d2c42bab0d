import Cluster
import Wire

/// Which ports of a protocol.
enum PortSpan: Hashable, Sendable {
  case every
  case range(UInt16, UInt16)
  case named(String)
}

/// A protocol and its ports, and where they were written.
struct Port: Hashable, Sendable {
  /// The IANA number; 0 is every protocol.
  let protocolNumber: UInt8
  let span: PortSpan
  /// `toPorts[0].ports[1]`; empty for a rule without ports.
  let path: String
  let location: SourceLocation
  /// What the entry of `toPorts` asks of layer 7.
  let proxy: ProxyDemand?

  /// How many bits of protocol and port decide: 0 none, 8 the protocol, up to 24 one port.
  ///
  /// Nil when it is about something else. A range counts by the largest aligned block of ports around this one
  /// that lies inside of it: that is how Cilium stores ranges.
  func matchLength(
    _ number: UInt8, _ port: UInt16, _ names: NamedPorts, _ transport: TransportProtocol?
  ) -> Int? {
    if protocolNumber == 0 { return 0 }
    guard protocolNumber == number else { return nil }
    switch span {
    case .every:
      return 8
    case .range(let low, let high):
      guard low <= port, port <= high else { return nil }
      return 24 - Port.blockBits(around: port, from: low, to: high)
    case .named(let name):
      guard let transport, names.port(name, transport) == port else { return nil }
      return 24
    }
  }

  private static func blockBits(around port: UInt16, from low: UInt16, to high: UInt16) -> Int {
    var bits = 0
    while bits < 16 {
      let mask = UInt32(1) << UInt32(bits + 1) - 1
      let first = UInt32(port) & ~mask
      guard first >= low, first | mask <= UInt32(high) else { break }
      bits += 1
    }
    return bits
  }
}

/// Which proxy an entry of `toPorts` sends traffic to.
///
/// Source: Cilium `pkg/policy/l4.go` (`createL4Filter`, `defaultPriority`).
struct ProxyDemand: Hashable, Sendable {
  /// Of several redirects, the one of the lower number wins: 1…100 asked for, then by parser.
  let priority: UInt8
  let kind: ProxyKind
  let rules: L7Permission
}

/// The proxies that policy redirects to.
public enum ProxyKind: String, Hashable, Sendable, CaseIterable {
  case http, tls, dns
  /// An Envoy listener by name.
  case listener
}

/// What a proxy lets pass.
public struct L7Permission: Hashable, Sendable {
  /// Nil where HTTP is not restricted.
  public var http: [HTTPRule]?
  /// Nil where DNS is not restricted.
  public var dns: [FQDNSelector]?
  /// The names that TLS clients may ask for; empty for any.
  public var serverNames: [String]

  public init(http: [HTTPRule]? = nil, dns: [FQDNSelector]? = nil, serverNames: [String] = []) {
    self.http = http
    self.dns = dns
    self.serverNames = serverNames
  }

  /// Everything passes.
  public static let everything = L7Permission()
}

extension PortRule {
  /// The redirect that an entry asks for; nil for none.
  var proxyDemand: ProxyDemand? {
    let names = serverNames?.map(\.value) ?? []
    let permission = L7Permission(http: rules?.http, dns: rules?.dns, serverNames: names)
    if let listener {
      let priority = listener.priority == 0 ? 126 : listener.priority
      return ProxyDemand(priority: priority, kind: .listener, rules: .everything)
    }
    if let dns = rules?.dns, !dns.isEmpty { return ProxyDemand(priority: 121, kind: .dns, rules: permission) }
    if let http = rules?.http, !http.isEmpty {
      return ProxyDemand(priority: 101, kind: .http, rules: permission)
    }
    if terminatingTLS != nil || originatingTLS != nil || !names.isEmpty {
      return ProxyDemand(priority: 116, kind: .tls, rules: permission)
    }
    return nil
  }

  /// The protocols and ports of an entry; ANY is TCP, UDP and SCTP.
  func ports(path: String) -> [Port] {
    let demand = proxyDemand
    return (ports ?? []).enumerated().flatMap { index, entry in
      let numbers = entry.protocol.number.map { [$0] } ?? TransportProtocol.allCases.map(\.number)
      return numbers.map { number in
        // HTTP is looked for in TCP alone; the agent refuses such rules on other protocols.
        let applies = demand?.kind != .http || number == TransportProtocol.tcp.number
        return Port(
          protocolNumber: number, span: PortSpan(entry.port, end: entry.endPort),
          path: "\(path).ports[\(index)]", location: entry.location.or(location),
          proxy: applies ? demand : nil)
      }
    }
  }
}

extension PortSpan {
  /// Port 0 and none are every port; an end that is not past the start makes no range.
  init(_ port: PortReference?, end: UInt16?) {
    switch port {
    case nil, .number(0): self = .every
    case .number(let first): self = .range(first, max(first, end ?? first))
    case .name(let name): self = .named(name)
    }
  }
}

extension ICMPRule {
  /// Type 0 (echo reply) stands for every type: Cilium keeps the type as a port, where 0 is all.
  func ports(path: String) -> [Port] {
    (fields ?? []).enumerated().map { index, field in
      Port(
        protocolNumber: field.family == .ipv4 ? 1 : 58,
        span: field.type == 0 ? .every : .range(UInt16(field.type), UInt16(field.type)),
        path: "\(path).fields[\(index)]", location: field.location.or(location), proxy: nil)
    }
  }
}

extension SourceLocation {
  /// This place, or another where this one is not known.
  func or(_ other: SourceLocation) -> SourceLocation { isKnown ? self : other }
}
