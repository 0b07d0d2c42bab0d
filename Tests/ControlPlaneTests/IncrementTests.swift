import Cluster
import Manifests
import MapABI
import Testing
import Wire

@testable import ControlPlane

/// What nodes are told, one change after the other, adds up to what they would be given at once.
@Suite("Increments") struct IncrementTests {
  /// A table as octets, without order.
  private func contents<Key: MapKey, Value: MapValue>(_ table: FlatTable<Key, Value>) -> [[UInt8]: [UInt8]] {
    var result: [[UInt8]: [UInt8]] = [:]
    for (key, value) in table {
      result[withUnsafeBytes(of: key) { Array($0) }] = withUnsafeBytes(of: value) { Array($0) }
    }
    return result
  }

  private func isSame(_ a: NodeMaps, _ b: NodeMaps) -> Bool {
    let endpoints = Set(a.policies.endpoints + b.policies.endpoints)
    return contents(a.ipcache.entries) == contents(b.ipcache.entries)
      && contents(a.endpoints) == contents(b.endpoints) && contents(a.services4) == contents(b.services4)
      && contents(a.services6) == contents(b.services6) && contents(a.backends4) == contents(b.backends4)
      && contents(a.backends6) == contents(b.backends6) && contents(a.reverseNAT4) == contents(b.reverseNAT4)
      && contents(a.reverseNAT6) == contents(b.reverseNAT6)
      && contents(a.affinityMatch) == contents(b.affinityMatch) && contents(a.nodes) == contents(b.nodes)
      && contents(a.devices) == contents(b.devices)
      && endpoints.allSatisfy {
        contents(a.policies[$0]?.entries ?? FlatTable()) == contents(b.policies[$0]?.entries ?? FlatTable())
      }
  }

  private static let policies: [String] = [
    "{endpointSelector: {matchLabels: {app: a}}, ingress: [{fromEndpoints: [{matchLabels: {app: b}}]}]}",
    "{endpointSelector: {}, ingressDeny: [{fromEndpoints: [{matchLabels: {tier: x}}]}]}",
    "{endpointSelector: {matchLabels: {tier: y}}, egress: [{toCIDR: [198.51.100.0/24]}, {toEntities: [cluster]}]}",
    "{endpointSelector: {matchLabels: {app: b}}, egress: [{toEndpoints: [{}], toPorts: [{ports: [{port: web}]}]}]}",
    "{endpointSelector: {}, ingress: [{toPorts: [{ports: [{port: '80', endPort: 90, protocol: TCP}]}]}]}",
  ]

  private func object(_ index: Int, _ random: inout Seeded) -> ClusterObject {
    switch index % 4 {
    case 0:
      let spec = IncrementTests.policies[index % IncrementTests.policies.count]
      let yaml =
        "{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: p\(index)}, spec: \(spec)}"
      return ManifestReader().read(yaml, file: "p.yaml").objects.first
        ?? .pod(Fixture.pod("unread-\(index)"))
    case 1:
      return .service(
        Service(
          metadata: Metadata(namespace: "default", name: "s\(index)"), ports: [ServicePort(80)],
          selector: ["app": index % 3 == 0 ? "a" : "b"]))
    default:
      let ports = index % 5 == 0 ? [ContainerPort(name: "web", UInt16(8000 + index))] : []
      var labels: Labels = ["app": Bool.random(using: &random) ? "a" : "b"]
      if Bool.random(using: &random) { labels["tier"] = Bool.random(using: &random) ? "x" : "y" }
      return .pod(Fixture.pod("pod\(index)", labels: labels, ports: ports))
    }
  }

