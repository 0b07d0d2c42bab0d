/// Any object of the cluster.
public enum ClusterObject: Equatable, Sendable {
  case node(Node)
  case namespace(Namespace)
  case serviceAccount(ServiceAccount)
  case pod(Pod)
  case workload(Workload)
  case service(Service)
  case endpoints(Endpoints)
  case endpointSlice(EndpointSlice)
  case networkPolicy(NetworkPolicy)
  case ciliumPolicy(CiliumNetworkPolicy)
  case clusterPolicy(ClusterNetworkPolicy)
  case cidrGroup(CiliumCIDRGroup)
  case identity(CiliumIdentity)
  case ciliumEndpoint(CiliumEndpoint)

  public var metadata: Metadata {
    get { base.metadata }
    set {
      switch self {
      case .node(var object): self = .node(object.with(newValue))
      case .namespace(var object): self = .namespace(object.with(newValue))
      case .serviceAccount(var object): self = .serviceAccount(object.with(newValue))
      case .pod(var object): self = .pod(object.with(newValue))
      case .workload(var object): self = .workload(object.with(newValue))
      case .service(var object): self = .service(object.with(newValue))
      case .endpoints(var object): self = .endpoints(object.with(newValue))
      case .endpointSlice(var object): self = .endpointSlice(object.with(newValue))
      case .networkPolicy(var object): self = .networkPolicy(object.with(newValue))
      case .ciliumPolicy(var object): self = .ciliumPolicy(object.with(newValue))
      case .clusterPolicy(var object): self = .clusterPolicy(object.with(newValue))
      case .cidrGroup(var object): self = .cidrGroup(object.with(newValue))
      case .identity(var object): self = .identity(object.with(newValue))
      case .ciliumEndpoint(var object): self = .ciliumEndpoint(object.with(newValue))
      }
    }
  }

  public var reference: ObjectReference { base.reference }
  public var location: SourceLocation { base.metadata.location }

  private var base: any KubernetesObject {
    switch self {
    case .node(let object): object
    case .namespace(let object): object
    case .serviceAccount(let object): object
    case .pod(let object): object
    case .workload(let object): object
    case .service(let object): object
    case .endpoints(let object): object
    case .endpointSlice(let object): object
    case .networkPolicy(let object): object
    case .ciliumPolicy(let object): object
    case .clusterPolicy(let object): object
    case .cidrGroup(let object): object
    case .identity(let object): object
    case .ciliumEndpoint(let object): object
    }
  }
}

extension KubernetesObject {
  fileprivate mutating func with(_ metadata: Metadata) -> Self {
    self.metadata = metadata
    return self
  }
}
