import Cluster
import Manifests
import MapABI
import Testing
import Wire

@testable import ControlPlane

@Suite("Policy maps") struct PolicyTests {
  /// A control plane with the flagship's pods and policies written in YAML.
  private func plane(
    _ yaml: String, _ more: [ClusterObject] = [], family: KindConfiguration.IPFamily = .ipv4,
    change: (inout Settings) -> Void = { _ in }
  ) throws -> ControlPlane {
    let set = ManifestReader().read(yaml, file: "policy.yaml")
    try #require(set.findings.isEmpty, "\(set.findings)")
    var settings = Fixture.settings(family)
    change(&settings)
    var plane = ControlPlane(settings: settings, network: Fixture.kind(family).network)
    _ = plane.reconcile(
      Fixture.state(Fixture.kind(family), Fixture.flagship + more + set.entries.map(\.object)))
    return plane
  }

  /// The policy map of a pod, with names for identities.
  private func lines(_ plane: ControlPlane, _ pod: String, egress: Bool? = false) throws -> [String] {
    let endpoint = try #require(plane.endpoint(of: Fixture.pod(pod)))
    var names: [UInt32: String] = [:]
    for pod in plane.endpoints { names[pod.identity] = pod.pod?.name }
    return try #require(plane.image(of: endpoint.node)).policyLines(endpoint.id).compactMap { line in
      let words = line.split(separator: " ")
      guard egress == nil || (words[0] == "egress") == egress else { return nil }
      let name = UInt32(words[1]).flatMap { names[$0] } ?? String(words[1])
      return ([String(words[0]), name] + words.dropFirst(2).map(String.init)).joined(separator: " ")
    }.sorted()
  }

  private func policy(_ spec: String, name: String = "p") -> String {
    """
    apiVersion: cilium.io/v2
    kind: CiliumNetworkPolicy
    metadata: {name: \(name)}
    spec:
      endpointSelector: {matchLabels: {app: nginx-server}}
      \(spec.replacing("\n", with: "\n  "))
    """
  }

  private let localhost = "ingress 1 allow fffff501"

  @Test func withoutPolicyEverythingIsAllowed() throws {
    #expect(
      try lines(plane(""), "nginx-server", egress: nil)
        == ["egress 0 allow ffffff01", "ingress 0 allow ffffff01"])
  }

  @Test func allowOnAPort() throws {
    let plane = try plane(
      policy(
        "ingress: [{fromEndpoints: [{matchLabels: {app: curl-client}}], toPorts: [{ports: [{port: '80', protocol: TCP}]}]}]"
      ))
    #expect(
      try lines(plane, "nginx-server", egress: nil) == [
        "egress 0 allow ffffff01", localhost, "ingress curl-client proto 6 80/16 allow ffffff01",
      ])
    // The others have no policy.
    #expect(try lines(plane, "curl-client", egress: nil).count == 2)
    let server = try #require(plane.endpoint(of: Fixture.pod("nginx-server")))
    let client = try #require(plane.endpoint(of: Fixture.pod("curl-client"))?.identity)
    let rendering = try #require(plane.policy(node: "kind-worker", endpoint: server.id))
    #expect(rendering.enforcesIngress && !rendering.enforcesEgress)
    let key = PolicyKey(identity: client, egress: false, protocol: 6, port: 80)
    #expect(
      rendering.origins(of: key).map(\.description) == ["CiliumNetworkPolicy default/p ingress[0]"])
    #expect(rendering.origins(of: key).first?.location.line == 6)
  }

  @Test func denyAndDefaultDeny() throws {
    let deny = "ingressDeny: [{fromEndpoints: [{matchLabels: {app: curl-client}}]}]"
    #expect(
      try lines(plane(policy(deny)), "nginx-server") == [localhost, "ingress curl-client deny ffffffff"])
    #expect(
      try lines(plane(policy("enableDefaultDeny: {ingress: false}\n\(deny)")), "nginx-server")
        == ["ingress 0 allow fffff501", "ingress curl-client deny ffffffff"])
  }

  /// nil, empty and [{}] mean different things.
  @Test func whatAllowsNobody() throws {
    #expect(try lines(plane(policy("ingress: [{}]")), "nginx-server") == [localhost])
    #expect(try lines(plane(policy("ingress: [{fromEndpoints: []}]")), "nginx-server") == [localhost])
    #expect(
      try lines(
        plane(policy("ingress: [{fromEndpoints: [], toPorts: [{ports: [{port: '80'}]}]}]")), "nginx-server")
        == [localhost])
    #expect(
      try lines(plane(policy("ingress: [{fromEndpoints: [{}]}]")), "nginx-server") == [
        localhost, "ingress curl-client allow ffffff01", "ingress nginx-server allow ffffff01",
        "ingress other-client allow ffffff01",
      ])
    // An empty list beside another direction does nothing.
    #expect(
      try lines(plane(policy("ingress: []\negress: [{}]")), "nginx-server", egress: nil)
        == ["ingress 0 allow ffffff01"])
  }

  @Test func protocolsRangesAndWildcards() throws {
    let any = try plane(policy("ingress: [{toPorts: [{ports: [{port: '53'}]}]}]"))
    #expect(
      try lines(any, "nginx-server") == [
        "ingress 0 proto 132 53/16 allow ffffff01", "ingress 0 proto 17 53/16 allow ffffff01",
        "ingress 0 proto 6 53/16 allow ffffff01", localhost,
      ])
    let range = try plane(
      policy("ingress: [{toPorts: [{ports: [{port: '8080', endPort: 8090, protocol: TCP}]}]}]"))
    #expect(
      try lines(range, "nginx-server") == [
        "ingress 0 proto 6 8080/13 allow ffffff01", "ingress 0 proto 6 8088/15 allow ffffff01",
        "ingress 0 proto 6 8090/16 allow ffffff01", localhost,
      ])
    let everyPort = try plane(policy("ingress: [{toPorts: [{ports: [{port: '0', protocol: UDP}]}]}]"))
    #expect(
      try lines(everyPort, "nginx-server") == ["ingress 0 proto 17 allow ffffff01", localhost])
    let icmp = try plane(policy("ingress: [{icmps: [{fields: [{type: 8}, {type: 128, family: IPv6}]}]}]"))
    #expect(
      try lines(icmp, "nginx-server") == [
        "ingress 0 proto 1 8/16 allow ffffff01", "ingress 0 proto 58 128/16 allow ffffff01", localhost,
      ])
  }

  /// What the wildcard on a port allows needs no entry for anybody; on all ports it does, as in Cilium.
  @Test func entriesThatSayNothingNewAreLeftOut() throws {
    let onPort = try plane(
      policy(
        """
        ingress:
          - toPorts: [{ports: [{port: '80', protocol: TCP}]}]
          - fromEndpoints: [{matchLabels: {app: curl-client}}]
            toPorts: [{ports: [{port: '80', protocol: TCP}]}]
        """))
    #expect(
      try lines(onPort, "nginx-server") == ["ingress 0 proto 6 80/16 allow ffffff01", localhost])
    let onAll = try plane(
      policy("ingress: [{fromEntities: [all]}, {fromEndpoints: [{matchLabels: {app: curl-client}}]}]"))
    // The local host's entry ranks lower and is covered.
    #expect(
      try lines(onAll, "nginx-server") == [
        "ingress 0 allow ffffff01", "ingress curl-client allow ffffff01",
      ])
    let denied = try plane(
      policy(
        """
        ingress:
          - fromEndpoints: [{matchLabels: {app: curl-client}}]
            toPorts: [{ports: [{port: '80', protocol: TCP}]}]
        ingressDeny: [{fromEndpoints: [{matchLabels: {app: curl-client}}]}]
        """))
    #expect(try lines(denied, "nginx-server") == [localhost, "ingress curl-client deny ffffffff"])
  }

  @Test func entities() throws {
    func entity(_ name: String, _ family: KindConfiguration.IPFamily = .ipv4) throws -> [String] {
      try lines(plane(policy("ingress: [{fromEntities: [\(name)]}]"), family: family), "nginx-server")
        .filter { $0 != localhost }
    }
    #expect(
      try entity("world") == [
        "ingress 10 allow ffffff01", "ingress 2 allow ffffff01", "ingress 9 allow ffffff01",
      ])
    #expect(try entity("host") == ["ingress 1 allow ffffff01"])
    #expect(try entity("remote-node") == ["ingress 6 allow ffffff01", "ingress 7 allow ffffff01"])
    #expect(try entity("kube-apiserver") == ["ingress 7 allow ffffff01"])
    #expect(try entity("none").isEmpty)
    let cluster = try entity("cluster")
    for line in ["1", "3", "4", "5", "6", "7", "8", "curl-client", "nginx-server", "other-client"] {
      #expect(cluster.contains("ingress \(line) allow ffffff01"))
    }
    #expect(!cluster.contains("ingress 2 allow ffffff01"))
  }

  /// On the node of the API server, the host is the API server too.
  @Test func theHostOfTheAPIServer() throws {
    var pod = Fixture.pod("on-control-plane", on: "kind-control-plane", labels: ["app": "nginx-server"])
    pod.spec.tolerations = [Toleration(op: .exists)]
    let plane = try plane(policy("ingress: [{fromEntities: [kube-apiserver]}]"), [.pod(pod)])
    #expect(
      try lines(plane, "on-control-plane") == ["ingress 1 allow ffffff01", "ingress 7 allow ffffff01"])
    #expect(try lines(plane, "nginx-server") == [localhost, "ingress 7 allow ffffff01"])
  }

  @Test func prefixesGetIdentities() throws {
    let plane = try plane(
      policy(
        "egress: [{toCIDRSet: [{cidr: 203.0.113.0/24, except: [203.0.113.128/25]}]}, {toCIDR: [172.18.0.2/32]}]"
      ))
    let whole = try #require(plane.identities.first { $0.labels.cidrs == [Fixture.cidr("203.0.113.0/24")] })
    let part = try #require(plane.identities.first { $0.labels.cidrs == [Fixture.cidr("203.0.113.128/25")] })
    #expect(whole.number >> 24 == 1 && part.number >> 24 == 1)
    #expect(
      whole.labels.labels.map(\.description) == ["cidr:203.0.113.0/24", "reserved:world"])
    let lines = try #require(plane.image(of: "kind-worker")?.ipcacheLines)
    #expect(lines.contains("203.0.113.0/24 \(whole.number)"))
    #expect(lines.contains("203.0.113.128/25 \(part.number)"))
    // A node stays a node: prefixes do not select it.
    #expect(lines.contains("172.18.0.2/32 7"))
    #expect(
      try self.lines(plane, "nginx-server", egress: true) == ["egress \(whole.number) allow ffffff01"])
  }

  @Test func everyAddressIsTheWorld() throws {
    func numbers(_ family: KindConfiguration.IPFamily, _ cidr: String) throws -> [String] {
      try lines(
        plane(policy("egress: [{toCIDR: ['\(cidr)']}]"), family: family), "nginx-server", egress: true)
    }
    #expect(try numbers(.ipv4, "0.0.0.0/0") == ["egress 2 allow ffffff01"])
    #expect(try numbers(.dual, "0.0.0.0/0") == ["egress 9 allow ffffff01"])
    #expect(try numbers(.dual, "::/0") == ["egress 10 allow ffffff01"])
  }

  @Test func namedPorts() throws {
    func server(_ name: String, _ port: UInt16) -> ClusterObject {
      .pod(
        Fixture.pod(
          name, on: "kind-worker", labels: ["app": "named"], ports: [ContainerPort(name: "web", port)]))
    }
    let yaml = """
      apiVersion: cilium.io/v2
      kind: CiliumNetworkPolicy
      metadata: {name: named}
      spec:
        endpointSelector: {matchLabels: {app: named}}
        ingress: [{toPorts: [{ports: [{port: web, protocol: TCP}]}]}]
        egress:
          - toEndpoints: [{matchLabels: {app: named}}]
            toPorts: [{ports: [{port: web, protocol: TCP}]}]
      """
    let plane = try plane(yaml, [server("n1", 8080), server("n2", 9090)])
    #expect(
      try lines(plane, "n1") == ["ingress 0 proto 6 8080/16 allow ffffff01", localhost])
    #expect(
      try lines(plane, "n2") == ["ingress 0 proto 6 9090/16 allow ffffff01", localhost])
    #expect(
      try lines(plane, "n1", egress: true) == [
        "egress n1 proto 6 8080/16 allow ffffff01", "egress n2 proto 6 9090/16 allow ffffff01",
      ])
  }

  @Test func namespacesAndTheCluster() throws {
    let elsewhere: [ClusterObject] = [
      .namespace(Namespace(metadata: Metadata(name: "shop", labels: ["team": "blue"]))),
      .pod(Fixture.pod("shopper", in: "shop", on: "kind-worker2", labels: ["app": "curl-client"])),
    ]
    func who(_ selector: String) throws -> [String] {
      try lines(plane(policy("ingress: [{fromEndpoints: [\(selector)]}]"), elsewhere), "nginx-server")
        .filter { $0 != localhost }.compactMap { $0.split(separator: " ").dropFirst().first.map(String.init) }
    }
    #expect(try who("{matchLabels: {app: curl-client}}") == ["curl-client"])
    #expect(
      try who("{matchLabels: {app: curl-client, 'k8s:io.kubernetes.pod.namespace': shop}}") == ["shopper"])
    #expect(try who("{matchLabels: {'io.kubernetes.pod.namespace': shop}}") == ["shopper"])
    #expect(
      try who("{matchLabels: {'k8s:io.cilium.k8s.namespace.labels.team': blue}}") == ["shopper"])
    #expect(
      try who("{matchExpressions: [{key: 'k8s:io.kubernetes.pod.namespace', operator: Exists}]}").filter {
        $0.hasSuffix("client") || $0 == "shopper"
      } == ["curl-client", "other-client", "shopper"])
    #expect(try who("{matchLabels: {'reserved:host': ''}}") == ["1"])
    #expect(try who("{matchLabels: {'k8s:io.cilium.k8s.policy.cluster': other}}").isEmpty)
  }

  @Test func policiesOfTheCluster() throws {
    let yaml = """
      apiVersion: cilium.io/v2
      kind: CiliumClusterwideNetworkPolicy
      metadata: {name: wide}
      spec:
        endpointSelector: {matchLabels: {app: nginx-server}}
        ingress: [{fromEndpoints: [{}]}]
      """
    let found = try lines(plane(yaml), "nginx-server").filter { !$0.contains(" 1 ") }
    // Every pod of every namespace, and nothing that is no pod.
    #expect(found.count == 4 && found.contains("ingress curl-client allow ffffff01"))
    #expect(found.contains { $0.contains("coredns") })
  }

  @Test func kubernetesPolicies() throws {
    func lines(_ spec: String) throws -> [String] {
      let yaml = """
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: np}
        spec:
          podSelector: {matchLabels: {app: nginx-server}}
          \(spec)
        """
      return try self.lines(plane(yaml), "nginx-server", egress: nil)
    }
    let egressOpen = "egress 0 allow ffffff01"
    #expect(try lines("policyTypes: [Ingress]") == [egressOpen, localhost])
    #expect(try lines("policyTypes: [Egress]") == ["ingress 0 allow ffffff01"])
    #expect(try lines("ingress: [{}]") == [egressOpen, "ingress 0 allow ffffff01"])
    #expect(
      try lines("ingress: [{from: [{podSelector: {matchLabels: {app: curl-client}}}], ports: [{port: 80}]}]")
        == [
          egressOpen, localhost, "ingress curl-client proto 6 80/16 allow ffffff01",
        ])
    #expect(
      try lines("ingress: [{from: [{namespaceSelector: {}}]}]").filter { $0.contains("client") } == [
        "ingress curl-client allow ffffff01", "ingress other-client allow ffffff01",
      ])
    #expect(
      try lines("ingress: [{ports: [{port: 8000, endPort: 8001}]}]") == [
        egressOpen, "ingress 0 proto 6 8000/15 allow ffffff01", localhost,
      ])
    let block = try lines(
      "policyTypes: [Egress]\n  egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}]}]")
    #expect(block == ["egress 2 allow ffffff01", "ingress 0 allow ffffff01"])
  }

  @Test func enforcementModes() throws {
    let deny = policy("ingressDeny: [{fromEntities: [world]}]")
    #expect(
      try lines(plane(deny) { $0.policy.enforcement = .never }, "nginx-server", egress: nil)
        == ["egress 0 allow ffffff01", "ingress 0 allow ffffff01"])
    // Always, and no rule: nothing at all gets in, not even the local host.
    #expect(try lines(plane("") { $0.policy.enforcement = .always }, "nginx-server", egress: nil).isEmpty)
  }

  @Test func whatIsNotModelledIsReported() throws {
    func findings(_ spec: String) throws -> [Finding] { try plane(policy(spec)).findings }
    let specs = [
      "egress: [{toGroups: [{aws: {securityGroupsIds: [sg-1]}}]}]",
      "ingress: [{fromGroups: [{aws: {securityGroupsIds: [sg-1]}}]}]",
    ]
    for spec in specs {
      let found = try findings(spec).filter { $0.severity == .unmodelled }
      #expect(found.count == 1 && found.first?.location.line == 6, "\(spec)")
    }
    #expect(try findings("ingress: [{fromEntities: [world]}]").isEmpty)
  }

  @Test func aRefusedPolicyIsNotEnforced() throws {
    let rule = PolicyRule(
      endpointSelector: LabelSelector(),
      ingress: [TrafficRule(peers: PolicyPeers(endpoints: [LabelSelector()], entities: [Located(.world)]))])
    let policy = CiliumNetworkPolicy(
      metadata: Metadata(namespace: "default", name: "p"), rules: [rule])
    var plane = Fixture.controlPlane()
    _ = plane.reconcile(Fixture.state(Fixture.kind(), Fixture.flagship + [.ciliumPolicy(policy)]))
    #expect(try lines(plane, "nginx-server") == ["ingress 0 allow ffffff01"])
    #expect(plane.findings.map(\.id) == ["policy-refused"])
    #expect(plane.findings.first?.authority == .agent)
  }
}
