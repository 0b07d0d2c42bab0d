import Wire

/// A kind cluster as its configuration file describes it.
///
/// Source: kind's `v1alpha4` configuration, and the names that its docker provider gives.
public struct KindConfiguration: Hashable, Sendable {
  public enum Role: String, Hashable, Sendable, CaseIterable {
    case controlPlane = "control-plane"
    case worker
  }

  public struct Machine: Hashable, Sendable {
    public var role: Role
    public var labels: Labels
    public var location: SourceLocation

    public init(role: Role, labels: Labels = [:], location: SourceLocation = .none) {
      self.role = role
      self.labels = labels
      self.location = location
    }
  }

  public enum IPFamily: String, Hashable, Sendable, CaseIterable { case ipv4, ipv6, dual }

  public var name: String
  /// Empty for kind's one control-plane node.
  public var machines: [Machine]
  public var ipFamily: IPFamily
  /// Empty for kind's own.
  public var podSubnets: [CIDR]
  public var serviceSubnets: [CIDR]
  /// `kubeProxyMode` is not `none`.
  public var kubeProxy: Bool

  public init(
    name: String = "kind", machines: [Machine] = [], ipFamily: IPFamily = .ipv4, podSubnets: [CIDR] = [],
    serviceSubnets: [CIDR] = [], kubeProxy: Bool = true
  ) {
    self.name = name
    self.machines = machines
    self.ipFamily = ipFamily
    self.podSubnets = podSubnets
    self.serviceSubnets = serviceSubnets
    self.kubeProxy = kubeProxy
  }

  public var families: [AddressFamily] {
    switch ipFamily {
    case .ipv4: [.ipv4]
    case .ipv6: [.ipv6]
    case .dual: [.ipv4, .ipv6]
    }
  }

  public var network: ClusterNetwork {
    let families = families
    func choose(_ own: [CIDR], _ v4: [CIDR], _ v6: [CIDR]) -> [CIDR] {
      own.isEmpty ? families.flatMap { $0 == .ipv4 ? v4 : v6 } : own
    }
    return ClusterNetwork(
      podCIDRs: choose(podSubnets, ClusterNetwork.kindPodCIDRs, ClusterNetwork.kindPodCIDRsIPv6),
      serviceCIDRs: choose(
        serviceSubnets, ClusterNetwork.kindServiceCIDRs, ClusterNetwork.kindServiceCIDRsIPv6),
      kubeProxy: kubeProxy)
  }

  /// The machines as nodes: `NAME-control-plane`, `NAME-control-plane2`, …, `NAME-worker`, `NAME-worker2`, …,
  /// with the labels of kubeadm and an address each, in the order of the file.
  ///
  /// A lone control plane takes pods; beside workers it is tainted.
  public var nodes: [Node] {
    let machines = machines.isEmpty ? [Machine(role: .controlPlane)] : machines
    var counts: [Role: Int] = [:]
    var nodes: [Node] = []
    for machine in machines {
      let count = (counts[machine.role] ?? 0) + 1
      counts[machine.role] = count
      let name = "\(self.name)-\(machine.role.rawValue)\(count == 1 ? "" : "\(count)")"
      var labels: Labels = [Node.hostnameLabel: name, "kubernetes.io/os": "linux"]
      var taints: [Node.Taint] = []
      if machine.role == .controlPlane {
        labels[Node.controlPlaneLabel] = ""
        if machines.count > 1 { taints = [Node.Taint(key: Node.controlPlaneLabel, effect: .noSchedule)] }
      }
      let metadata = Metadata(name: name, labels: labels.merging(machine.labels), location: machine.location)
      nodes.append(Node(metadata: metadata, taints: taints))
    }
    network.assignAddresses(to: &nodes, families: families)
    return nodes
  }
}
