import Cluster

/// What speaks the protocol that a redirect is about.
///
/// Source: Cilium `pkg/policy/l4.go` (`L7ParserType`).
public enum ProxyParser: String, Hashable, Sendable, CaseIterable { case http, tls, dns, listener }

/// What an entry of `toPorts` asks a proxy to do with the traffic of a peer.
///
/// Source: Cilium `pkg/policy/l4.go` (`createL4Filter`), `pkg/policy/rule.go` (`mergePortProto`).
struct ProxyRedirect: Hashable, Sendable {
  var parser: ProxyParser
  /// Of several redirects the lowest counts: 1…100 as a listener asks, then by parser.
  var priority: UInt8
  /// What may pass; nil restricts nothing.
  var http: [ProxyPermission.HTTP]?
  var dns: [ProxyPermission.Name]?
  /// The names that TLS clients may ask for; empty for any.
  var serverNames: [String] = []
  /// Whether the traffic is decrypted, so that HTTP rules see into it.
  var terminatesTLS = false

  /// The redirect of an entry of `toPorts` for one transport protocol; nil for none.
  ///
  /// - Parameter place: the entry, as `CiliumNetworkPolicy default/a ingress[0].toPorts[1]`.
  init?(_ rule: PortRule, transport: UInt8, place: String) {
    let http = rule.rules?.http ?? []
    let dns = rule.rules?.dns ?? []
    serverNames = rule.serverNames?.map(\.value) ?? []
    terminatesTLS = rule.terminatingTLS != nil
    if let listener = rule.listener {
      parser = .listener
      priority = listener.priority == 0 ? 126 : listener.priority
    } else if !dns.isEmpty {
      (parser, priority) = (.dns, 121)
      self.dns = dns.enumerated().map { index, name in
        ProxyPermission.Name(name, origin: "\(place).rules.dns[\(index)]", at: name.location)
      }
    } else if !http.isEmpty, transport == 6 {
      (parser, priority) = (.http, 101)
      self.http = http.enumerated().map { index, request in
        ProxyPermission.HTTP(
          rule: request, origin: "\(place).rules.http[\(index)]", location: request.location)
      }
    } else if rule.terminatingTLS != nil || rule.originatingTLS != nil || !serverNames.isEmpty {
      (parser, priority) = (.tls, 116)
    } else {
      return nil
    }
  }

  var hasRules: Bool { http != nil || dns != nil }

  /// Lets everything pass that the parser sees: a rule without layer 7 stands beside it.
  mutating func widen(_ origin: String) {
    if http != nil { http?.append(.any(origin)) }
    if dns != nil { dns?.append(.any(origin)) }
  }

  /// Takes another redirect of the same peer and port in.
  ///
  /// - Returns: false when no proxy speaks both protocols; Cilium's agent then gives up on the endpoint's policy.
  mutating func merge(_ other: ProxyRedirect, origin: String, otherOrigin: String) -> Bool {
    if parser != other.parser {
      // What intercepts TLS can look into HTTP as well.
      switch (parser, other.parser) {
      case (.tls, .http): (parser, priority) = (other.parser, other.priority)
      case (.http, .tls): break
      default: return false
      }
    }
    priority = min(priority, other.priority)
    serverNames += other.serverNames.filter { !serverNames.contains($0) }
    terminatesTLS = terminatesTLS || other.terminatesTLS
    if !serverNames.isEmpty, hasRules || other.hasRules, !terminatesTLS { return false }
    switch (hasRules, other.hasRules) {
    case (true, false): widen(otherOrigin)
    case (false, true):
      (http, dns) = (other.http, other.dns)
      widen(origin)
    default:
      http = Self.union(http, other.http)
      dns = Self.union(dns, other.dns)
    }
    return true
  }

  private static func union<Rule: Hashable>(_ a: [Rule]?, _ b: [Rule]?) -> [Rule]? {
    guard let a else { return b }
    return a + (b ?? []).filter { !a.contains($0) }
  }
}

extension ProxyPermission.HTTP {
  /// A rule that every request matches.
  static func any(_ origin: String) -> Self {
    Self(rule: HTTPRule(), origin: origin, location: .none)
  }
}

extension ProxyPermission.Name {
  static func any(_ origin: String) -> Self {
    Self(FQDNSelector(matchPattern: "*"), origin: origin, at: .none)
  }
}
