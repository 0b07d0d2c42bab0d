import Wire

/// A CiliumNetworkPolicy or, in the clusterwide scope, a CiliumClusterwideNetworkPolicy.
public struct CiliumNetworkPolicy: KubernetesObject {
  public enum Scope: String, Hashable, Sendable { case namespaced, clusterwide }

  public var metadata: Metadata
  public var scope: Scope
  /// `spec`, then those of `specs`.
  public var rules: [PolicyRule]

  public init(metadata: Metadata, scope: Scope = .namespaced, rules: [PolicyRule]) {
    self.metadata = metadata
    self.scope = scope
    self.rules = rules
  }

  public var kind: ObjectKind {
    scope == .namespaced ? .ciliumNetworkPolicy : .ciliumClusterwideNetworkPolicy
  }
}

/// One `spec` of a Cilium policy, as it was written.
///
/// A list that is absent is nil and one that is empty is `[]`: Cilium gives them different meanings (an absent
/// `ingress` does nothing, an empty one or `[{}]` turns default deny on). Nothing is normalised here.
///
/// Source: Cilium `pkg/policy/api/rule.go`.
public struct PolicyRule: Hashable, Sendable {
  /// `enableDefaultDeny`; nil for a direction that leaves it to Cilium (on where the policy has rules).
  public struct DefaultDeny: Hashable, Sendable {
    public var ingress: Bool?
    public var egress: Bool?

    public init(ingress: Bool? = nil, egress: Bool? = nil) {
      self.ingress = ingress
      self.egress = egress
    }
  }

  /// A label of the rule itself, for `cilium-dbg policy get`.
  public struct RuleLabel: Hashable, Sendable {
    public var key: String
    public var value: String
    public var source: String

    public init(key: String, value: String = "", source: String = "") {
      self.key = key
      self.value = value
      self.source = source
    }
  }

  /// Which endpoints it is about. One of the two selectors is given in a valid policy.
  public var endpointSelector: LabelSelector?
  /// Which nodes it is about: a host policy.
  public var nodeSelector: LabelSelector?
  public var ingress: [TrafficRule]?
  public var ingressDeny: [TrafficRule]?
  public var egress: [TrafficRule]?
  public var egressDeny: [TrafficRule]?
  public var enableDefaultDeny: DefaultDeny
  public var description: String
  public var labels: [RuleLabel]
  /// `log.value`: a text that goes with policy-verdict logs.
  public var log: String?
  public var location: SourceLocation

  public init(
    endpointSelector: LabelSelector? = nil, nodeSelector: LabelSelector? = nil,
    ingress: [TrafficRule]? = nil, ingressDeny: [TrafficRule]? = nil, egress: [TrafficRule]? = nil,
    egressDeny: [TrafficRule]? = nil, enableDefaultDeny: DefaultDeny = DefaultDeny(),
    description: String = "", labels: [RuleLabel] = [], log: String? = nil, location: SourceLocation = .none
  ) {
    self.endpointSelector = endpointSelector
    self.nodeSelector = nodeSelector
    self.ingress = ingress
    self.ingressDeny = ingressDeny
    self.egress = egress
    self.egressDeny = egressDeny
    self.enableDefaultDeny = enableDefaultDeny
    self.description = description
    self.labels = labels
    self.log = log
    self.location = location
  }
}

/// An entry of `ingress`, `ingressDeny`, `egress` or `egressDeny`: peers, and what they may or may not send.
///
/// One type for the four lists, since they say the same of different directions; a deny rule has no
/// authentication and no layer 7.
public struct TrafficRule: Hashable, Sendable {
  public var peers: PolicyPeers
  public var toPorts: [PortRule]?
  public var icmps: [ICMPRule]?
  public var authentication: Located<AuthenticationMode>?
  public var location: SourceLocation

  public init(
    peers: PolicyPeers = PolicyPeers(), toPorts: [PortRule]? = nil, icmps: [ICMPRule]? = nil,
    authentication: Located<AuthenticationMode>? = nil, location: SourceLocation = .none
  ) {
    self.peers = peers
    self.toPorts = toPorts
    self.icmps = icmps
    self.authentication = authentication
    self.location = location
  }
}

public enum AuthenticationMode: String, Hashable, Sendable, CaseIterable {
  case disabled
  case required
  case testAlwaysFail = "test-always-fail"
}
