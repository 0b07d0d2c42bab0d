import Cluster
import MapABI
import Wire

/// What changed on a node when the cluster did.
public struct NodeUpdate: Sendable {
  public var node: String
  /// In the order in which the agent makes them. Only maps that agents write occur.
  public var changes: [MapChange]
  /// Every attached program, when any came, went, or is told something else; else nil.
  public var attachments: [Attachment]?
  /// What endpoint-policy stages are told, when that changed; else nil.
  public var endpointConfigs: [DatapathConfig]?
  /// The node is gone, with all of the above.
  public var isRemoved = false

  public var isEmpty: Bool {
    changes.isEmpty && attachments == nil && endpointConfigs == nil && !isRemoved
  }
}

/// The operator, the agents and Kubernetes' controllers: from the objects of a cluster to what the datapath of
/// each node is given.
///
/// `reconcile` takes the cluster as it now is and says what changed on each node; everything that was decided
/// before (places, addresses, numbers) stays as long as the objects do. Equal sequences of states give equal
/// images.
public struct ControlPlane: Sendable {
  public private(set) var settings: Settings
  public private(set) var network: ClusterNetwork
  public private(set) var options: DatapathOptions

  var nodeController = NodeController()
  var podController = PodController()
  var identityController = IdentityController()
  var serviceController = ServiceController()
  var policies = PolicyRepository()
  var facts = AddressFacts()
  var memories: [String: NodeMemory] = [:]
  /// What the agents have learnt of names, by node.
  var nameCaches: [String: NameCache] = [:]
  var nameIdentities = NameIdentities()
  private var settingsChanged = false
  /// Whether something changed that every object and node must be looked at for.
  var needsAll = true
  private var ownFindings: [Finding] = []

  var podEndpoints: [NamespacedName: Endpoint] = [:]
  var podAddresses: [IPAddress: NamespacedName] = [:]
  var healthEndpoints: [Endpoint] = []

  /// What was last given to a node.
  struct NodeMemory: Sendable {
    var image: MapImage
    /// The facts and services that the image holds, if they were the latest of their time.
    var isCurrent = false
    var policyVersions: [UInt16: Int] = [:]
    var renderings: [UInt16: PolicyRendering] = [:]
    var serviceVersion = 0
    /// The addresses that the ipcache knows by name.
    var names: Set<CIDR> = []
  }

  public init(settings: Settings, network: ClusterNetwork) {
    self.settings = settings
    self.network = network
    options = DatapathOptions(settings)
  }
}

extension ControlPlane {
  /// Every node, control planes first, then by name.
  public var nodes: [NodeInfo] { nodeController.infos }
  public func node(_ name: String) -> NodeInfo? { nodeController.info(name) }

  /// Every pod, by namespace and name.
  public var pods: [PodStatus] { podController.order.compactMap { podController.statuses[$0] } }
  public func pod(_ id: NamespacedName) -> PodStatus? { podController.statuses[id] }

  /// All endpoints, pods' by namespace and name, then the nodes' health endpoints.
  public var endpoints: [Endpoint] { podController.order.compactMap { podEndpoints[$0] } + healthEndpoints }
  public func endpoint(of pod: NamespacedName) -> Endpoint? { podEndpoints[pod] }
  /// The endpoint that has an address.
  public func endpoint(at address: IPAddress) -> Endpoint? {
    podAddresses[address].flatMap { podEndpoints[$0] }
      ?? healthEndpoints.first { $0.addresses.contains(address) }
  }
  /// The endpoints of a node, pods' by namespace and name.
  public func endpoints(on node: String) -> [Endpoint] {
    (podController.onNode[node] ?? []).sorted().compactMap { podEndpoints[$0] }
      + healthEndpoints.filter { $0.node == node }
  }

  /// Every identity: reserved, of pods, and of prefixes that policies name; by number.
  public var identities: [Identity] {
    (Array(identityController.identities.values) + policies.local.all
      + Array(nameIdentities.identities.values))
      .sorted { $0.number < $1.number }
  }

