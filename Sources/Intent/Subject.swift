import Cluster
import Wire

/// One end of a conversation, as policies see it.
public struct Subject: Hashable, Sendable {
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    case pod
    /// A node, or a pod in its network. A pod there sees it as `host`, every other pod as `remote-node`.
    case node
    /// An address outside of the cluster.
    case world
    /// Envoy as a gateway or ingress.
    case ingress
    case health
    /// A pod that Cilium does not manage.
    case unmanaged
    /// A pod whose labels are not known yet.
    case initializing = "init"
  }

  public var kind: Kind
  /// The pod, the node (without namespace), the host's name; empty for a bare address.
  public var id: NamespacedName
  /// Labels as they were written.
  public var labels: Labels
  /// Of a pod: what selectors see on its namespace.
  public var namespaceLabels: Labels
  public var serviceAccount: String
  /// The name of its cluster; nil for the local one.
  public var cluster: String?
  /// The node that it is on; empty when it is on none.
  public var node: String
  /// Whether the API server answers at its address.
  public var isAPIServer: Bool
  public var addresses: [IPAddress]
  /// What its containers declare, for named ports.
  public var ports: [ContainerPort]

  public init(
    kind: Kind, id: NamespacedName, labels: Labels = [:], namespaceLabels: Labels = [:],
    serviceAccount: String = "default", cluster: String? = nil, node: String = "", isAPIServer: Bool = false,
    addresses: [IPAddress] = [], ports: [ContainerPort] = []
  ) {
    self.kind = kind
    self.id = id
    self.labels = labels
    self.namespaceLabels = namespaceLabels
    self.serviceAccount = serviceAccount
    self.cluster = cluster
    self.node = node
    self.isAPIServer = isAPIServer
    self.addresses = addresses
    self.ports = ports
  }

  /// The address of a family that a conversation with it uses.
  public func address(_ family: AddressFamily) -> IPAddress? { addresses.first { $0.family == family } }
}

extension Subject {
  /// An address outside of the cluster.
  public static func world(_ addresses: IPAddress..., name: String = "") -> Subject {
    Subject(kind: .world, id: NamespacedName(namespace: "", name: name), addresses: addresses)
  }

  public static func node(_ node: Node) -> Subject {
    Subject(
      kind: .node, id: NamespacedName(namespace: "", name: node.name), labels: node.labels, node: node.name,
      isAPIServer: node.isControlPlane, addresses: node.addresses)
  }

  /// A pod of a cluster; one in the host network is its node.
  ///
  /// - Parameters:
  ///   - node: where it was placed; nil takes the node that the manifest names.
  ///   - addresses: what IPAM gave it; nil takes those that the manifest pins.
  public static func pod(
    _ pod: Pod, in cluster: ClusterState, node: String? = nil, addresses: [IPAddress]? = nil
  ) -> Subject {
    let nodeName = node ?? pod.spec.nodeName ?? ""
    if pod.spec.hostNetwork {
      if let host = cluster.nodes["", nodeName] { return .node(host) }
      return Subject(
        kind: .node, id: NamespacedName(namespace: "", name: nodeName), node: nodeName,
        addresses: addresses ?? pod.podIPs)
    }
    return Subject(
      kind: .pod, id: pod.id, labels: pod.labels, namespaceLabels: cluster.labels(ofNamespace: pod.namespace),
      serviceAccount: pod.spec.serviceAccount, node: nodeName, addresses: addresses ?? pod.podIPs,
      ports: pod.spec.ports)
  }

  /// A pod as a workload's template makes them, for questions that no single pod decides.
  public static func workload(_ workload: Workload, in cluster: ClusterState) -> Subject {
    Subject(
      kind: .pod, id: workload.id, labels: workload.template.labels,
      namespaceLabels: cluster.labels(ofNamespace: workload.namespace),
      serviceAccount: workload.template.spec.serviceAccount, node: workload.template.spec.nodeName ?? "",
      ports: workload.template.spec.ports)
  }
}

extension Subject: CustomStringConvertible {
  /// `default/web`, `node/worker`, `203.0.113.7`.
  public var description: String {
    switch kind {
    case .pod, .unmanaged, .initializing: id.description
    case .node: "node/\(id.name)"
    case .world: id.name.isEmpty ? addresses.first.map(String.init(describing:)) ?? "world" : id.name
    case .ingress, .health: "\(kind.rawValue)/\(id.name)"
    }
  }
}
