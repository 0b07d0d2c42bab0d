/// Every object of a cluster, as its API server would hold them.
///
/// Mutations are what kubectl does to objects; what controllers and agents make of them is ControlPlane's.
/// Equal sequences of mutations give equal states, and iteration is by namespace and name.
public struct ClusterState: Equatable, Sendable {
  public var nodes = ObjectCollection<Node>()
  public var namespaces = ObjectCollection<Namespace>()
  public var serviceAccounts = ObjectCollection<ServiceAccount>()
  public var pods = ObjectCollection<Pod>()
  public var deployments = ObjectCollection<Workload>()
  public var replicaSets = ObjectCollection<Workload>()
  public var statefulSets = ObjectCollection<Workload>()
  public var daemonSets = ObjectCollection<Workload>()
  public var jobs = ObjectCollection<Workload>()
  public var services = ObjectCollection<Service>()
  public var endpoints = ObjectCollection<Endpoints>()
  public var endpointSlices = ObjectCollection<EndpointSlice>()
  public var networkPolicies = ObjectCollection<NetworkPolicy>()
  public var ciliumPolicies = ObjectCollection<CiliumNetworkPolicy>()
  public var ciliumClusterwidePolicies = ObjectCollection<CiliumNetworkPolicy>()
  public var clusterPolicies = ObjectCollection<ClusterNetworkPolicy>()
  public var cidrGroups = ObjectCollection<CiliumCIDRGroup>()
  public var identities = ObjectCollection<CiliumIdentity>()
  public var ciliumEndpoints = ObjectCollection<CiliumEndpoint>()

  public init() {}

  /// Later objects replace earlier ones of the same reference.
  public init(_ objects: some Sequence<ClusterObject>) {
    for object in objects { apply(object) }
  }

  /// Every workload: by kind, then namespace and name.
  public var workloads: [Workload] {
    Array(deployments) + Array(replicaSets) + Array(statefulSets) + Array(daemonSets) + Array(jobs)
  }

  /// The labels that selectors see on a namespace; those of the name alone where no manifest declares it.
  public func labels(ofNamespace name: String) -> Labels {
    namespaces["", name]?.effectiveLabels ?? [Namespace.nameLabel: name]
  }

  public subscript(reference: ObjectReference) -> ClusterObject? {
    get { object(reference) }
    set { set(reference, newValue) }
  }

  /// Every object, by kind, namespace and name.
  public var objects: [ClusterObject] { references.compactMap { object($0) } }

  /// Every reference, by kind, namespace and name.
  public var references: [ObjectReference] {
    ObjectKind.allCases.flatMap { kind in
      ids(of: kind).map { ObjectReference(kind, namespace: $0.namespace, name: $0.name) }
    }
  }

  public static func == (a: Self, b: Self) -> Bool { a.objects == b.objects }
}

extension ClusterState {
  private func ids(of kind: ObjectKind) -> [NamespacedName] {
    switch kind {
    case .node: nodes.ids
    case .namespace: namespaces.ids
    case .serviceAccount: serviceAccounts.ids
    case .pod: pods.ids
    case .deployment: deployments.ids
    case .replicaSet: replicaSets.ids
    case .statefulSet: statefulSets.ids
    case .daemonSet: daemonSets.ids
    case .job: jobs.ids
    case .service: services.ids
    case .endpoints: endpoints.ids
    case .endpointSlice: endpointSlices.ids
    case .networkPolicy: networkPolicies.ids
    case .ciliumNetworkPolicy: ciliumPolicies.ids
    case .ciliumClusterwideNetworkPolicy: ciliumClusterwidePolicies.ids
    case .clusterNetworkPolicy: clusterPolicies.ids
    case .ciliumCIDRGroup: cidrGroups.ids
    case .ciliumIdentity: identities.ids
    case .ciliumEndpoint: ciliumEndpoints.ids
    }
  }

