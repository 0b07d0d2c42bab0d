import Wire

/// The peers of a rule: `from…` of an ingress rule, `to…` of an egress rule.
///
/// Every list is nil when absent; an empty list selects nobody, and all lists absent everybody. Cilium refuses
/// most combinations of two present lists; here they are kept as written.
///
/// Source: Cilium `pkg/policy/api/ingress.go`, `egress.go`.
public struct PolicyPeers: Hashable, Sendable {
  public var endpoints: [LabelSelector]?
  public var nodes: [LabelSelector]?
  public var cidrs: [Located<CIDR>]?
  public var cidrSets: [CIDRRule]?
  public var entities: [Located<Entity>]?
  /// Egress only.
  public var services: [ServicePeer]?
  /// Egress only.
  public var fqdns: [FQDNSelector]?
  public var groups: [CloudGroup]?
  /// Gone in 1.20, deprecated before.
  public var requires: [LabelSelector]?

  public init(
    endpoints: [LabelSelector]? = nil, nodes: [LabelSelector]? = nil, cidrs: [Located<CIDR>]? = nil,
    cidrSets: [CIDRRule]? = nil, entities: [Located<Entity>]? = nil, services: [ServicePeer]? = nil,
    fqdns: [FQDNSelector]? = nil, groups: [CloudGroup]? = nil, requires: [LabelSelector]? = nil
  ) {
    self.endpoints = endpoints
    self.nodes = nodes
    self.cidrs = cidrs
    self.cidrSets = cidrSets
    self.entities = entities
    self.services = services
    self.fqdns = fqdns
    self.groups = groups
    self.requires = requires
  }

  /// Whether no list is present: the rule is about every peer.
  public var areAbsent: Bool { self == PolicyPeers() }
}

/// A class of peers with a reserved identity, or several.
///
/// Source: Cilium `pkg/policy/api/entity.go`.
public enum Entity: String, Hashable, Sendable, CaseIterable {
  case all
  case world
  case worldIPv4 = "world-ipv4"
  case worldIPv6 = "world-ipv6"
  case cluster
  case host
  case `init`
  case ingress
  case unmanaged
  case remoteNode = "remote-node"
  case health
  case none
  case kubeAPIServer = "kube-apiserver"
}

/// An entry of `fromCIDRSet` or `toCIDRSet`: one of prefix, group name and group selector in a valid policy.
public struct CIDRRule: Hashable, Sendable {
  public var cidr: CIDR?
  public var groupName: String?
  public var groupSelector: LabelSelector?
  public var except: [Located<CIDR>]
  public var location: SourceLocation

  public init(
    cidr: CIDR? = nil, groupName: String? = nil, groupSelector: LabelSelector? = nil,
    except: [Located<CIDR>] = [], location: SourceLocation = .none
  ) {
    self.cidr = cidr
    self.groupName = groupName
    self.groupSelector = groupSelector
    self.except = except
    self.location = location
  }
}

/// An entry of `toServices`: a service by name, or services by their labels. An empty namespace is the policy's
/// own for a name, and every one for a selector.
public struct ServicePeer: Hashable, Sendable {
  public enum Target: Hashable, Sendable {
    case name(NamespacedName)
    case selector(LabelSelector, namespace: String)
  }

  public var targets: [Target]
  public var location: SourceLocation

  /// `targets` holds both forms when the entry gives both.
  public init(targets: [Target], location: SourceLocation = .none) {
    self.targets = targets
    self.location = location
  }
}

/// A DNS name or pattern, of `toFQDNs` and of DNS rules; one of the two in a valid policy.
public struct FQDNSelector: Hashable, Sendable {
  public var matchName: String?
  public var matchPattern: String?
  public var location: SourceLocation

  public init(matchName: String? = nil, matchPattern: String? = nil, location: SourceLocation = .none) {
    self.matchName = matchName
    self.matchPattern = matchPattern
    self.location = location
  }
}

/// An entry of `fromGroups` or `toGroups`: security groups of AWS.
public struct CloudGroup: Hashable, Sendable {
  public var labels: Labels
  public var securityGroupIDs: [String]
  public var securityGroupNames: [String]
  public var region: String
  public var location: SourceLocation

  public init(
    labels: Labels = [:], securityGroupIDs: [String] = [], securityGroupNames: [String] = [],
    region: String = "", location: SourceLocation = .none
  ) {
    self.labels = labels
    self.securityGroupIDs = securityGroupIDs
    self.securityGroupNames = securityGroupNames
    self.region = region
    self.location = location
  }
}
