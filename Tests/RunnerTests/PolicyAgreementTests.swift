import Cluster
import ControlPlane
import Intent
import MapABI
import TestSupport
import Testing
import Wire

/// What the manifests mean, and what the maps say: for random policies of every kind the same.
@Suite struct PolicyAgreementTests {
  private static func ip(_ text: String) -> IPAddress { IPAddress(text) ?? .v4(.unspecified) }

  /// Two nodes, four pods in two namespaces, two services, two groups of prefixes.
  private static let town: [ClusterObject] = {
    func node(_ name: String, _ labels: Labels, _ address: String) -> ClusterObject {
      .node(Node(metadata: Metadata(name: name, labels: labels), addresses: [ip(address)]))
    }
    func pod(_ namespace: String, _ name: String, _ labels: Labels, _ node: String) -> ClusterObject {
      let ports = [
        ContainerPort(name: "http", name == "web" ? 80 : 81), ContainerPort(name: "dns", 53, .udp),
      ]
      return .pod(
        Pod(
          metadata: Metadata(namespace: namespace, name: name, labels: labels),
          spec: PodSpec(containers: [Container(name: "c", ports: ports)], nodeName: node)))
    }
    func group(_ name: String, _ kind: String, _ prefix: String) -> ClusterObject {
      .cidrGroup(
        CiliumCIDRGroup(
          metadata: Metadata(name: name, labels: ["kind": kind]),
          externalCIDRs: CIDR(prefix).map { [Located($0)] } ?? []))
    }
    func service(_ name: String, _ kind: String, _ selector: Labels?) -> ClusterObject {
      .service(
        Service(
          metadata: Metadata(namespace: "default", name: name, labels: ["kind": kind]),
          ports: [ServicePort(80)], selector: selector))
    }
    return [
      node("n1", [Node.controlPlaneLabel: ""], "172.18.0.2"), node("n2", ["zone": "a"], "172.18.0.3"),
      .namespace(Namespace(metadata: Metadata(name: "ops", labels: ["team": "ops"]))),
      pod("default", "web", ["app": "web"], "n1"), pod("default", "client", ["app": "client"], "n2"),
      pod("default", "other", [:], "n2"),
      pod("ops", "monitor", ["app": "client", "role": "monitor"], "n2"),
      group("partners", "partner", "203.0.113.0/24"), group("offices", "office", "203.0.113.0/28"),
      service("web", "in", ["app": "web"]), service("outside", "out", nil),
      .endpointSlice(
        EndpointSlice(
          metadata: Metadata(
            namespace: "default", name: "outside-1", labels: [EndpointSlice.serviceLabel: "outside"]),
          addressType: .ipv4, endpoints: [SliceEndpoint(addresses: [ip("198.51.100.1")])],
          ports: [EndpointPort(80)])),
    ]
  }()

  private static let outside = ["203.0.113.7", "203.0.113.200", "198.51.100.1", "192.0.2.1"].map(ip)

  private struct World {
    var plane: ControlPlane
    var intent: Intent
    var subjects: [Subject] = []

    init(_ objects: [ClusterObject], _ settings: Settings) {
      let state = ClusterState(town + objects)
      let machines = KindConfiguration(machines: [.init(role: .controlPlane)])
      plane = ControlPlane(settings: settings, network: machines.network)
      _ = plane.reconcile(state)
      for status in plane.pods where status.id.namespace != "kube-system" {
        subjects.append(
          .pod(status.pod, in: state, node: status.node, addresses: status.addresses))
      }
      intent = Intent(
        state, settings: settings,
        endpoints: plane.pods.filter { !$0.addresses.isEmpty }.map {
          .pod($0.pod, in: state, node: $0.node, addresses: $0.addresses)
        })
      subjects += state.nodes.map(Subject.node)
      subjects += outside.map { .world($0) }
    }

    /// The endpoint whose policy is asked; nil for what has none.
    func endpoint(_ subject: Subject) -> (node: String, id: UInt16)? {
      switch subject.kind {
      case .pod: plane.endpoint(of: subject.id).map { ($0.node, $0.id) }
      case .node: plane.node(subject.id.name).map { ($0.name, $0.hostEndpointID) }
      default: nil
      }
    }

