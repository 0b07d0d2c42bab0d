import Cluster
import ControlPlane
import Intent
import MapABI
import Wire

/// 10,000 pods with 2,000 identities under 1,000 policies, on 100 nodes: what it takes to render them, and to follow
/// what changes.
struct ScaleBench {
  static let namespaces = 20
  static let appsPerNamespace = 100
  static let podsPerApp = 5
  static let nodes = 100

  func run() {
    var state = Self.cluster()
    var plane = ControlPlane(settings: Self.settings, network: Self.kind.network)
    let before = Stopwatch.peakMemory()
    let (seconds, updates) = Stopwatch.seconds { plane.reconcile(state) }
    let memory = Stopwatch.peakMemory()
    var entries = 0
    for node in plane.nodes {
      guard let maps = plane.image(of: node.name)?.maps else { continue }
      entries += maps.policies.endpoints.reduce(0) { $0 + (maps.policies[$1]?.count ?? 0) }
    }
    let changes = updates.reduce(0) { $0 + $1.changes.count }
    print(
      "policy: \(plane.pods.count) pods, \(plane.identities.count) identities, \(state.networkPolicies.count)"
        + " policies, \(plane.nodes.count) nodes: \(entries) policy entries, \(changes) changes of maps")
    print("policy: memory before the rendering: \(Int(before)) MiB")
    print(Claim("policy: rendered from nothing, s", seconds, atMost: 3))
    print(Claim("policy: peak memory, MiB", memory, atMost: 600))
    print(Claim("policy: pod with a known identity, ms", add(20, &state, &plane) { $0 % 100 }, atMost: 1))
    print(Claim("policy: pod with a new identity, ms", add(20, &state, &plane) { 1000 + $0 }, atMost: 20))
    matrix()
  }

  /// The mean over pods that come one by one, each with an app of its own in the order of `app`.
  private func add(
    _ count: Int, _ state: inout ClusterState, _ plane: inout ControlPlane, app: (Int) -> Int
  ) -> Double {
    var total = 0.0
    var changes = 0
    for number in 0..<count {
      let pod = Self.pod(namespace: number % Self.namespaces, app: app(number), "new-\(app(0))-\(number)")
      state.apply(.pod(pod))
      let start = Stopwatch.processorTime()
      let updates = plane.reconcile(state, changed: [pod.reference])
      total += Stopwatch.processorTime() - start
      changes += updates.reduce(0) { $0 + $1.changes.count }
    }
    print("policy: \(count) pods added: \(changes / count) changes of maps each")
    return total / Double(count) / 1e6
  }

  /// 500 workloads against each other.
  private func matrix() {
    let state = Self.cluster(podsPerApp: 1, apps: 25)
    let (seconds, count) = Stopwatch.seconds {
      let intent = Intent(state, settings: Self.settings)
      let matrix = intent.matrix(
        from: intent.endpoints, to: intent.endpoints, on: [Transport(.tcp, 80)])
      return matrix.rows.count
    }
    print(Claim("policy: matrix of \(count) workloads, s", seconds, atMost: 2))
  }

  private static let kind = KindConfiguration(
    machines: [.init(role: .controlPlane)] + (0..<nodes).map { _ in .init(role: .worker) },
    kubeProxy: false)

  private static let settings: Settings = {
    var settings = Settings()
    settings.clusterName = "kind-kind"
    settings.ipam.mode = .kubernetes
    settings.kubeProxyReplacement.enabled = true
    return settings
  }()

  private static func pod(namespace: Int, app: Int, _ name: String) -> Pod {
    let worker = 1 + (namespace * 31 + app) % nodes
    return Pod(
      metadata: Metadata(
        namespace: "team-\(namespace)", name: name,
        labels: ["app": "app-\(app)", "tier": app % 3 == 0 ? "front" : "back"]),
      spec: PodSpec(
        containers: [Container(name: "main")],
        nodeName: worker == 1 ? "kind-worker" : "kind-worker\(worker)"))
  }

  private static func cluster(podsPerApp: Int = podsPerApp, apps: Int = appsPerNamespace) -> ClusterState {
    var objects = kind.nodes.map(ClusterObject.node)
    for namespace in 0..<namespaces {
      objects.append(
        .namespace(
          Namespace(
            metadata: Metadata(name: "team-\(namespace)", labels: ["group": "g\(namespace % 4)"]))))
      for app in 0..<apps {
        for pod in 0..<podsPerApp {
          objects.append(.pod(Self.pod(namespace: namespace, app: app, "a\(app)-\(pod)")))
        }
      }
      for number in 0..<50 { objects.append(.networkPolicy(policy(number, namespace: namespace))) }
    }
    return ClusterState(objects)
  }

  /// Policies of the kinds that clusters have: between apps, from a tier, from other teams, to a prefix.
  private static func policy(_ number: Int, namespace: Int) -> NetworkPolicy {
    let own = LabelSelector(matchLabels: ["app": "app-\(number * 2)"])
    func port(_ number: UInt16) -> NetworkPolicyPort { NetworkPolicyPort(.number(number)) }
    var ingress: [NetworkPolicyRule] = []
    var egress: [NetworkPolicyRule]?
    switch number % 5 {
    case 0, 1:
      let peer = NetworkPolicyPeer(podSelector: LabelSelector(matchLabels: ["app": "app-\(number * 2 + 1)"]))
      ingress = [NetworkPolicyRule(peers: [peer], ports: [port(80), port(8080)])]
    case 2:
      let peer = NetworkPolicyPeer(podSelector: LabelSelector(matchLabels: ["tier": "front"]))
      ingress = [NetworkPolicyRule(peers: [peer], ports: [port(443)])]
    case 3:
      let peer = NetworkPolicyPeer(
        podSelector: LabelSelector(matchLabels: ["app": "app-\(number)"]),
        namespaceSelector: LabelSelector(matchLabels: ["group": "g\(namespace % 4)"]))
      ingress = [NetworkPolicyRule(peers: [peer], ports: [port(80)])]
    default:
      let prefix = CIDR("198.51.\(number).0/24") ?? CIDR(.v4(.unspecified))
      egress = [
        NetworkPolicyRule(peers: [NetworkPolicyPeer(ipBlock: .init(cidr: prefix))], ports: [port(443)]),
        NetworkPolicyRule(peers: [NetworkPolicyPeer(podSelector: LabelSelector())]),
      ]
      ingress = [NetworkPolicyRule(peers: [NetworkPolicyPeer(podSelector: LabelSelector())])]
    }
    return NetworkPolicy(
      metadata: Metadata(namespace: "team-\(namespace)", name: "p\(number)"), podSelector: own,
      policyTypes: egress == nil ? [.ingress] : [.ingress, .egress], ingress: ingress, egress: egress)
  }
}
