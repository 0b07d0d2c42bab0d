import Cluster
import MapABI
import Wire

/// Every policy of the cluster, and the policy maps of its endpoints.
///
/// Resolved once for each identity. A policy that changes touches the identities that it selects or selected, an
/// identity that comes or goes those whose peers it is among; the others keep what they have.
///
/// Source: Cilium `pkg/policy/repository.go`.
struct PolicyRepository: Sendable {
  /// What sets the view of one agent apart from that of another.
  struct Viewpoint: Hashable, Sendable {
    /// Those of the identity `host`.
    var host: IdentityLabels
    /// The node's own identities, which it sees as `host`.
    var own: Set<UInt32>
  }

  /// What an agent sees.
  private struct View: Sendable {
    var cache = SelectorCache()
    var resolved: [Owner: Resolved] = [:]
  }

  /// Whose policy it is: an identity's, or that of a node's host, whose labels are its own.
  fileprivate enum Owner: Hashable, Sendable {
    case identity(UInt32)
    case host(IdentityLabels)
  }

  private struct Resolved: Sendable {
    var policy: ResolvedPolicy
    var selectors: Set<PeerSelector>
    /// By the endpoint's own named ports, where ingress asks for any.
    var renderings: [[NamedPort: UInt16]: PolicyRendering] = [:]
  }

  private var sources = PolicySources()
  /// Ordered by need: agents on the API server's nodes see one, all others another, unless nodes have labels.
  private var views: [Viewpoint: View] = [:]
  private var viewpoints: [String: Viewpoint] = [:]
  private var peerPorts: [NamedPort: [UInt32: Set<UInt16>]] = [:]
  private var lastVersion = 0
  private var mode = Settings.EnforcementMode.default

  /// The identities of prefixes and nodes; local to nodes, and the same on each.
  private(set) var local = PrefixIdentities()
  /// The identities of addresses that policies know by name.
  var names: [Identity] = []

  /// The names and patterns that `toFQDNs` selects peers by, in order.
  var nameSelectors: [String] {
    var found: Set<String> = []
    for statement in sources.all {
      for peer in statement.peers ?? [] { found.formUnion(peer.names) }
    }
    return found.sorted()
  }

  var findings: [Finding] { sources.findings }
}

extension PolicyRepository {
  /// What the repository is brought in line with.
  struct Input {
    var state: ClusterState
    var settings: Settings
    var options: DatapathOptions
    var endpoints: [Endpoint]
    var identities: [UInt32: Identity]
    /// The identities of endpoints that came and went.
    var changes: (added: [UInt32], removed: [UInt32])
    var nodes: [NodeInfo]
    var apiServers: Set<IPAddress>
    var services: ServicePeers
    var settingsChanged: Bool
  }

  /// Takes in the policies and identities that there are now.
  mutating func reconcile(_ input: Input) {
    let settings = input.settings
    if input.settingsChanged || mode != settings.policy.enforcement {
      mode = settings.policy.enforcement
      sources = PolicySources()
      views.removeAll()
    }
    let changed = sources.read(input.state, settings, input.options, input.services)
    var facts = PrefixFacts(input.state, settings, nodes: input.nodes, apiServers: input.apiServers)
    for statement in sources.all { facts.add(prefixesOf: statement.peers ?? []) }
    let (newLocal, goneLocal) = local.update(facts, settings, input.options)
    var added = input.changes.added.compactMap { number in
      input.identities[number].map { (number: number, labels: $0.labels) }
    }
    added += newLocal.map { (number: $0.number, labels: $0.labels) }
    let gone = input.changes.removed + goneLocal
    let portsChanged = updatePeerPorts(input.endpoints)
    for viewpoint in views.keys {
      invalidate(viewpoint, added, gone, changed, portsChanged: portsChanged)
    }
    updateViewpoints(facts, settings, input.identities)
  }

  /// Takes in identities that came or went while the policies and their named ports stayed.
  mutating func updateIdentities(
    _ identities: [UInt32: Identity], _ changes: (added: [UInt32], removed: [UInt32])
  ) {
    let added = changes.added.compactMap { number in
      identities[number].map { (number: number, labels: $0.labels) }
    }
    for viewpoint in views.keys {
      invalidate(viewpoint, added, changes.removed, [], portsChanged: false)
    }
  }

