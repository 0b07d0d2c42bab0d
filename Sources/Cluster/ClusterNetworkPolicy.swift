import Wire

/// A policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy, as it was written: rules of the cluster's admin that are
/// looked at before (tier Admin) or after (tier Baseline) the policies of namespaces.
///
/// Source: network-policy-api `apis/v1alpha2/clusternetworkpolicy_types.go`.
public struct ClusterNetworkPolicy: KubernetesObject {
  public enum Tier: String, Hashable, Sendable, CaseIterable {
    case admin = "Admin"
    case baseline = "Baseline"
  }

  public enum Action: String, Hashable, Sendable, CaseIterable {
    case accept = "Accept"
    case deny = "Deny"
    /// Hands the decision to the next tier.
    case pass = "Pass"
  }

  /// Pods by their labels, of namespaces by theirs.
  public struct Pods: Hashable, Sendable {
    public var namespaces: LabelSelector
    public var pods: LabelSelector

    public init(namespaces: LabelSelector = LabelSelector(), pods: LabelSelector = LabelSelector()) {
      self.namespaces = namespaces
      self.pods = pods
    }
  }

  public enum Subject: Hashable, Sendable {
    case namespaces(LabelSelector)
    case pods(Pods)
  }

  public enum Peer: Hashable, Sendable {
    case namespaces(LabelSelector)
    case pods(Pods)
    /// Egress only.
    case nodes(LabelSelector)
    /// Egress only.
    case networks([CIDR])
    /// Egress only.
    case domainNames([String])
  }

  public enum Port: Hashable, Sendable {
    /// Every port of the protocol.
    case every(TransportProtocol)
    case number(UInt16, TransportProtocol)
    case range(UInt16, UInt16, TransportProtocol)
    /// A port by name, of whatever protocol.
    case name(String)
  }

  public struct Rule: Hashable, Sendable {
    public var name: String
    public var action: Action
    /// `from` or `to`.
    public var peers: [Located<Peer>]
    /// nil for every protocol.
    public var ports: [Located<Port>]?
    public var location: SourceLocation

    public init(
      name: String = "", action: Action, peers: [Located<Peer>], ports: [Located<Port>]? = nil,
      location: SourceLocation = .none
    ) {
      self.name = name
      self.action = action
      self.peers = peers
      self.ports = ports
      self.location = location
    }
  }

  public var metadata: Metadata
  public var tier: Tier
  /// 0…1000; lower ones are looked at first.
  public var priority: Int
  public var subject: Subject
  public var ingress: [Rule]
  public var egress: [Rule]

  public init(
    metadata: Metadata, tier: Tier, priority: Int, subject: Subject, ingress: [Rule] = [], egress: [Rule] = []
  ) {
    self.metadata = metadata
    self.tier = tier
    self.priority = priority
    self.subject = subject
    self.ingress = ingress
    self.egress = egress
  }

  public var kind: ObjectKind { .clusterNetworkPolicy }
}
