public import Cluster

/// What a proxy is told of one endpoint: for each direction and port, which peers may do what.
///
/// Source: Cilium `pkg/envoy/xds_server.go` (`getDirectionNetworkPolicy`), `pkg/fqdn/dnsproxy/proxy.go`
/// (`setPortRulesForID`).
public struct ProxyPolicy: Hashable, Sendable {
  /// The peers and ports that one filter of the policy is about.
  public struct Entry: Hashable, Sendable {
    public var isIngress: Bool
    /// The IANA number; 0 for every protocol.
    public var transport: UInt8
    /// nil for every port.
    public var ports: ClosedRange<UInt16>?
    /// nil for everyone.
    public var identities: Set<UInt32>?
    /// Entries of another priority than the one that decides are not asked.
    var level: UInt32
    public var isDeny: Bool
    public var permission: ProxyPermission
  }

  public internal(set) var entries: [Entry] = []

  public init() {}

  /// What a peer's traffic to a port may do; the proxy lets pass what any of them does.
  ///
  /// Envoy asks entries for every port as well; the DNS proxy those for the very port.
  public func permissions(
    isIngress: Bool, transport: UInt8, port: UInt16, identity: UInt32, parser: ProxyParser
  ) -> [ProxyPermission] {
    let found = entries.filter { entry in
      guard entry.isIngress == isIngress, entry.identities?.contains(identity) ?? true else { return false }
      if parser == .dns {
        return entry.transport == transport && entry.ports?.lowerBound == port
          && entry.ports?.upperBound == port
      }
      guard entry.transport == transport || entry.transport == 0 else { return false }
      return entry.ports?.contains(port) ?? true
    }
    guard let level = found.map(\.level).max() else { return [] }
    return found.filter { $0.level == level && !$0.isDeny }.map(\.permission)
  }
}

/// What a peer may do at layer 7.
public struct ProxyPermission: Hashable, Sendable {
  /// A request that may pass, and the rule that says so.
  public struct HTTP: Hashable, Sendable {
    public var rule: HTTPRule
    public var origin: String
    public var location: SourceLocation
  }

  /// A name that may be asked for.
  public struct Name: Hashable, Sendable {
    public var pattern: DNSPattern
    public var origin: String
    public var location: SourceLocation

    init(_ selector: FQDNSelector, origin: String, at location: SourceLocation) {
      pattern = DNSPattern(selector)
      self.origin = origin
      self.location = location
    }
  }

  /// nil where no rule looks at HTTP.
  public var http: [HTTP]?
  public var dns: [Name]?
  public var serverNames: [String] = []
  /// The policy behind it.
  public var origin: String

  /// Whether nothing is looked at.
  public var isUnrestricted: Bool { http == nil && dns == nil && serverNames.isEmpty }
}

extension [ProxyPermission] {
  /// The rule that lets a DNS query pass; nil when none does.
  public func rule(forQuery name: String) -> String? {
    for permission in self {
      guard let names = permission.dns else { return permission.origin }
      if let found = names.first(where: { $0.pattern.matches(name) }) { return found.origin }
    }
    return nil
  }

  /// The rule that lets a request pass; nil when none does.
  public func rule(forRequest request: (HTTPRule) -> Bool, serverName: String? = nil) -> String? {
    for permission in self where permission.allows(serverName: serverName) {
      guard let rules = permission.http else { return permission.origin }
      if let found = rules.first(where: { request($0.rule) }) { return found.origin }
    }
    return nil
  }

  /// The rule that lets a TLS connection pass which asks for a name; nil when none does.
  public func rule(forServerName name: String?) -> String? {
    first { $0.allows(serverName: name) }?.origin
  }
}

extension ProxyPermission {
  /// Connections that name no server pass only where no names are asked for.
  public func allows(serverName: String?) -> Bool {
    if serverNames.isEmpty { return true }
    guard let serverName else { return false }
    return serverNames.contains { DNSPattern(FQDNSelector(matchPattern: $0)).matches(serverName) }
  }
}