  private func object(_ reference: ObjectReference) -> ClusterObject? {
    let id = reference.id
    return switch reference.kind {
    case .node: nodes[id].map(ClusterObject.node)
    case .namespace: namespaces[id].map(ClusterObject.namespace)
    case .serviceAccount: serviceAccounts[id].map(ClusterObject.serviceAccount)
    case .pod: pods[id].map(ClusterObject.pod)
    case .deployment: deployments[id].map(ClusterObject.workload)
    case .replicaSet: replicaSets[id].map(ClusterObject.workload)
    case .statefulSet: statefulSets[id].map(ClusterObject.workload)
    case .daemonSet: daemonSets[id].map(ClusterObject.workload)
    case .job: jobs[id].map(ClusterObject.workload)
    case .service: services[id].map(ClusterObject.service)
    case .endpoints: endpoints[id].map(ClusterObject.endpoints)
    case .endpointSlice: endpointSlices[id].map(ClusterObject.endpointSlice)
    case .networkPolicy: networkPolicies[id].map(ClusterObject.networkPolicy)
    case .ciliumNetworkPolicy: ciliumPolicies[id].map(ClusterObject.ciliumPolicy)
    case .ciliumClusterwideNetworkPolicy: ciliumClusterwidePolicies[id].map(ClusterObject.ciliumPolicy)
    case .clusterNetworkPolicy: clusterPolicies[id].map(ClusterObject.clusterPolicy)
    case .ciliumCIDRGroup: cidrGroups[id].map(ClusterObject.cidrGroup)
    case .ciliumIdentity: identities[id].map(ClusterObject.identity)
    case .ciliumEndpoint: ciliumEndpoints[id].map(ClusterObject.ciliumEndpoint)
    }
  }

  /// Puts an object at its own reference; nil removes what is at `reference`.
  private mutating func set(_ reference: ObjectReference, _ object: ClusterObject?) {
    guard let object else { return remove(reference) }
    let id = object.metadata.id
    switch object {
    case .node(let value): nodes[id] = value
    case .namespace(let value): namespaces[id] = value
    case .serviceAccount(let value): serviceAccounts[id] = value
    case .pod(let value): pods[id] = value
    case .workload(let value):
      switch value.type {
      case .deployment: deployments[id] = value
      case .replicaSet: replicaSets[id] = value
      case .statefulSet: statefulSets[id] = value
      case .daemonSet: daemonSets[id] = value
      case .job: jobs[id] = value
      }
    case .service(let value): services[id] = value
    case .endpoints(let value): endpoints[id] = value
    case .endpointSlice(let value): endpointSlices[id] = value
    case .networkPolicy(let value): networkPolicies[id] = value
    case .ciliumPolicy(let value):
      switch value.scope {
      case .namespaced: ciliumPolicies[id] = value
      case .clusterwide: ciliumClusterwidePolicies[id] = value
      }
    case .clusterPolicy(let value): clusterPolicies[id] = value
    case .cidrGroup(let value): cidrGroups[id] = value
    case .identity(let value): identities[id] = value
    case .ciliumEndpoint(let value): ciliumEndpoints[id] = value
    }
  }

  private mutating func remove(_ reference: ObjectReference) {
    let id = reference.id
    switch reference.kind {
    case .node: nodes[id] = nil
    case .namespace: namespaces[id] = nil
    case .serviceAccount: serviceAccounts[id] = nil
    case .pod: pods[id] = nil
    case .deployment: deployments[id] = nil
    case .replicaSet: replicaSets[id] = nil
    case .statefulSet: statefulSets[id] = nil
    case .daemonSet: daemonSets[id] = nil
    case .job: jobs[id] = nil
    case .service: services[id] = nil
    case .endpoints: endpoints[id] = nil
    case .endpointSlice: endpointSlices[id] = nil
    case .networkPolicy: networkPolicies[id] = nil
    case .ciliumNetworkPolicy: ciliumPolicies[id] = nil
    case .ciliumClusterwideNetworkPolicy: ciliumClusterwidePolicies[id] = nil
    case .clusterNetworkPolicy: clusterPolicies[id] = nil
    case .ciliumCIDRGroup: cidrGroups[id] = nil
    case .ciliumIdentity: identities[id] = nil
    case .ciliumEndpoint: ciliumEndpoints[id] = nil
    }
  }
}