    /// The identity of a peer, as a node's ipcache has it.
    func identity(_ address: IPAddress, on node: String) -> UInt32 {
      plane.image(of: node)?.maps.ipcache[matching: IPCacheKey(address)]?.sec_identity ?? 2
    }
  }

  /// What the two look-ups of the datapath come to.
  private enum Found: Equatable { case allowed, denied, unmatched, unauthenticated }

  private func lookUp(
    _ table: LPMTable<PolicyKey, PolicyEntry>, _ identity: UInt32, egress: Bool, _ transport: Transport
  ) -> Found {
    func entry(_ identity: UInt32) -> PolicyEntry? {
      table[
        matching: PolicyKey(
          identity: identity, egress: egress, protocol: transport.number(.ipv4), port: transport.port)]
    }
    let (own, all) = (entry(identity), entry(0))
    var chosen: PolicyEntry
    var other: PolicyEntry?
    switch (own, all) {
    case (nil, nil): return .unmatched
    case (let entry?, nil), (nil, let entry?): (chosen, other) = (entry, nil)
    case (let own?, let all?):
      let takesAll =
        all.precedence > own.precedence || all.precedence == own.precedence && all.bits >> 3 > own.bits >> 3
      (chosen, other) = takesAll ? (all, own) : (own, all)
    }
    if chosen.bits & 1 != 0 { return .denied }
    var auth = chosen.auth & 0x7f
    if let other, other.precedence == chosen.precedence, chosen.auth & 0x80 == 0 {
      auth = max(auth, other.auth & 0x7f)
    }
    return auth == 0 ? .allowed : .unauthenticated
  }

  private func found(_ answer: DirectionAnswer) -> Found {
    switch answer.drop {
    case nil: .allowed
    case .noRule?: .unmatched
    case .denyRule?: .denied
    case .authenticationRequired?: .unauthenticated
    }
  }

  @Test(arguments: [UInt64](0..<12)) func mapsSayWhatTheManifestsMean(_ batch: UInt64) throws {
    for seed in batch * 25..<batch * 25 + 25 {
      var random = RandomPolicies(seed: seed)
      let objects = random.objects()
      var settings = Settings()
      settings.policy.hostFirewall = true
      settings.policy.nodeSelectorLabels = true
      settings.policy.clusterNetworkPolicies = true
      settings.policy.cidrMatchesNodes = seed % 4 == 1
      let world = World(objects, settings)
      let policies = world.subjects.map(world.intent.policy(of:))
      for from in policies {
        for to in policies where from.subject != to.subject {
          guard compare(world, from, to, seed, objects) else { return }
        }
      }
    }
  }

  private func compare(
    _ world: World, _ source: EndpointPolicy, _ destination: EndpointPolicy, _ seed: UInt64,
    _ objects: [ClusterObject]
  ) -> Bool {
    let (from, to) = (source.subject, destination.subject)
    for transport in [Transport.tcp(80), .tcp(81), .tcp(443), .udp(53), .icmp(type: 8), .icmp(type: 13)] {
      let answer = world.intent.answer(Traffic(from: from, to: to, transport), source, destination)
      for (own, peer, said) in [(from, to, answer.egress), (to, from, answer.ingress)] {
        guard let (node, id) = world.endpoint(own), let address = peer.addresses.first,
          let table = world.plane.image(of: node)?.maps.policies[id]
        else { continue }
        // A pod's packets come to another node with its own node's address.
        let isMasqueraded =
          said.direction == .ingress && own.kind == .node && peer.kind == .pod && peer.node != own.node
        let seen = isMasqueraded ? world.plane.node(peer.node)?.addresses.first ?? address : address
        let got = lookUp(
          table, world.identity(seen, on: node), egress: said.direction == .egress, transport)
        guard got == found(said) else {
          Issue.record(
            """
            seed \(seed): \(from) → \(to) \(transport), \(said.direction.rawValue): the manifests mean \
            \(found(said)) by \(said.rule?.description ?? "no rule"), the map says \(got)
            \(objects)
            """)
          return false
        }
      }
    }
    return true
  }
}
