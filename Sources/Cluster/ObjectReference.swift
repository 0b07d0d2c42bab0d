/// The kinds of objects that the cluster is made of, in the order in which they are listed.
public enum ObjectKind: String, Hashable, Sendable, CaseIterable {
  case node = "Node"
  case namespace = "Namespace"
  case serviceAccount = "ServiceAccount"
  case pod = "Pod"
  case deployment = "Deployment"
  case replicaSet = "ReplicaSet"
  case statefulSet = "StatefulSet"
  case daemonSet = "DaemonSet"
  case job = "Job"
  case service = "Service"
  case endpoints = "Endpoints"
  case endpointSlice = "EndpointSlice"
  case networkPolicy = "NetworkPolicy"
  case ciliumNetworkPolicy = "CiliumNetworkPolicy"
  case ciliumClusterwideNetworkPolicy = "CiliumClusterwideNetworkPolicy"
  case clusterNetworkPolicy = "ClusterNetworkPolicy"
  case ciliumCIDRGroup = "CiliumCIDRGroup"
  case ciliumIdentity = "CiliumIdentity"
  case ciliumEndpoint = "CiliumEndpoint"

  /// Whether objects of this kind live in a namespace.
  public var isNamespaced: Bool {
    switch self {
    case .node, .namespace, .ciliumClusterwideNetworkPolicy, .clusterNetworkPolicy, .ciliumCIDRGroup,
      .ciliumIdentity:
      false
    default: true
    }
  }

  /// What kubectl calls it in a command: `deployment`, `deploy`, …; the first is the singular name.
  public var commandNames: [String] {
    switch self {
    case .node: ["node", "nodes", "no"]
    case .namespace: ["namespace", "namespaces", "ns"]
    case .serviceAccount: ["serviceaccount", "serviceaccounts", "sa"]
    case .pod: ["pod", "pods", "po"]
    case .deployment: ["deployment", "deployments", "deploy"]
    case .replicaSet: ["replicaset", "replicasets", "rs"]
    case .statefulSet: ["statefulset", "statefulsets", "sts"]
    case .daemonSet: ["daemonset", "daemonsets", "ds"]
    case .job: ["job", "jobs"]
    case .service: ["service", "services", "svc"]
    case .endpoints: ["endpoints", "ep"]
    case .endpointSlice: ["endpointslice", "endpointslices"]
    case .networkPolicy: ["networkpolicy", "networkpolicies", "netpol"]
    case .ciliumNetworkPolicy: ["ciliumnetworkpolicy", "ciliumnetworkpolicies", "cnp"]
    case .ciliumClusterwideNetworkPolicy:
      ["ciliumclusterwidenetworkpolicy", "ciliumclusterwidenetworkpolicies", "ccnp"]
    case .clusterNetworkPolicy: ["clusternetworkpolicy", "clusternetworkpolicies"]
    case .ciliumCIDRGroup: ["ciliumcidrgroup", "ciliumcidrgroups", "ccg"]
    case .ciliumIdentity: ["ciliumidentity", "ciliumidentities", "ciliumid"]
    case .ciliumEndpoint: ["ciliumendpoint", "ciliumendpoints", "cep"]
    }
  }

  var order: Int { ObjectKind.allCases.firstIndex(of: self) ?? 0 }
}

/// A name in a namespace; the namespace is empty for objects of the cluster.
public struct NamespacedName: Hashable, Sendable, Comparable {
  public var namespace: String
  public var name: String

  public init(namespace: String, name: String) {
    self.namespace = namespace
    self.name = name
  }

  public static func < (a: Self, b: Self) -> Bool {
    a.namespace == b.namespace ? a.name < b.name : a.namespace < b.namespace
  }
}

extension NamespacedName: CustomStringConvertible {
  /// `namespace/name`, or the name alone.
  public var description: String { namespace.isEmpty ? name : "\(namespace)/\(name)" }
}

/// Which object: its kind, namespace and name. Ordered by kind, namespace and name.
public struct ObjectReference: Hashable, Sendable, Comparable {
  public var kind: ObjectKind
  public var id: NamespacedName

  public init(_ kind: ObjectKind, namespace: String = "", name: String) {
    self.kind = kind
    id = NamespacedName(namespace: kind.isNamespaced ? namespace : "", name: name)
  }

  public var namespace: String { id.namespace }
  public var name: String { id.name }

  public static func < (a: Self, b: Self) -> Bool {
    a.kind == b.kind ? a.id < b.id : a.kind.order < b.kind.order
  }
}

extension ObjectReference: CustomStringConvertible {
  /// `Pod default/web`.
  public var description: String { "\(kind.rawValue) \(id)" }
}
