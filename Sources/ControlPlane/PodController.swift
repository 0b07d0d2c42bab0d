import Cluster
import MapABI
import Wire

/// Pods from their objects to running endpoints: placed, given addresses and numbers, and held on to.
struct PodController: Sendable {
  /// What a pod has got, and keeps.
  private struct Record: Sendable {
    var node: String
    var addresses: [IPAddress] = []
    var endpoint: Endpoint?
    /// What the endpoint was made from, to see whether it must be made anew.
    var pod: Pod?
    var namespaceLabels: Labels = [:]
    var listening: [ListeningPort] = []
    var findings: [Finding] = []

    /// Whether an object is still the pod that this was given to.
    func stands(for new: Pod, _ nodes: Set<String>) -> Bool {
      (new.spec.nodeName == nil || new.spec.nodeName == node)
        && (pod == nil || pod?.spec.hostNetwork == new.spec.hostNetwork)
        && (new.podIPs.isEmpty || addresses.isEmpty || new.podIPs == addresses)
        // A workload makes a pod elsewhere when the node goes; nobody does so for a pod alone.
        && (new.metadata.owner == nil || nodes.contains(node))
    }
  }

  /// Why pods have no node.
  private var unplaced: [NamespacedName: String] = [:]
  private var records: [NamespacedName: Record] = [:]
  /// Every pod.
  private(set) var statuses: [NamespacedName: PodStatus] = [:]
  /// Their names, in order.
  private(set) var order: [NamespacedName] = []
  /// The pods of each node.
  private(set) var onNode: [String: Set<NamespacedName>] = [:]
  /// How many pods have no address.
  private var waiting = 0
  /// Places, as they were left.
  private var scheduler = Scheduler(nodes: [], pods: [])

  /// A running pod's endpoint; its identity is still to be filled in.
  func endpoint(_ id: NamespacedName) -> Endpoint? { records[id]?.endpoint }

  mutating func reconcile(
    _ state: ClusterState, _ settings: Settings, _ options: DatapathOptions, _ nodes: inout NodeController,
    _ findings: inout [Finding]
  ) {
    let pods = WorkloadController.pods(state, nodes: nodes.nodes)
    release(keeping: pods, &nodes)
    scheduler = Scheduler(nodes: nodes.nodes, pods: pods)
    unplaced.removeAll(keepingCapacity: true)
    var unsettled: [Pod] = []
    for pod in pods where !pod.isFinished {
      if let node = records[pod.id]?.node { scheduler.place(pod, on: node) }
      if records[pod.id]?.addresses.isEmpty ?? true { unsettled.append(pod) }
    }
    // Those whose address is pinned come first, then the system's, then by name.
    unsettled.sort { PodController.precedes($0, $1) }
    for pod in unsettled { settle(pod, options, &nodes) }
    statuses.removeAll(keepingCapacity: true)
    onNode.removeAll(keepingCapacity: true)
    order = pods.map(\.id)
    waiting = pods.count { !$0.isFinished && (records[$0.id]?.addresses.isEmpty ?? true) }
    let up = Set(nodes.infos.filter { $0.agent == .up }.map(\.name))
    for pod in pods {
      refresh(pod, state, settings, &nodes, agentIsUp: up.contains(records[pod.id]?.node ?? ""))
      statuses[pod.id] = status(pod, nodes, &findings)
      findings += records[pod.id]?.findings ?? []
      if let node = records[pod.id]?.node { onNode[node, default: []].insert(pod.id) }
    }
  }

  /// Whether any pod has no address yet.
  var hasWaiting: Bool { waiting > 0 }
  /// Whether a pod's place may depend on those of others.
  var remembersPlaces: Bool { scheduler.remembers }

  /// Whether a pod's object is still what its record was made for.
  func stands(_ id: NamespacedName, for pod: Pod?, _ nodes: NodeController) -> Bool {
    guard let pod, let record = records[id] else { return false }
    return record.stands(for: pod, Set(nodes.infos.map(\.name)))
  }

  mutating func remove(_ id: NamespacedName, _ pod: Pod, _ node: String, _ nodes: inout NodeController) {
    if let record = records[id] { forget(id, record, &nodes) }
    scheduler.remove(pod, from: node)
    statuses[id] = nil
    onNode[node]?.remove(id)
    let position = position(of: id)
    if position < order.count, order[position] == id { order.remove(at: position) }
  }