  /// Every service with its frontends and backends, by namespace and name.
  public var services: [ServiceStatus] { serviceController.statuses }

  public func image(of node: String) -> MapImage? { memories[node]?.image }

  /// The policy of an endpoint as its node has it.
  public func policy(node: String, endpoint: UInt16) -> PolicyRendering? {
    memories[node]?.renderings[endpoint]
  }

  /// What the user should know of, by place and object.
  public var findings: [Finding] {
    (ownFindings + policies.findings).sorted { ($0.location, $0.message) < ($1.location, $1.message) }
  }

  /// Stops or starts the agent of a node, from the next reconciliation on.
  public mutating func setAgent(_ node: String, isDown: Bool) {
    nodeController.setAgent(node, down: isDown)
    needsAll = true
  }

  /// Installs Cilium with other values, from the next reconciliation on. What nodes were given before stays theirs.
  public mutating func configure(_ settings: Settings) {
    guard settings != self.settings else { return }
    self.settings = settings
    options = DatapathOptions(settings)
    settingsChanged = true
    needsAll = true
  }

  /// Brings every node whose agent is up in line with the cluster.
  ///
  /// - Returns: what changed, for nodes where anything did, by name.
  public mutating func reconcile(_ state: ClusterState) -> [NodeUpdate] {
    let state = SystemObjects.complete(state, network)
    ownFindings.removeAll(keepingCapacity: true)
    nodeController.reconcile(state, settings, options, network, &ownFindings)
    podController.reconcile(state, settings, options, &nodeController, &ownFindings)
    var endpoints = podController.order.compactMap { podController.endpoint($0) }
    let identityChanges = identityController.reconcile(&endpoints, state, settings, &ownFindings)
    keep(endpoints)
    healthEndpoints = makeHealthEndpoints()
    serviceController.reconcile(
      state, pods: pods, nodes: nodeController.infos, settings, options, network,
      &ownFindings)
    reconcilePolicies(state, identityChanges)
    let newFacts = AddressFacts(
      nodes: nodeController.infos, endpoints: self.endpoints, apiServers: serviceController.apiServers,
      local: policies.local,
      options: options)
    let difference = newFacts.changes(from: facts)
    facts = newFacts
    _ = updateNameIdentities()
    let updates = updateNodes(difference)
    settingsChanged = false
    needsAll = false
    return updates
  }

  private mutating func keep(_ endpoints: [Endpoint]) {
    podEndpoints.removeAll(keepingCapacity: true)
    podAddresses.removeAll(keepingCapacity: true)
    for endpoint in endpoints {
      guard let pod = endpoint.pod else { continue }
      podEndpoints[pod] = endpoint
      for address in endpoint.addresses where podAddresses[address] == nil { podAddresses[address] = pod }
    }
  }

  private mutating func reconcilePolicies(
    _ state: ClusterState, _ changes: (added: [UInt32], removed: [UInt32])
  ) {
    policies.reconcile(
      PolicyRepository.Input(
        state: state, settings: settings, options: options, endpoints: endpoints,
        identities: identityController.identities, changes: changes, nodes: nodeController.infos,
        apiServers: serviceController.apiServers,
        services: ServicePeers(serviceController.statuses, state, settings), settingsChanged: settingsChanged)
    )
  }

  /// The agents' probes of each other.
  private mutating func makeHealthEndpoints() -> [Endpoint] {
    var endpoints: [Endpoint] = []
    for node in nodeController.infos where node.hasStarted && !node.healthAddresses.isEmpty {
      let numbers = nodeController.withRecord(node.name) { record in
        (
          record.endpointIDs.number(for: "health/\(node.name)"),
          record.ifindexes.number(for: "health/\(node.name)")
        )
      }
      guard let numbers, let id = numbers.0, let ifindex = numbers.1 else { continue }
      let name = "\(node.name)/health"
      endpoints.append(
        Endpoint(
          kind: .health, node: node.name, id: UInt16(id),
          device: Device(
            name: "lxc_health", ifindex: UInt32(ifindex),
            mac: MACAddress(bits: Numbers.macBits("mac", "\(name)/host"))),
          containerMAC: MACAddress(bits: Numbers.macBits("mac", "\(name)/pod")),
          addresses: node.healthAddresses, labels: IdentityLabels([.reserved("health")]),
          identity: IDENTITY_HEALTH.number, listening: [ListeningPort(4240, .tcp)], namedPorts: [:]))
    }
    return endpoints
  }
}

