import Cluster

/// What a direction's policy says of a conversation.
public enum Verdict: String, Hashable, Sendable, CaseIterable { case allowed, redirected, denied }

/// How much of the conversation the deciding entry names, in the words of Cilium's policy verdicts.
///
/// Source: Cilium `bpf/lib/policy.h`.
public enum MatchKind: String, Hashable, Sendable, CaseIterable {
  case none
  case l3Only = "L3-Only"
  case l3L4 = "L3-L4"
  case l4Only = "L4-Only"
  case all
  case l3Protocol = "L3-Proto"
  case protocolOnly = "Proto-Only"
}

/// The drop reasons that policy gives, by their numbers in Cilium's datapath.
public enum PolicyDrop: UInt8, Hashable, Sendable, CaseIterable {
  /// POLICY_DENIED: default deny, and no rule matched.
  case noRule = 133
  /// POLICY_DENY: a deny rule matched.
  case denyRule = 181
  /// AUTH_REQUIRED: allowed once the peers have authenticated.
  case authenticationRequired = 189
}

/// Whether policy is enforced on an endpoint in a direction, and why.
public enum Enforcement: Hashable, Sendable {
  /// No policy is kept for it: it is outside of the cluster, or a node without host firewall.
  case noEndpoint
  /// `policyEnforcementMode: never`.
  case never
  /// No policy selects it.
  case unselected
  /// These select it, and none turns default deny on.
  case defaultAllow(by: [ObjectReference])
  /// These turn default deny on.
  case defaultDeny(by: [ObjectReference])
  /// `policyEnforcementMode: always`, or an endpoint that has no labels yet.
  case always
}

/// Why a direction's verdict is what it is.
public enum DecisionReason: String, Hashable, Sendable, CaseIterable {
  case rule
  /// Default deny is on and no rule matched.
  case defaultDeny
  /// Default deny is off and no rule matched.
  case defaultAllow
  /// No policy is enforced there.
  case notEnforced
  /// The node's own traffic to its pods, which Cilium lets pass where no rule speaks.
  case localHost
  /// A pod's traffic to itself, which no policy sees.
  case itself
  /// IPv4's "fragmentation needed", which passes every policy; IPv6's "packet too big" does not.
  case fragmentationNeeded
}

/// What one direction's policy says, and by which rule.
public struct DirectionAnswer: Hashable, Sendable {
  public var direction: PolicyDirection
  public var verdict: Verdict
  public var reason: DecisionReason
  public var enforcement: Enforcement
  public var match: MatchKind
  /// The rule that decided; nil where none did.
  public var rule: RuleSite?
  /// The other rules that matched, in the order of the policies.
  public var alsoMatched: [RuleSite]
  public var drop: PolicyDrop?
  /// What the proxy lets pass, where the conversation is redirected.
  public var proxy: ProxyKind?
  public var permission: L7Permission?
  /// Denied, but let pass and told of, since Cilium runs in audit mode.
  public var isAudited: Bool
  public var authentication: AuthenticationMode

  /// Whether packets pass (to the proxy, where there is one).
  public var passes: Bool { drop == nil || isAudited }
}

/// What policy says of a conversation at both ends.
public struct PolicyAnswer: Hashable, Sendable {
  /// At the source.
  public var egress: DirectionAnswer
  /// At the destination; given even where egress drops the packets already.
  public var ingress: DirectionAnswer

  /// Denied if any direction denies, else redirected if any does.
  public var verdict: Verdict {
    if egress.verdict == .denied || ingress.verdict == .denied { return .denied }
    return egress.verdict == .redirected || ingress.verdict == .redirected ? .redirected : .allowed
  }

  /// The direction that drops the packets: egress first, since it comes first.
  public var dropping: DirectionAnswer? {
    if !egress.passes { return egress }
    return ingress.passes ? nil : ingress
  }
}