  /// Makes the views that nodes have now, and forgets those that none has any more.
  private mutating func updateViewpoints(
    _ facts: PrefixFacts, _ settings: Settings, _ identities: [UInt32: Identity]
  ) {
    viewpoints.removeAll(keepingCapacity: true)
    for node in facts.nodes {
      var labels: [IdentityLabel] = [.reserved("host")]
      if node.isAPIServer { labels.append(.reserved("kube-apiserver")) }
      labels += local.hosts[node.name] ?? []
      viewpoints[node.name] = Viewpoint(
        host: IdentityLabels(labels), own: Set(node.addresses.compactMap { local.nodes[$0]?.number }))
    }
    let wanted = Set(viewpoints.values)
    for viewpoint in views.keys where !wanted.contains(viewpoint) { views[viewpoint] = nil }
    for viewpoint in wanted where views[viewpoint] == nil {
      views[viewpoint] = View()
      let all = Array(identities.values) + local.all + names
      invalidate(viewpoint, all.map { (number: $0.number, labels: $0.labels) }, [], [], portsChanged: false)
    }
  }

  private mutating func invalidate(
    _ viewpoint: Viewpoint, _ added: [(number: UInt32, labels: IdentityLabels)], _ gone: [UInt32],
    _ changed: [PolicyStatement], portsChanged: Bool
  ) {
    guard var view = views.removeValue(forKey: viewpoint) else { return }
    var added = added.filter { !viewpoint.own.contains($0.number) }
    if let host = added.firstIndex(where: { $0.number == IDENTITY_HOST.number }) {
      added[host].labels = viewpoint.host
    }
    let touched = Set(gone + added.map(\.number))
    let selectors = view.cache.update(added: added, removed: gone)
    let cache = view.cache
    view.resolved = view.resolved.filter { owner, resolved in
      let labels: IdentityLabels
      switch owner {
      case .identity(let number):
        guard !touched.contains(number), let known = cache.labels(number) else { return false }
        labels = known
      case .host(let own): labels = own
      }
      if portsChanged, resolved.policy.usesNamedPorts.egress { return false }
      if !resolved.selectors.isDisjoint(with: selectors) { return false }
      return !changed.contains { $0.isAbout(labels, isHost: owner.isHost) }
    }
    views[viewpoint] = view
  }

  private mutating func updatePeerPorts(_ endpoints: [Endpoint]) -> Bool {
    var ports: [NamedPort: [UInt32: Set<UInt16>]] = [:]
    for endpoint in endpoints {
      for (name, port) in endpoint.namedPorts {
        ports[name, default: [:]][endpoint.identity, default: []].insert(port)
      }
    }
    guard ports != peerPorts else { return false }
    peerPorts = ports
    return true
  }
}

extension PolicyRepository {
  /// The policy map of an endpoint.
  mutating func rendering(for endpoint: Endpoint) -> PolicyRendering {
    rendering(
      .identity(endpoint.identity), endpoint.labels, endpoint.namedPorts, on: endpoint.node)
  }

  /// The policy map of a node's host.
  ///
  /// - Parameter labels: the node's own, and `reserved:host`.
  mutating func hostRendering(_ labels: IdentityLabels, on node: String) -> PolicyRendering {
    rendering(.host(labels), labels, [:], on: node)
  }

  private mutating func rendering(
    _ owner: Owner, _ labels: IdentityLabels, _ ownPorts: [NamedPort: UInt16], on node: String
  ) -> PolicyRendering {
    // Taken out meanwhile, so that it is changed in place.
    guard let viewpoint = viewpoints[node], var view = views.removeValue(forKey: viewpoint) else {
      return PolicyRendering()
    }
    defer { views[viewpoint] = view }
    var resolved: Resolved
    if let known = view.resolved[owner] {
      resolved = known
    } else {
      let policy = resolve(owner, labels)
      resolved = Resolved(policy: policy, selectors: policy.selectors)
    }
    let ports = resolved.policy.usesNamedPorts.ingress ? ownPorts : [:]
    if let known = resolved.renderings[ports] { return known }
    let distiller = PolicyDistiller(policy: resolved.policy, ownPorts: ports, peerPorts: peerPorts)
    var rendering = distiller.render(&view.cache)
    lastVersion += 1
    rendering.version = lastVersion
    resolved.renderings[ports] = rendering
    view.resolved[owner] = resolved
    return rendering
  }

  private func resolve(_ owner: Owner, _ labels: IdentityLabels) -> ResolvedPolicy {
    var own = sources.statements[""] ?? []
    if !owner.isHost, let namespace = labels.namespace, !namespace.isEmpty {
      own += sources.statements[namespace] ?? []
    }
    return ResolvedPolicy(
      own.filter { $0.isAbout(labels, isHost: owner.isHost) },
      isInit: owner == .identity(IDENTITY_INIT.number), isHost: owner.isHost, mode: mode)
  }
}

extension PolicyRepository.Owner {
  fileprivate var isHost: Bool { if case .host = self { true } else { false } }
}