extension ControlPlane {
  private mutating func updateNodes(_ difference: (changed: [AddressFact], removed: [CIDR])) -> [NodeUpdate] {
    var updates: [NodeUpdate] = []
    let infos = nodeController.infos
    for name in memories.keys.sorted() where !infos.contains(where: { $0.name == name }) {
      memories[name] = nil
      updates.append(NodeUpdate(node: name, changes: [], isRemoved: true))
    }
    let renderer = NodeRenderer(settings: settings, options: options, nodes: infos)
    let nodeTable = renderer.nodeTable()
    for node in infos.sorted(by: { $0.name < $1.name }) {
      guard node.agent == .up else {
        memories[node.name]?.isCurrent = false
        continue
      }
      let update = update(node, renderer, difference, nodeTable: nodeTable)
      if !update.isEmpty { updates.append(update) }
    }
    return updates.sorted { $0.node < $1.node }
  }

  /// Brings one node in line.
  ///
  /// - Parameter nodeTable: nil when no node came or went.
  mutating func update(
    _ node: NodeInfo, _ renderer: NodeRenderer, _ difference: (changed: [AddressFact], removed: [CIDR]),
    nodeTable: FlatTable<NodeKey, NodeValue>?
  ) -> NodeUpdate {
    let endpoints = endpoints(on: node.name)
    var memory = memories[node.name] ?? NodeMemory(image: MapImage(node: node.name))
    // Taken out meanwhile, so that the tables are changed in place.
    memories[node.name] = nil
    var update = NodeUpdate(node: node.name, changes: [])
    if memory.isCurrent, !settingsChanged {
      update.changes += renderer.update(
        &memory.image.maps.ipcache, node, changed: difference.changed, removed: difference.removed)
    } else {
      let ipcache = renderer.ipcache(node, facts)
      update.changes += TableDifference.changes(
        .ipcache, from: memory.image.maps.ipcache.entries, to: ipcache.entries)
      memory.image.maps.ipcache = ipcache
      memory.names = []
    }
    update.changes += updatePolicies(&memory, node, endpoints)
    update.changes += overlayNames(&memory, node)
    update.changes += updateServices(&memory, node)
    update.changes += ControlPlane.replace(
      &memory.image.maps.endpoints, .endpoints, by: renderer.endpointTable(node, endpoints))
    if let nodeTable {
      update.changes += ControlPlane.replace(&memory.image.maps.nodes, .nodes, by: nodeTable)
      update.changes += ControlPlane.replace(
        &memory.image.maps.devices, .devices, by: renderer.deviceTable(node))
    }
    updateConfigurations(&memory, &update, node, endpoints)
    memory.isCurrent = true
    memories[node.name] = memory
    return update
  }

  private static func replace<Key: MapKey, Value: MapValue>(
    _ table: inout FlatTable<Key, Value>, _ map: MapID, by new: FlatTable<Key, Value>
  ) -> [MapChange] {
    let changes = TableDifference.changes(map, from: table, to: new)
    if !changes.isEmpty { table = new }
    return changes
  }