  /// Settles one pod while all others are.
  ///
  /// - Returns: whether it runs.
  mutating func add(
    _ pod: Pod, _ state: ClusterState, _ settings: Settings, _ options: DatapathOptions,
    _ nodes: inout NodeController
  ) -> Bool {
    settle(pod, options, &nodes)
    guard let node = records[pod.id]?.node, nodes.info(node)?.agent == .up else { return false }
    refresh(pod, state, settings, &nodes, agentIsUp: true)
    var findings: [Finding] = []
    let status = status(pod, nodes, &findings)
    guard status.phase == .running, findings.isEmpty, records[pod.id]?.findings.isEmpty == true else {
      return false
    }
    statuses[pod.id] = status
    onNode[node, default: []].insert(pod.id)
    let position = position(of: pod.id)
    if position == order.count || order[position] != pod.id { order.insert(pod.id, at: position) }
    return true
  }

  /// The first position in `order` whose name is not below.
  private func position(of id: NamespacedName) -> Int {
    var low = 0
    var high = order.count
    while low < high {
      let middle = (low + high) / 2
      if order[middle] < id { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private static func precedes(_ a: Pod, _ b: Pod) -> Bool {
    func rank(_ pod: Pod) -> Int {
      !pod.podIPs.isEmpty ? 0 : pod.namespace == SystemObjects.namespace ? 1 : 2
    }
    return rank(a) == rank(b) ? a.id < b.id : rank(a) < rank(b)
  }

  /// Takes back what pods had that are gone, are finished, or have become others of the same name.
  private mutating func release(keeping pods: [Pod], _ nodes: inout NodeController) {
    var wanted: [NamespacedName: Pod] = [:]
    for pod in pods where !pod.isFinished { wanted[pod.id] = pod }
    let live = Set(nodes.infos.map(\.name))
    var gone: [NamespacedName] = []
    for (id, record) in records {
      guard let pod = wanted[id], record.stands(for: pod, live) else {
        gone.append(id)
        continue
      }
    }
    for id in gone.sorted() {
      if let record = records[id] { forget(id, record, &nodes) }
    }
  }

  private mutating func forget(_ id: NamespacedName, _ record: Record, _ nodes: inout NodeController) {
    records[id] = nil
    _ = nodes.withRecord(record.node) { node in
      for address in record.addresses {
        for index in node.pools.indices where node.pools[index].owners[address] == id.description {
          node.pools[index].release(address)
        }
      }
      node.endpointIDs.release(id.description)
      node.ifindexes.release(id.description)
    }
  }

  /// Finds a node and addresses for a pod that has none yet, as far as that can be done now.
  private mutating func settle(
    _ pod: Pod, _ options: DatapathOptions, _ nodes: inout NodeController
  ) {
    if records[pod.id] == nil {
      let found =
        pod.spec.nodeName.map { (node: $0, reason: "") as (node: String?, reason: String) }
        ?? scheduler.node(for: pod)
      guard let name = found.node, nodes.node(name) != nil else {
        unplaced[pod.id] = found.node.map { "node \($0) does not exist" } ?? found.reason
        return
      }
      records[pod.id] = Record(node: name)
      scheduler.place(pod, on: name)
    }
    guard var record = records[pod.id], record.addresses.isEmpty, let info = nodes.info(record.node) else {
      return
    }
    if pod.spec.hostNetwork {
      record.addresses = info.addresses
    } else if info.agent == .up {
      record.addresses = nodes.withRecord(record.node) { addresses(for: pod, options, &$0) } ?? []
    }
    records[pod.id] = record
  }

  /// One address of each family, or none at all.
  private func addresses(
    for pod: Pod, _ options: DatapathOptions, _ node: inout NodeController.Record
  ) -> [IPAddress] {
    let owner = pod.id.description
    if !pod.podIPs.isEmpty {
      for address in pod.podIPs {
        for index in node.pools.indices where node.pools[index].cidr.contains(address) {
          guard node.pools[index].claim(address, for: owner) else { return [] }
        }
      }
      return pod.podIPs
    }
    var addresses: [IPAddress] = []
    for index in node.pools.indices {
      if let address = node.pools[index].allocate(for: owner) { addresses.append(address) }
    }
    guard addresses.count == node.pools.count else {
      for address in addresses {
        for index in node.pools.indices { node.pools[index].release(address) }
      }
      return []
    }
    return addresses
  }

  /// Makes or renews a pod's endpoint. An agent that is down renews none.
  private mutating func refresh(
    _ pod: Pod, _ state: ClusterState, _ settings: Settings, _ nodes: inout NodeController, agentIsUp: Bool
  ) {
    guard var record = records[pod.id], !record.addresses.isEmpty else { return }
    let namespaceLabels = state.labels(ofNamespace: pod.namespace)
    if record.pod == pod, record.namespaceLabels == namespaceLabels { return }
    if record.pod != nil, !agentIsUp { return }
    record.pod = pod
    record.namespaceLabels = namespaceLabels
    record.findings.removeAll()
    record.listening = ListeningPort.ports(of: pod, &record.findings)
    if !pod.spec.hostNetwork { record.endpoint = endpoint(pod, record, state, settings, &nodes) }
    records[pod.id] = record
  }

  private func endpoint(
    _ pod: Pod, _ record: Record, _ state: ClusterState, _ settings: Settings, _ nodes: inout NodeController
  ) -> Endpoint? {
    let owner = pod.id.description
    let pinned = state.ciliumEndpoints[pod.id]?.endpointID
    let numbers = nodes.withRecord(record.node) { node -> (UInt64, UInt64)? in
      if let pinned, pinned > 0 { node.endpointIDs.pin(owner, to: UInt64(pinned)) }
      guard let id = node.endpointIDs.number(for: owner), let index = node.ifindexes.number(for: owner)
      else { return nil }
      return (id, index)
    }
    guard case (let id, let ifindex)?? = numbers else { return nil }
    let name = "\(record.node)/\(owner)"
    var namedPorts: [NamedPort: UInt16] = [:]
    for port in pod.spec.containers.flatMap(\.ports) {
      guard let portName = port.name, !portName.isEmpty else { continue }
      let key = NamedPort(name: portName.lowercased(), transport: port.transport)
      if namedPorts[key] == nil { namedPorts[key] = port.number }
    }
    return Endpoint(
      kind: .pod(pod.id), node: record.node, id: UInt16(id),
      device: Device(
        name: Numbers.lxcName(name), ifindex: UInt32(ifindex),
        mac: MACAddress(bits: Numbers.macBits("mac", "\(name)/host"))),
      containerMAC: MACAddress(bits: Numbers.macBits("mac", "\(name)/pod")), addresses: record.addresses,
      labels: IdentityLabels(pod: pod, namespaceLabels: record.namespaceLabels, settings: settings),
      identity: IDENTITY_INIT.number, listening: record.listening,
      namedPorts: namedPorts)
  }
}

extension PodController {
  private func status(
    _ pod: Pod, _ nodes: NodeController, _ findings: inout [Finding]
  ) -> PodStatus {
    func make(
      _ phase: PodStatus.Phase, _ reason: String = "", node: String? = nil, addresses: [IPAddress] = []
    ) -> PodStatus {
      if phase == .pending || phase == .containerCreating {
        findings.append(
          Finding(
            "pod-not-running", .warning, "stays \(phase.rawValue): \(reason)",
            object: pod.reference,
            at: pod.location))
      }
      let listening = phase == .running ? records[pod.id]?.listening ?? [] : []
      return PodStatus(
        pod: pod, phase: phase, reason: reason, node: node, addresses: addresses,
        isReady: phase == .running && pod.isReady, listening: listening)
    }
    if pod.phase == .succeeded { return make(.succeeded, node: pod.spec.nodeName) }
    if pod.phase == .failed { return make(.failed, node: pod.spec.nodeName) }
    guard let record = records[pod.id] else {
      return make(.pending, unplaced[pod.id] ?? "it has no node")
    }
    guard let info = nodes.info(record.node) else { return make(.pending, "its node \(record.node) is gone") }
    guard record.addresses.isEmpty else {
      return make(.running, node: record.node, addresses: record.addresses)
    }
    let reason: String =
      switch info.agent {
      case .up: nodes.records[record.node]?.pools.first?.exhausted ?? "no address"
      case .down, .notStarted: "unable to connect to Cilium agent: the agent of \(record.node) is not running"
      }
    return make(.containerCreating, reason, node: record.node)
  }
}