  @Test(arguments: [UInt64(1), 2, 3, 4])
  func changesAddUp(_ seed: UInt64) throws {
    var random = Seeded(state: seed)
    var plane = Fixture.controlPlane(seed % 2 == 0 ? .dual : .ipv4)
    let kind = Fixture.kind(seed % 2 == 0 ? .dual : .ipv4)
    var objects: [Int: ClusterObject] = [:]
    var told: [String: NodeMaps] = [:]
    var down: Set<String> = []
    for round in 0..<25 {
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let index = Int.random(in: 0..<40, using: &random)
        objects[index] = Bool.random(using: &random) ? object(index, &random) : nil
      }
      if round % 7 == 3 {
        let name = "kind-worker\(Bool.random(using: &random) ? "" : "2")"
        if down.remove(name) == nil { down.insert(name) }
        plane.setAgent(name, isDown: down.contains(name))
      }
      let state = Fixture.state(kind, objects.keys.sorted().compactMap { objects[$0] })
      for update in plane.reconcile(state) {
        for change in update.changes { told[update.node, default: NodeMaps()].apply(change) }
      }
      for node in plane.nodes {
        let image = try #require(plane.image(of: node.name))
        guard isSame(told[node.name] ?? NodeMaps(), image.maps) else {
          Issue.record("seed \(seed), round \(round): \(node.name) was told something else than its image")
          return
        }
      }
    }
    // Policies that were followed step by step are those that a new agent works out.
    for name in down.sorted() { plane.setAgent(name, isDown: false) }
    let state = Fixture.state(kind, objects.keys.sorted().compactMap { objects[$0] })
    _ = plane.reconcile(state)
    var fresh = Fixture.controlPlane(seed % 2 == 0 ? .dual : .ipv4)
    _ = fresh.reconcile(state)
    for endpoint in plane.endpoints {
      guard let pod = endpoint.pod, let other = fresh.endpoint(of: pod) else { continue }
      #expect(endpoint.identity == other.identity)
      #expect(
        plane.image(of: endpoint.node)?.policyLines(endpoint.id)
          == fresh.image(of: other.node)?.policyLines(other.id), "\(pod)")
    }
  }

  /// Pods that come, change and go one by one give what all objects at once would.
  @Test(arguments: [UInt64(11), 12])
  func singlePodsAddUp(_ seed: UInt64) throws {
    var random = Seeded(state: seed)
    var one = Fixture.controlPlane()
    var all = Fixture.controlPlane()
    var told: [String: NodeMaps] = [:]
    var state = Fixture.state()
    for index in stride(from: 0, to: 20, by: 4) { state.apply(object(index, &random)) }
    state.apply(
      .service(
        Service(
          metadata: Metadata(namespace: "default", name: "web"), ports: [ServicePort(80)],
          selector: ["app": "a", "tier": "x"])))
    func tell(_ updates: [NodeUpdate]) {
      for update in updates {
        for change in update.changes { told[update.node, default: NodeMaps()].apply(change) }
      }
    }
    tell(one.reconcile(state))
    _ = all.reconcile(state)
    var singly = 0
    for round in 0..<80 {
      var changed: [ObjectReference] = []
      for _ in 0..<Int.random(in: 1...2, using: &random) {
        let pod = object(Int.random(in: 0..<20, using: &random) * 4 + 2, &random)
        changed.append(pod.reference)
        if Int.random(in: 0..<3, using: &random) == 0 {
          state[pod.reference] = nil
        } else {
          state.apply(pod)
        }
      }
      let updates = one.reconcilePods(state, changed)
      if updates != nil { singly += 1 }
      tell(updates ?? one.reconcile(state))
      _ = all.reconcile(state)
      #expect(one.pods == all.pods && one.endpoints == all.endpoints && one.identities == all.identities)
      for node in one.nodes {
        let image = try #require(one.image(of: node.name))
        let whole = try #require(all.image(of: node.name))
        guard isSame(image.maps, whole.maps), isSame(told[node.name] ?? NodeMaps(), image.maps) else {
          Issue.record("seed \(seed), round \(round): the images of \(node.name) differ")
          return
        }
        #expect(image.attachments.map(\.device) == whole.attachments.map(\.device))
        #expect(image.endpointConfigs.map(\.security_label) == whole.endpointConfigs.map(\.security_label))
      }
    }
    #expect(singly > 15 && singly < 80)
  }

  /// A pod with a known identity is a line in each ipcache, and nothing else on other nodes.
  @Test func oneMorePodOfAKnownIdentityTouchesLittle() throws {
    var plane = Fixture.controlPlane()
    _ = plane.reconcile(Fixture.state(Fixture.kind(), Fixture.flagship))
    let twin = Fixture.pod("nginx-two", on: "kind-worker", labels: ["app": "nginx-server"])
    let updates = plane.reconcile(
      Fixture.state(
        Fixture.kind(), Fixture.flagship.filter { $0.metadata.name != "nginx-svc" } + [.pod(twin)]))
    let elsewhere = try #require(updates.first { $0.node == "kind-worker2" })
    #expect(elsewhere.changes.filter { $0.map == .ipcache }.count == 1)
    #expect(!elsewhere.changes.contains { $0.map == .policy })
    let home = try #require(updates.first { $0.node == "kind-worker" })
    #expect(home.changes.filter { $0.map == .policy }.count == 2)
    #expect(home.attachments != nil && elsewhere.attachments == nil)
  }

  @Test func otherValuesReachEveryNode() throws {
    var plane = Fixture.controlPlane()
    let state = Fixture.state(Fixture.kind(), Fixture.flagship)
    _ = plane.reconcile(state)
    var settings = Fixture.settings()
    settings.policy.enforcement = .always
    settings.bpf.monitorAggregation = .none
    plane.configure(settings)
    let updates = plane.reconcile(state)
    #expect(updates.count == 3 && updates.allSatisfy { $0.attachments != nil && $0.endpointConfigs != nil })
    let server = try #require(plane.endpoint(of: Fixture.pod("nginx-server")))
    #expect(plane.image(of: "kind-worker")?.policyLines(server.id).isEmpty == true)
    #expect(plane.image(of: "kind-worker")?.endpointConfig(server.id)?.monitor_aggregation == 0)
  }
}
