import Wire

/// A machine of the cluster.
public struct Node: KubernetesObject {
  /// What the machine's kernel offers.
  public struct Kernel: Hashable, Sendable {
    public enum CGroup: String, Hashable, Sendable, CaseIterable { case v1, v2 }

    /// Socket load balancing attaches to the root of cgroup v2 only.
    public var cgroup: CGroup

    public init(cgroup: CGroup = .v2) { self.cgroup = cgroup }
  }

  /// Pods need a toleration to be placed here.
  public struct Taint: Hashable, Sendable {
    public enum Effect: String, Hashable, Sendable, CaseIterable {
      case noSchedule = "NoSchedule"
      case preferNoSchedule = "PreferNoSchedule"
      case noExecute = "NoExecute"
    }

    public var key: String
    public var value: String
    public var effect: Effect

    public init(key: String, value: String = "", effect: Effect) {
      self.key = key
      self.value = value
      self.effect = effect
    }
  }

  public var metadata: Metadata
  /// Internal addresses (`status.addresses` of type InternalIP), in order; the first of a family is the node's.
  public var addresses: [IPAddress]
  /// `spec.podCIDRs`: pinned; empty when IPAM is to choose.
  public var podCIDRs: [CIDR]
  /// How many pods the kubelet admits.
  public var podLimit: Int
  public var taints: [Taint]
  public var kernel: Kernel

  public init(
    metadata: Metadata, addresses: [IPAddress] = [], podCIDRs: [CIDR] = [], podLimit: Int = 110,
    taints: [Taint] = [], kernel: Kernel = Kernel()
  ) {
    self.metadata = metadata
    self.addresses = addresses
    self.podCIDRs = podCIDRs
    self.podLimit = podLimit
    self.taints = taints
    self.kernel = kernel
  }

  public var kind: ObjectKind { .node }

  /// Whether the API server runs here: the label, whatever its value.
  public var isControlPlane: Bool { metadata.labels.contains(key: Node.controlPlaneLabel) }

  /// The zone that topology-aware routing sees, from the label.
  public var zone: String? { metadata.labels[Node.zoneLabel] }

  /// The node's internal address of a family.
  public func address(_ family: AddressFamily) -> IPAddress? { addresses.first { $0.family == family } }

  public static let controlPlaneLabel = "node-role.kubernetes.io/control-plane"
  public static let zoneLabel = "topology.kubernetes.io/zone"
  public static let hostnameLabel = "kubernetes.io/hostname"
}
