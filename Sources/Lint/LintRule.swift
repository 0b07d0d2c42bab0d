import Cluster
import Intent

/// What the linter looks for beyond what reading a manifest finds: each with an id that never changes.
public enum LintRule: String, Hashable, Sendable, CaseIterable {
  // Refused by the agent, without a word at `kubectl apply`.
  case badExpression = "bad-expression"
  case l7Disabled = "l7-disabled"
  case nodePeersDisabled = "node-peers-disabled"
  case refusedByAgent = "refused-by-agent"

  // Legal, and seldom meant.
  case emptyRule = "empty-rule"
  case emptyPeerList = "empty-peer-list"
  case emptyPortEntry = "empty-port-entry"
  case denyTurnsOnDefaultDeny = "deny-turns-on-default-deny"
  case cidrCoversCluster = "cidr-covers-cluster"
  case headerExpression = "header-looks-like-expression"
  case headerForm = "header-without-blank"
  case l4ShadowsL7 = "l4-shadows-l7"
  case dnsOverUDPOnly = "dns-udp-only"
  case egressWithoutDNS = "egress-without-dns"
  case selectsNothing = "selects-nothing"
  case peerSelectsNothing = "peer-selects-nothing"
  case unknownPortName = "unknown-port-name"
  case missingService = "missing-service"
  case missingGroup = "missing-cidr-group"
  case negativeGroupSelector = "negative-group-selector"
  case icmpTypeZero = "icmp-type-zero"
  case labelOutsideIdentity = "label-not-in-identity"
  case foreignNamespace = "foreign-namespace"
  case policyTypesDisagree = "policy-types-disagree"
  case authenticationOff = "authentication-off"

  public var severity: Finding.Severity { isRefusal ? .error : .warning }

  /// Whether the policy has no effect at all.
  public var isRefusal: Bool {
    switch self {
    case .badExpression, .l7Disabled, .nodePeersDisabled,
      .refusedByAgent:
      true
    default: false
    }
  }

  /// What it is about, in a sentence without a full stop.
  public var summary: String {
    switch self {
    case .badExpression: "an expression of an HTTP rule cannot be read, and the agent refuses the policy"
    case .l7Disabled: "layer 7 rules need l7Proxy, without which the agent refuses the policy"
    case .nodePeersDisabled: "fromNodes and toNodes need node labels enabled, or the agent refuses the policy"
    case .refusedByAgent: "the agent refuses the policy, which then has no effect"
    case .emptyRule: "an empty rule of a Cilium policy denies everything, where NetworkPolicy's allows it"
    case .emptyPeerList: "an empty list of peers selects nobody"
    case .emptyPortEntry: "an entry of toPorts without ports matches nothing"
    case .denyTurnsOnDefaultDeny: "deny rules turn default deny on like any others"
    case .cidrCoversCluster: "prefixes never match pods, and nodes only where Cilium is told so"
    case .headerExpression: "the value of a header is compared literally"
    case .headerForm: "a header without a blank after its colon is one long name"
    case .l4ShadowsL7: "a rule without layer 7 lets pass all that a layer 7 rule beside it restricts"
    case .dnsOverUDPOnly: "long DNS answers come over TCP"
    case .egressWithoutDNS: "an egress policy that does not let DNS through breaks every name"
    case .selectsNothing: "a policy selects no pod of the manifests"
    case .peerSelectsNothing: "a peer selector selects no pod of the manifests"
    case .unknownPortName: "no pod that is meant has a port of this name"
    case .missingService: "toServices names a service that is not there"
    case .missingGroup: "a CIDR group is not there"
    case .negativeGroupSelector: "a group selector that only excludes matches pods and nodes as well"
    case .icmpTypeZero: "ICMP type 0 stands for every type"
    case .labelOutsideIdentity: "Cilium leaves this label out of identities, so that no selector sees it"
    case .foreignNamespace: "a CiliumNetworkPolicy selects pods of its own namespace only"
    case .policyTypesDisagree: "Cilium reads rules of directions that policyTypes leaves out"
    case .authenticationOff: "authentication is required and not enabled: the traffic is dropped"
    }
  }
}

extension LintRule {
  /// The rule under which a refusal by the agent is reported; nil for those that reading the manifest reports.
  init?(_ problem: PolicyProblem.Kind) {
    switch problem {
    case .expressionForm: self = .badExpression
    case .l7Disabled: self = .l7Disabled
    case .nodePeers: self = .nodePeersDisabled
    default: self = .refusedByAgent
    }
  }
}
