import Cluster
import Manifests
import MapABI
import Testing
import Wire

@testable import ControlPlane

/// Peers that stand for something else: groups of prefixes, nodes, services; and tiers and authentication.
@Suite("Policy maps, peers by reference") struct PolicyPeerTests {
  private func plane(
    _ yaml: String, _ more: [ClusterObject] = [], change: (inout Settings) -> Void = { _ in }
  ) throws -> ControlPlane {
    let set = ManifestReader().read(yaml, file: "policy.yaml")
    try #require(set.findings.isEmpty, "\(set.findings)")
    var settings = Fixture.settings()
    settings.policy.clusterNetworkPolicies = true
    change(&settings)
    var plane = ControlPlane(settings: settings, network: Fixture.kind().network)
    _ = plane.reconcile(
      Fixture.state(Fixture.kind(), Fixture.flagship + more + set.entries.map(\.object)))
    return plane
  }

  /// The entries of a pod's map in one direction, with names for pods and labels for local identities.
  private func lines(
    _ plane: ControlPlane, _ pod: String = "nginx-server", egress: Bool = true
  ) throws -> [String] {
    let endpoint = try #require(plane.endpoint(of: Fixture.pod(pod)))
    var names: [UInt32: String] = [:]
    for pod in plane.endpoints { names[pod.identity] = pod.pod?.name }
    for identity in plane.identities where identity.number >> 24 != 0 {
      names[identity.number] = identity.labels.labels.filter { $0.source != "reserved" }.map(\.key)
        .sorted().joined(separator: "&")
    }
    return try #require(plane.image(of: endpoint.node)).policyLines(endpoint.id).compactMap { line in
      let words = line.split(separator: " ")
      guard (words[0] == "egress") == egress else { return nil }
      let name = UInt32(words[1]).flatMap { names[$0] } ?? String(words[1])
      return ([name] + words.dropFirst(2).map(String.init)).joined(separator: " ")
    }.sorted()
  }

  private func policy(_ spec: String, _ more: String = "") -> String {
    """
    apiVersion: cilium.io/v2
    kind: CiliumNetworkPolicy
    metadata: {name: p}
    spec:
      endpointSelector: {matchLabels: {app: nginx-server}}
      \(spec.replacing("\n", with: "\n  "))
    \(more)
    """
  }

  private let groups = """
    ---
    apiVersion: cilium.io/v2
    kind: CiliumCIDRGroup
    metadata: {name: partners, labels: {kind: partner}}
    spec: {externalCIDRs: [203.0.113.0/24, 198.51.100.0/24]}
    ---
    apiVersion: cilium.io/v2
    kind: CiliumCIDRGroup
    metadata: {name: offices, labels: {kind: office}}
    spec: {externalCIDRs: [203.0.113.128/25]}
    """

  @Test func groupsByName() throws {
    let plane = try plane(policy("egress: [{toCIDRSet: [{cidrGroupRef: partners}]}]", groups))
    let name = "io.cilium.policy.cidrgroupname"
    #expect(
      try lines(plane) == [
        "\(name)/offices&\(name)/partners&kind&kind+office&kind+partner allow ffffff01",
        "\(name)/partners&kind&kind+partner allow ffffff01",
      ])
    // Both prefixes of a group have one identity, and a narrower group's has the labels of both.
    let facts = try #require(plane.image(of: "kind-worker")?.ipcacheLines)
    func identity(_ prefix: String) -> Substring? {
      facts.first { $0.hasPrefix(prefix) }.map { $0.split(separator: " ")[1] }
    }
    #expect(identity("203.0.113.0/24") == identity("198.51.100.0/24"))
    #expect(identity("203.0.113.128/25") != identity("203.0.113.0/24"))
  }

  @Test func groupsByLabelAndExceptions() throws {
    func targets(_ set: String) throws -> [String] {
      try lines(plane(policy("egress: [{toCIDRSet: [\(set)]}]", groups))).map { line in
        String(line.prefix { $0 != " " }).replacing("io.cilium.policy.cidrgroupname/", with: "")
      }
    }
    #expect(
      try targets("{cidrGroupSelector: {matchLabels: {kind: office}}}") == [
        "offices&partners&kind&kind+office&kind+partner"
      ])
    #expect(try targets("{cidrGroupSelector: {matchLabels: {kind: other}}}").isEmpty)
    #expect(try targets("{cidrGroupRef: missing}").isEmpty)
    // What is left out has an identity of its own, which has its group's labels all the same.
    #expect(
      try targets("{cidrGroupRef: partners, except: [198.51.100.0/24]}").count == 2)
    // Pods are in no group, so that the absence of one selects them.
    let absent = "{cidrGroupSelector: {matchExpressions: [{key: kind, operator: DoesNotExist}]}}"
    #expect(try targets(absent).contains("curl-client"))
  }

  @Test func groupsChange() throws {
    let set = ManifestReader().read(
      policy("egress: [{toCIDRSet: [{cidrGroupRef: partners}]}]", groups), file: "p.yaml")
    var state = Fixture.state(Fixture.kind(), Fixture.flagship + set.entries.map(\.object))
    var plane = Fixture.controlPlane()
    _ = plane.reconcile(state)
    #expect(try lines(plane).count == 2)
    state.apply(.cidrGroup(CiliumCIDRGroup(metadata: Metadata(name: "partners"))))
    _ = plane.reconcile(state)
    #expect(try lines(plane).isEmpty)
    var fresh = Fixture.controlPlane()
    _ = fresh.reconcile(state)
    #expect(plane.image(of: "kind-worker")?.ipcacheLines == fresh.image(of: "kind-worker")?.ipcacheLines)
  }

  @Test func nodesByLabel() throws {
    let spec = "ingress: [{fromNodes: [{matchLabels: {'node-role.kubernetes.io/control-plane': ''}}]}]"
    // Without node labels the agent refuses the policy.
    let refused = try plane(policy(spec))
    #expect(refused.findings.map(\.authority) == [.agent])
    #expect(try lines(refused, egress: false) == ["0 allow ffffff01"])
    let plane = try plane(policy(spec)) { $0.policy.nodeSelectorLabels = true }
    let found = try lines(plane, egress: false)
    // The node's own address and its router's have the same labels, and so one identity.
    #expect(found.count == 2 && found.contains("1 allow fffff501"))
    let address = try #require(
      plane.image(of: "kind-worker")?.ipcacheLines.first { $0.hasPrefix("172.18.0.2/") })
    let number = try #require(UInt32(address.split(separator: " ")[1]))
    #expect(number >> 24 == 2)
    #expect(plane.image(of: "kind-control-plane")?.ipcacheLines.contains("172.18.0.2/32 1") == true)
  }

  @Test func prefixesMaySelectNodes() throws {
    let spec = "ingress: [{fromCIDR: [172.18.0.0/24]}]"
    #expect(try lines(plane(policy(spec)), egress: false).count == 2)
    let plane = try plane(policy(spec)) { $0.policy.cidrMatchesNodes = true }
    let found = try lines(plane, egress: false)
    // The other two nodes and the world behind the prefix; the own node as host by one rule and by default.
    #expect(found.count == 4)
    #expect(found.contains("1 allow ffffff01"))
    #expect(found.contains("172.18.0.2/32 allow ffffff01"))
    #expect(!found.contains { $0.hasPrefix("172.18.0.3/32 ") || $0.hasPrefix("curl") })
  }

  @Test func servicesStandForTheirPods() throws {
    let service = "toServices: [{k8sService: {serviceName: nginx-svc, namespace: default}}]"
    let plane = try plane(policy("egress: [{\(service), toPorts: [{ports: [{port: '80'}]}]}]"))
    #expect(
      try lines(plane) == [6, 17, 132].map { "nginx-server proto \($0) 80/16 allow ffffff01" }.sorted())
    // A service that is not there leaves the ports open to everybody, and without ports nobody.
    let missing = service.replacing("nginx-svc", with: "typo")
    #expect(
      try lines(
        self.plane(policy("egress: [{\(missing), toPorts: [{ports: [{port: '80', protocol: TCP}]}]}]")))
        == ["0 proto 6 80/16 allow ffffff01"])
    #expect(try lines(self.plane(policy("egress: [{\(missing)}]"))).isEmpty)
  }

  private func slice(_ address: String) -> ClusterObject {
    .endpointSlice(
      EndpointSlice(
        metadata: Metadata(
          namespace: "default", name: "db-1", labels: [EndpointSlice.serviceLabel: "db"]),
        addressType: .ipv4, endpoints: [SliceEndpoint(addresses: [Fixture.address(address)])],
        ports: [EndpointPort(5432)]))
  }

  @Test func servicesByLabelAndByHand() throws {
    let external: [ClusterObject] = [
      .service(
        Service(
          metadata: Metadata(namespace: "default", name: "db", labels: ["role": "db"]),
          ports: [ServicePort(5432)], selector: nil)),
      slice("192.0.2.10"),
    ]
    let spec = "egress: [{toServices: [{k8sServiceSelector: {selector: {matchLabels: {role: db}}}}]}]"
    let set = ManifestReader().read(policy(spec), file: "p.yaml")
    var state = Fixture.state(Fixture.kind(), Fixture.flagship + external + set.entries.map(\.object))
    var plane = Fixture.controlPlane()
    _ = plane.reconcile(state)
    #expect(try lines(plane) == ["192.0.2.10/32 allow ffffff01"])
    // The policy follows the endpoints.
    state.apply(slice("192.0.2.11"))
    _ = plane.reconcile(state)
    #expect(try lines(plane) == ["192.0.2.11/32 allow ffffff01"])
  }

  @Test func authentication() throws {
    let required = """
      ingress:
        - fromEndpoints: [{matchLabels: {app: curl-client}}]
          authentication: {mode: required}
        - fromEndpoints: [{matchLabels: {app: curl-client}}]
          toPorts: [{ports: [{port: '80', protocol: TCP}]}]
      """
    // The port's entry has what the broader one for the same peer asks for.
    #expect(
      try lines(plane(policy(required)), egress: false) == [
        "1 allow fffff501", "curl-client allow ffffff01 auth 81",
        "curl-client proto 6 80/16 allow ffffff01 auth 1",
      ])
    let disabled = required + "\n    authentication: {mode: disabled}"
    #expect(
      try lines(plane(policy(disabled)), egress: false).contains(
        "curl-client proto 6 80/16 allow ffffff01 auth 80"))
  }

  private func tiered(_ name: String, _ tier: String, _ priority: Int, _ rules: String) -> String {
    """
    apiVersion: policy.networking.k8s.io/v1alpha2
    kind: ClusterNetworkPolicy
    metadata: {name: \(name)}
    spec:
      tier: \(tier)
      priority: \(priority)
      subject: {pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: nginx-server}}}}
      \(rules)
    ---

    """
  }

  @Test func tiers() throws {
    let everyone = "from: [{namespaces: {}}]"
    let client = "from: [{pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: curl-client}}}}]"
    let deny = tiered("deny", "Admin", 10, "ingress: [{action: Deny, \(client)}]")
    let accept = policy("ingress: [{fromEntities: [all]}]")
    #expect(
      try lines(plane(deny + accept), egress: false).contains("curl-client deny ffffffff"))
    // Passed on, the policy of the namespace decides, right behind the pass.
    let pass = tiered("pass", "Admin", 5, "ingress: [{action: Pass, \(client)}]")
    let passed = try lines(plane(pass + deny + accept), egress: false)
    #expect(
      passed.contains { $0.hasPrefix("curl-client allow") }
        && !passed.contains { $0.contains("deny") && $0.hasPrefix("curl") })
    // Baseline stands behind the policies of namespaces.
    let baseline = tiered("base", "Baseline", 0, "ingress: [{action: Deny, \(everyone)}]")
    #expect(try lines(plane(baseline + accept), egress: false) == ["0 allow ffffff01"])
    #expect(
      try lines(plane(baseline), egress: false).filter { $0.hasPrefix("curl-client") } == [
        "curl-client deny ffffffff"
      ])
    // Without the flag nothing.
    let off = try plane(deny + accept) { $0.policy.clusterNetworkPolicies = false }
    #expect(off.findings.map(\.severity) == [.warning])
    #expect(try lines(off, egress: false) == ["0 allow ffffff01"])
  }

  /// A node's host has a map of its own with the host firewall, and the local host no place in it.
  @Test func policiesOfNodes() throws {
    let yaml = """
      apiVersion: cilium.io/v2
      kind: CiliumClusterwideNetworkPolicy
      metadata: {name: host}
      spec:
        nodeSelector: {matchLabels: {node-role.kubernetes.io/control-plane: ''}}
        ingress: [{fromEntities: [remote-node]}]
      """
    func hostLines(_ plane: ControlPlane, _ name: String) throws -> [String] {
      let node = try #require(plane.node(name))
      return try #require(plane.image(of: name)).policyLines(node.hostEndpointID).sorted()
    }
    let off = try plane(yaml)
    #expect(off.findings.map(\.severity) == [.warning])
    #expect(try hostLines(off, "kind-control-plane").isEmpty)
    let on = try plane(yaml) { $0.policy.hostFirewall = true }
    #expect(
      try hostLines(on, "kind-control-plane") == [
        "egress 0 allow ffffff01", "ingress 6 allow ffffff01", "ingress 7 allow ffffff01",
      ])
    #expect(try hostLines(on, "kind-worker") == ["egress 0 allow ffffff01", "ingress 0 allow ffffff01"])
    // It selects no pods.
    #expect(try lines(on, egress: false) == ["0 allow ffffff01"])
  }
}
