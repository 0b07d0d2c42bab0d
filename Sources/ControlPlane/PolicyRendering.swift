import Cluster
import MapABI

/// Where an entry of a policy map comes from.
public struct PolicyOrigin: Hashable, Sendable {
  /// The policy object; nil for what Cilium adds of its own accord.
  public var policy: ObjectReference?
  /// Which part of it: `spec.ingress[0]`, `specs[1].egressDeny[2]`; or `allow-localhost-ingress` and its like.
  public var rule: String
  public var location: SourceLocation
  /// `log.value` of the policy's spec: a text that goes with verdicts.
  public var log: String?

  public init(
    policy: ObjectReference? = nil, rule: String, location: SourceLocation = .none, log: String? = nil
  ) {
    self.policy = policy
    self.rule = rule
    self.location = location
    self.log = log
  }
}

extension PolicyOrigin: CustomStringConvertible {
  public var description: String { policy.map { "\($0) \(rule)" } ?? rule }
}

extension PolicyOrigin: Comparable {
  public static func < (a: Self, b: Self) -> Bool {
    if let x = a.policy, let y = b.policy, x != y { return x < y }
    if (a.policy == nil) != (b.policy == nil) { return a.policy != nil }
    return (a.location, a.rule) < (b.location, b.rule)
  }
}

/// The policy map of an endpoint, and where each entry comes from.
public struct PolicyRendering: Sendable {
  /// Differs between renderings that may differ; equal ones are the same.
  var version = 0
  public internal(set) var table = LPMTable<PolicyKey, PolicyEntry>()
  /// One list for each entry of the table, in the table's order.
  var origins: [[PolicyOrigin]] = []
  public internal(set) var enforcesIngress = false
  public internal(set) var enforcesEgress = false
  /// What the node's proxies are told; empty where nothing is redirected.
  public internal(set) var proxyPolicy = ProxyPolicy()

  /// The rules behind an entry: those that the agent merged into it.
  public func origins(of key: PolicyKey) -> [PolicyOrigin] {
    guard let index = table.entries.index(of: key.masked(to: key.prefixlen)), index < origins.count else {
      return []
    }
    return origins[index]
  }
}
