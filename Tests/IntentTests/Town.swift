import Cluster
import Intent
import Wire

/// A small cluster to ask questions about: web, client and other in `default`, monitor in `ops`, two nodes, and
/// the world.
struct Town {
  var cluster = ClusterState()
  var settings = Settings()
  var options = IntentOptions()

  init() {
    settings.clusterName = "kind"
    for (name, isControlPlane) in [("n1", true), ("n2", false)] {
      let labels: Labels = isControlPlane ? [Node.controlPlaneLabel: ""] : ["zone": "a"]
      cluster.apply(
        .node(
          Node(
            metadata: Metadata(name: name, labels: labels),
            addresses: [ip(name == "n1" ? "172.18.0.2" : "172.18.0.3")])))
    }
    cluster.apply(.namespace(Namespace(metadata: Metadata(name: "ops", labels: ["team": "ops"]))))
    addPod("default/web", ["app": "web"], "n1", "10.244.0.10")
    addPod("default/client", ["app": "client"], "n2", "10.244.1.11")
    addPod("default/other", [:], "n2", "10.244.1.12")
    addPod("ops/monitor", ["app": "client", "role": "monitor"], "n2", "10.244.1.13")
  }

  mutating func addPod(
    _ name: String, _ labels: Labels, _ node: String, _ address: String, ports: [ContainerPort]? = nil
  ) {
    let parts = name.split(separator: "/").map(String.init)
    let ports = ports ?? [ContainerPort(name: "http", 80), ContainerPort(name: "dns", 53, .udp)]
    cluster.apply(
      .pod(
        Pod(
          metadata: Metadata(namespace: parts[0], name: parts[1], labels: labels),
          spec: PodSpec(containers: [Container(name: "c", ports: ports)], nodeName: node),
          podIPs: [ip(address)])))
  }

  mutating func apply(_ objects: ClusterObject...) {
    for object in objects { cluster.apply(object) }
  }

  var intent: Intent { Intent(cluster, settings: settings, options: options) }

  func subject(_ name: String) -> Subject {
    if let address = IPAddress(name) { return .world(address) }
    let parts = name.split(separator: "/").map(String.init)
    if parts[0] == "node", let node = cluster.nodes["", parts[1]] { return .node(node) }
    let id = parts.count == 1 ? ("default", parts[0]) : (parts[0], parts[1])
    guard let pod = cluster.pods[id.0, id.1] else { return .world(ip("192.0.2.99"), name: "missing \(name)") }
    return .pod(pod, in: cluster)
  }

  func answer(_ from: String, _ to: String, _ transport: Transport = .tcp(80)) -> PolicyAnswer {
    let (from, to) = (subject(from), subject(to))
    let family = to.addresses.first?.family ?? .ipv4
    return intent.answer(Traffic(from: from, to: to, transport, family: family))
  }

  /// The verdict in one letter: `.` allowed, `7` redirected, `X` no rule, `D` a deny rule, `A` authentication.
  func cell(_ from: String, _ to: String, _ transport: Transport = .tcp(80)) -> Character {
    let answer = answer(from, to, transport)
    switch answer.dropping?.drop {
    case .noRule: return "X"
    case .denyRule: return "D"
    case .authenticationRequired: return "A"
    case nil: return answer.verdict == .redirected ? "7" : "."
    }
  }

  /// The cells of one question asked by several.
  func row(_ from: [String], _ to: String, _ transport: Transport = .tcp(80)) -> String {
    String(from.map { cell($0, to, transport) })
  }
}

func ip(_ text: String) -> IPAddress { IPAddress(text) ?? .v4(.unspecified) }

func cidr(_ text: String) -> Located<CIDR> {
  Located(CIDR(text) ?? CIDR(.v4(.unspecified)))
}

func policy(
  _ name: String = "p", in namespace: String = "default", on labels: Labels = ["app": "web"],
  ingress: [TrafficRule]? = nil, ingressDeny: [TrafficRule]? = nil, egress: [TrafficRule]? = nil,
  egressDeny: [TrafficRule]? = nil, defaultDeny: PolicyRule.DefaultDeny = .init()
) -> ClusterObject {
  .ciliumPolicy(
    CiliumNetworkPolicy(
      metadata: Metadata(namespace: namespace, name: name),
      scope: namespace.isEmpty ? .clusterwide : .namespaced,
      rules: [
        PolicyRule(
          endpointSelector: LabelSelector(matchLabels: labels), ingress: ingress, ingressDeny: ingressDeny,
          egress: egress, egressDeny: egressDeny, enableDefaultDeny: defaultDeny)
      ]))
}

/// A rule about endpoints of these labels; of everyone when nil.
func rule(_ labels: Labels?, _ ports: PortProtocol..., http: [HTTPRule]? = nil) -> TrafficRule {
  rule(
    labels.map { PolicyPeers(endpoints: [LabelSelector(matchLabels: $0)]) } ?? PolicyPeers(), ports,
    http: http)
}

func rule(_ peers: PolicyPeers, _ ports: [PortProtocol] = [], http: [HTTPRule]? = nil) -> TrafficRule {
  let rules = http.map { L7Rules(http: $0) }
  return TrafficRule(peers: peers, toPorts: ports.isEmpty ? nil : [PortRule(ports: ports, rules: rules)])
}

func tcp(_ port: UInt16, to end: UInt16? = nil) -> PortProtocol {
  PortProtocol(.number(port), endPort: end, .tcp)
}

let everybody = ["client", "other", "ops/monitor", "node/n1", "node/n2", "203.0.113.7"]
