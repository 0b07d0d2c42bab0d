import Wire

/// A networking.k8s.io/v1 NetworkPolicy, as it was written.
///
/// Absent, empty and `[{}]` lists mean three different things and are kept apart: nil, `[]`, and one rule with
/// everything nil.
public struct NetworkPolicy: KubernetesObject {
  public var metadata: Metadata
  /// Empty selects every pod of the namespace.
  public var podSelector: LabelSelector
  /// nil when absent: then Ingress, and Egress too if `egress` is present and not empty.
  public var policyTypes: [PolicyDirection]?
  public var ingress: [NetworkPolicyRule]?
  public var egress: [NetworkPolicyRule]?

  public init(
    metadata: Metadata, podSelector: LabelSelector = LabelSelector(), policyTypes: [PolicyDirection]? = nil,
    ingress: [NetworkPolicyRule]? = nil, egress: [NetworkPolicyRule]? = nil
  ) {
    self.metadata = metadata
    self.podSelector = podSelector
    self.policyTypes = policyTypes
    self.ingress = ingress
    self.egress = egress
  }

  public var kind: ObjectKind { .networkPolicy }
}

public enum PolicyDirection: String, Hashable, Sendable, CaseIterable {
  case ingress = "Ingress"
  case egress = "Egress"
}

public struct NetworkPolicyRule: Hashable, Sendable {
  /// `from` or `to`. Absent and empty both mean every peer, and are still kept apart.
  public var peers: [NetworkPolicyPeer]?
  /// Absent and empty both mean every port.
  public var ports: [NetworkPolicyPort]?
  public var location: SourceLocation

  public init(
    peers: [NetworkPolicyPeer]? = nil, ports: [NetworkPolicyPort]? = nil, location: SourceLocation = .none
  ) {
    self.peers = peers
    self.ports = ports
    self.location = location
  }
}

/// Selectors (both: pods of such namespaces) or a block of addresses.
public struct NetworkPolicyPeer: Hashable, Sendable {
  public struct IPBlock: Hashable, Sendable {
    public var cidr: CIDR
    public var except: [CIDR]

    public init(cidr: CIDR, except: [CIDR] = []) {
      self.cidr = cidr
      self.except = except
    }
  }

  public var podSelector: LabelSelector?
  public var namespaceSelector: LabelSelector?
  public var ipBlock: IPBlock?
  public var location: SourceLocation

  public init(
    podSelector: LabelSelector? = nil, namespaceSelector: LabelSelector? = nil, ipBlock: IPBlock? = nil,
    location: SourceLocation = .none
  ) {
    self.podSelector = podSelector
    self.namespaceSelector = namespaceSelector
    self.ipBlock = ipBlock
    self.location = location
  }
}

public struct NetworkPolicyPort: Hashable, Sendable {
  public var transport: TransportProtocol
  /// nil is every port of the protocol.
  public var port: PortReference?
  public var endPort: UInt16?
  public var location: SourceLocation

  public init(
    _ port: PortReference? = nil, _ transport: TransportProtocol = .tcp, endPort: UInt16? = nil,
    location: SourceLocation = .none
  ) {
    self.port = port
    self.transport = transport
    self.endPort = endPort
    self.location = location
  }
}