  mutating func updatePolicies(
    _ memory: inout NodeMemory, _ node: NodeInfo, _ endpoints: [Endpoint]
  ) -> [MapChange] {
    var changes: [MapChange] = []
    var live: Set<UInt16> = []
    for position in endpoints.indices.sorted(by: { endpoints[$0].id < endpoints[$1].id }) {
      let endpoint = endpoints[position]
      live.insert(endpoint.id)
      changes += ControlPlane.replacePolicy(&memory, endpoint.id, by: policies.rendering(for: endpoint))
    }
    if settings.policy.hostFirewall {
      live.insert(node.hostEndpointID)
      let rendering = policies.hostRendering(hostLabels(node.name), on: node.name)
      changes += ControlPlane.replacePolicy(&memory, node.hostEndpointID, by: rendering)
    }
    for id in memory.image.maps.policies.endpoints where !live.contains(id) {
      changes += TableDifference.changes(
        .policy, from: memory.image.maps.policies[id]?.entries ?? FlatTable(), to: FlatTable(), endpoint: id)
      memory.image.maps.policies[id] = nil
      memory.policyVersions[id] = nil
      memory.renderings[id] = nil
    }
    return changes
  }

  /// Puts a rendering that nodes share into the node's own map, its proxies with the node's ports.
  private static func replacePolicy(
    _ memory: inout NodeMemory, _ endpoint: UInt16, by shared: PolicyRendering
  ) -> [MapChange] {
    if memory.policyVersions[endpoint] == shared.version { return [] }
    let rendering = ProxyPorts(node: memory.image.node).realize(shared)
    let changes = TableDifference.changes(
      .policy, from: memory.image.maps.policies[endpoint]?.entries ?? FlatTable(),
      to: rendering.table.entries, endpoint: endpoint)
    memory.image.maps.policies[endpoint] = rendering.table
    memory.policyVersions[endpoint] = rendering.version
    memory.renderings[endpoint] = rendering
    return changes
  }

  /// The labels that host policies select a node by: its own, without those that make no identities.
  private func hostLabels(_ name: String) -> IdentityLabels {
    let own = (nodeController.node(name)?.labels ?? [:]).filter { LabelFilter.keeps($0.key) }
    return IdentityLabels(own.map { IdentityLabel("k8s", $0.key, $0.value) } + [.reserved("host")])
  }

  private func updateServices(_ memory: inout NodeMemory, _ node: NodeInfo) -> [MapChange] {
    guard memory.serviceVersion != serviceController.version else { return [] }
    memory.serviceVersion = serviceController.version
    var maps = NodeMaps()
    ServiceRenderer(settings: settings, options: options, node: node, nodes: nodeController.infos)
      .render(serviceController, into: &maps)
    let changes = TableDifference.serviceChanges(from: memory.image.maps, to: maps)
    guard !changes.isEmpty else { return [] }
    memory.image.maps.services4 = maps.services4
    memory.image.maps.services6 = maps.services6
    memory.image.maps.backends4 = maps.backends4
    memory.image.maps.backends6 = maps.backends6
    memory.image.maps.reverseNAT4 = maps.reverseNAT4
    memory.image.maps.reverseNAT6 = maps.reverseNAT6
    memory.image.maps.affinityMatch = maps.affinityMatch
    return changes
  }

  private func updateConfigurations(
    _ memory: inout NodeMemory, _ update: inout NodeUpdate, _ node: NodeInfo, _ endpoints: [Endpoint]
  ) {
    let configuration = DatapathConfiguration(settings: settings, options: options, node: node)
    let cgroupV2 = nodeController.node(node.name)?.kernel.cgroup != .v1
    let attachments = configuration.attachments(endpoints, cgroupV2: cgroupV2)
    let configs = endpoints.sorted { $0.id < $1.id }.map { configuration.endpoint($0) }
    let isSame = attachments.elementsEqual(memory.image.attachments) { a, b in
      a.hook == b.hook && a.ifindex == b.ifindex && a.device == b.device
        && TableDifference.sameOctets(a.config, b.config)
    }
    if !isSame {
      memory.image.attachments = attachments
      update.attachments = attachments
    }
    if !configs.elementsEqual(
      memory.image.endpointConfigs, by: { TableDifference.sameOctets($0, $1) })
    {
      memory.image.endpointConfigs = configs
      update.endpointConfigs = configs
    }
  }
}
