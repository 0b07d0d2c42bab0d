import Testing

@testable import Cluster

@Suite("Cluster state")
struct ClusterStateTests {
  func pod(_ name: String, in namespace: String = "default", owner: ObjectReference? = nil) -> ClusterObject {
    .pod(Pod(metadata: Metadata(namespace: namespace, name: name, owner: owner)))
  }

  func deployment(_ name: String, in namespace: String = "default") -> ClusterObject {
    .workload(
      Workload(
        metadata: Metadata(namespace: namespace, name: name), type: .deployment, template: PodTemplate()))
  }

  @Test func orderIsByKindNamespaceAndName() {
    let objects = [
      deployment("z"), pod("b"), pod("a", in: "z"), pod("a"), .node(Node(metadata: Metadata(name: "n2"))),
      .node(Node(metadata: Metadata(name: "n1"))), pod("c", in: "a"),
    ]
    let forward = ClusterState(objects)
    let backward = ClusterState(objects.reversed())
    #expect(forward == backward)
    #expect(
      forward.references.map(\.description) == [
        "Node n1", "Node n2", "Pod a/c", "Pod default/a", "Pod default/b", "Pod z/a", "Deployment default/z",
      ])
    #expect(forward.pods.objects(in: "default").map(\.name) == ["a", "b"])
    #expect(forward.pods.objects(in: "none").isEmpty)
  }

  @Test func applyTellsWhatItDid() {
    var state = ClusterState()
    #expect(state.apply(pod("a")) == .created)
    #expect(state.apply(pod("a")) == .unchanged)
    var changed = pod("a")
    changed.metadata.labels["x"] = "y"
    #expect(state.apply(changed) == .configured)
    #expect(state.pods["default", "a"]?.labels == ["x": "y"])
    #expect(state.pods.count == 1)
  }

  @Test func deletionTakesWhatIsOwnedAndWhatIsInside() throws {
    let owner = ObjectReference(.deployment, namespace: "default", name: "web")
    var state = ClusterState([
      deployment("web"), pod("web-1", owner: owner), pod("other"), deployment("d", in: "team"),
      .namespace(Namespace(metadata: Metadata(name: "team"))), pod("p", in: "team"),
    ])
    #expect(try state.delete(owner).map(\.description) == ["Pod default/web-1", "Deployment default/web"])
    #expect(
      try state.delete(ObjectReference(.namespace, name: "team")).map(\.description) == [
        "Namespace team", "Pod team/p", "Deployment team/d",
      ])
    #expect(state.references.map(\.description) == ["Pod default/other"])
    #expect(throws: ClusterError.notFound(owner)) { try state.delete(owner) }
  }

  @Test func commandsChangeWhatTheyName() throws {
    var state = ClusterState([deployment("web"), pod("a")])
    let web = ObjectReference(.deployment, namespace: "default", name: "web")
    let a = ObjectReference(.pod, namespace: "default", name: "a")
    try state.scale(web, replicas: 5)
    try state.label(a, [LabelChange("k", "v"), LabelChange("gone", nil)])
    try state.annotate(a, [LabelChange("note", "x")])
    try state.setReady(a.id, false)
    #expect(state.deployments["default", "web"]?.replicas == 5)
    #expect(state.pods["default", "a"]?.labels == ["k": "v"])
    #expect(state.pods["default", "a"]?.annotations == ["note": "x"])
    #expect(state.pods["default", "a"]?.isReady == false)
    try state.label(a, [LabelChange("k", nil)])
    #expect(state.pods["default", "a"]?.labels == [:])
    #expect(throws: ClusterError.notScalable(a)) { try state.scale(a, replicas: 1) }
    #expect(throws: ClusterError.negativeReplicas(web, -1)) { try state.scale(web, replicas: -1) }
    #expect(throws: ClusterError.self) { try state.setReady(NamespacedName(namespace: "x", name: "y"), true) }
  }

  @Test func namespacesHaveTheirNameAsLabel() {
    let state = ClusterState([.namespace(Namespace(metadata: Metadata(name: "n", labels: ["team": "a"])))])
    #expect(state.labels(ofNamespace: "n").description == "kubernetes.io/metadata.name=n,team=a")
    #expect(state.labels(ofNamespace: "m").description == "kubernetes.io/metadata.name=m")
  }

  @Test func everyKindIsKeptUnderItsOwnReference() {
    let metadata = Metadata(namespace: "n", name: "x")
    let own = Metadata(name: "x")
    var objects: [ClusterObject] = [
      .node(Node(metadata: own)), .namespace(Namespace(metadata: own)),
      .serviceAccount(ServiceAccount(metadata: metadata)), .pod(Pod(metadata: metadata)),
      .service(Service(metadata: metadata)), .endpoints(Endpoints(metadata: metadata)),
      .endpointSlice(EndpointSlice(metadata: metadata, addressType: .ipv4)),
      .networkPolicy(NetworkPolicy(metadata: metadata)),
      .ciliumPolicy(CiliumNetworkPolicy(metadata: metadata, rules: [])),
      .ciliumPolicy(CiliumNetworkPolicy(metadata: own, scope: .clusterwide, rules: [])),
      .clusterPolicy(
        ClusterNetworkPolicy(metadata: own, tier: .admin, priority: 0, subject: .namespaces(LabelSelector()))),
      .cidrGroup(CiliumCIDRGroup(metadata: own)),
      .identity(CiliumIdentity(metadata: own, number: 300, securityLabels: [:])),
      .ciliumEndpoint(CiliumEndpoint(metadata: metadata)),
    ]
    objects += Workload.Kind.allCases.map {
      .workload(Workload(metadata: metadata, type: $0, template: PodTemplate()))
    }
    var state = ClusterState(objects)
    #expect(state.references.map(\.kind) == ObjectKind.allCases)
    for object in objects { #expect(state[object.reference] == object) }
    for object in objects { state[object.reference] = nil }
    #expect(state.references.isEmpty)
  }

  @Test func tolerations() {
    let taint = Node.Taint(key: "k", value: "v", effect: .noSchedule)
    #expect(Toleration(op: .exists).tolerates(taint))
    #expect(Toleration(key: "k", op: .exists, effect: .noSchedule).tolerates(taint))
    #expect(Toleration(key: "k", value: "v").tolerates(taint))
    #expect(!Toleration(key: "k", value: "w").tolerates(taint))
    #expect(!Toleration(key: "j", op: .exists).tolerates(taint))
    #expect(!Toleration(key: "k", op: .exists, effect: .noExecute).tolerates(taint))
  }
}
