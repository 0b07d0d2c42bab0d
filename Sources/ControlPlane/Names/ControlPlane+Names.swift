import Cluster
import MapABI
public import Wire

/// What the DNS proxy of a node has seen a name server answer.
public struct NameLesson: Hashable, Sendable {
  public var node: String
  /// Who asked.
  public var endpoint: UInt16
  public var name: String
  public var addresses: [IPAddress]
  /// Seconds.
  public var ttl: UInt32
  /// Nanoseconds since the scenario began.
  public var time: UInt64

  public init(
    node: String, endpoint: UInt16, name: String, addresses: [IPAddress], ttl: UInt32, time: UInt64
  ) {
    self.node = node
    self.endpoint = endpoint
    self.name = name
    self.addresses = addresses
    self.ttl = ttl
    self.time = time
  }
}

extension ControlPlane {
  /// An agent learns which addresses a name has: they get identities, and policy maps and ipcache know of them before
  /// the answer goes on.
  public mutating func learn(_ lesson: NameLesson) -> [NodeUpdate] {
    guard !lesson.addresses.isEmpty, node(lesson.node)?.agent == .up else { return [] }
    let seconds = UInt64(max(Int(lesson.ttl), settings.dnsProxy.minTTLSeconds))
    nameCaches[lesson.node, default: NameCache()].learn(
      Self.canonical(lesson.name), lesson.addresses, endpoint: lesson.endpoint,
      lifetime: seconds &* 1_000_000_000, now: lesson.time)
    return applyNames()
  }

  /// When the next look for what is out of date is due; nil while nothing has been learnt.
  public var nextNameCollection: UInt64? { nameCaches.values.map(\.nextCollection).min() }

  /// Forgets what has outlived its TTL and its connections.
  public mutating func collectNames(at now: UInt64) -> [NodeUpdate] {
    for name in nameCaches.keys.sorted() where node(name)?.agent == .up {
      guard var cache = nameCaches[name], cache.nextCollection <= now else { continue }
      cache.keep(Set(endpoints(on: name).map(\.id)))
      cache.collect(limit: settings.dnsProxy.maxIPsPerHostname, now: now)
      nameCaches[name] = cache
    }
    return applyNames()
  }

  /// An agent has looked through conntrack: to these addresses its endpoints still have connections.
  public mutating func noteConntrackPass(
    on node: String, alive: [IPAddress: Set<IPAddress>], at now: UInt64
  ) {
    guard nameCaches[node] != nil else { return }
    for endpoint in endpoints(on: node) {
      let peers = endpoint.addresses.reduce(into: Set<IPAddress>()) { $0.formUnion(alive[$1] ?? []) }
      nameCaches[node]?.notePass(endpoint: endpoint.id, alive: peers, now: now)
    }
  }

  /// The names that a node's agent knows addresses of, in order.
  public func learntNames(on node: String) -> [(name: String, address: IPAddress)] {
    (nameCaches[node]?.addresses ?? [:]).sorted { $0.key < $1.key }.flatMap { name, addresses in
      addresses.sorted { $0.description < $1.description }.map { (name, $0) }
    }
  }

  /// The nodes whose agents have learnt names, in order.
  public var learntAnything: [String] { nameCaches.keys.sorted() }

  private static func canonical(_ name: String) -> String {
    let name = name.lowercased()
    return name.hasSuffix(".") ? name : name + "."
  }
}

extension ControlPlane {
  /// Brings the identities of names in line with policies and what has been learnt.
  ///
  /// - Returns: whether any came or went.
  mutating func updateNameIdentities() -> Bool {
    nameIdentities.setSelectors(policies.nameSelectors)
    guard nameIdentities.hasSelectors || !nameIdentities.identities.isEmpty else { return false }
    var wanted = settings.dnsProxy.preAllocateIdentities ? nameIdentities.preallocated(options) : []
    for node in nameCaches.keys.sorted() { wanted += nameLabels(on: node).map(\.labels) }
    let changes = nameIdentities.update(
      wanted: wanted, taken: Set(policies.local.all.map(\.number)))
    guard !changes.added.isEmpty || !changes.removed.isEmpty else { return false }
    var byNumber: [UInt32: Identity] = [:]
    for identity in nameIdentities.identities.values { byNumber[identity.number] = identity }
    policies.names = byNumber.values.sorted { $0.number < $1.number }
    policies.updateIdentities(byNumber, changes)
    return true
  }

  private mutating func applyNames() -> [NodeUpdate] {
    let changed = updateNameIdentities()
    var updates: [NodeUpdate] = []
    for info in nodeController.infos.sorted(by: { $0.name < $1.name }) where info.agent == .up {
      guard var memory = memories.removeValue(forKey: info.name) else { continue }
      var update = NodeUpdate(node: info.name, changes: [])
      if changed { update.changes += updatePolicies(&memory, info, endpoints(on: info.name)) }
      update.changes += overlayNames(&memory, info)
      memories[info.name] = memory
      if !update.isEmpty { updates.append(update) }
    }
    return updates
  }

  /// The addresses that a node's ipcache knows by name, with the labels that they get.
  private func nameLabels(on node: String) -> [(address: IPAddress, labels: IdentityLabels)] {
    var names: [IPAddress: [String]] = [:]
    for (name, addresses) in nameCaches[node]?.addresses ?? [:] {
      for address in addresses { names[address, default: []].append(name) }
    }
    return names.sorted { $0.key.description < $1.key.description }.compactMap { address, names in
      let own = nameIdentities.labels(ofNames: names)
      guard !own.isEmpty, !isInCluster(address) else { return nil }
      return (
        address,
        IdentityLabels(prefixLabels(address) + own + [.reserved(options.worldLabel(address.family))])
      )
    }
  }

  /// Names never stand for pods and nodes.
  private func isInCluster(_ address: IPAddress) -> Bool {
    facts[CIDR(address)].map { !$0.node.isEmpty } ?? false
  }

  /// The labels of the longest prefix of a policy that holds an address.
  private func prefixLabels(_ address: IPAddress) -> [IdentityLabel] {
    let holding = policies.local.prefixes.filter { $0.key.contains(address) }
    guard let longest = holding.max(by: { $0.key.prefixLength < $1.key.prefixLength }) else { return [] }
    return longest.value.labels.labels.filter { $0.source != "reserved" }
  }

  /// Puts what a node knows by name over the facts of its ipcache, and takes away what it no longer knows.
  mutating func overlayNames(_ memory: inout NodeMemory, _ node: NodeInfo) -> [MapChange] {
    var wanted: [CIDR: UInt32] = [:]
    for (address, labels) in nameLabels(on: node.name) {
      if let number = nameIdentities.number(of: labels) { wanted[CIDR(address)] = number }
    }
    guard !wanted.isEmpty || !memory.names.isEmpty else { return [] }
    let gone = memory.names.subtracting(wanted.keys)
    let renderer = NodeRenderer(settings: settings, options: options, nodes: nodeController.infos)
    var changed = wanted.sorted { $0.key < $1.key }.map { prefix, number in
      AddressFact(prefix: prefix, identityAtHome: number, identityElsewhere: number)
    }
    var removed: [CIDR] = []
    for prefix in gone.sorted() {
      if let fact = facts[prefix] { changed.append(fact) } else { removed.append(prefix) }
    }
    memory.names = Set(wanted.keys)
    return renderer.update(&memory.image.maps.ipcache, node, changed: changed, removed: removed)
  }
}
