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
  /// What an agent sees. On a control-plane node the host is also the API server.
  private struct View: Sendable {
    var cache = SelectorCache()
    var resolved: [UInt32: Resolved] = [:]
  }

  private struct Resolved: Sendable {
    var policy: ResolvedPolicy
    var selectors: Set<PeerSelector>
    /// By the endpoint's own named ports, where ingress asks for any.
    var renderings: [[NamedPort: UInt16]: PolicyRendering] = [:]
  }

  private struct Source: Sendable {
    var cilium: CiliumNetworkPolicy?
    var kubernetes: NetworkPolicy?
    var statements: [PolicyStatement] = []
    var findings: [Finding] = []
  }

  private var sources: [ObjectReference: Source] = [:]
  /// By namespace; those of the cluster under the empty one.
  private var statements: [String: [PolicyStatement]] = [:]
  private var views = [View(), View()]
  private var peerPorts: [NamedPort: [UInt32: Set<UInt16>]] = [:]
  /// Of identities that are local to nodes.
  var cidrNumbers = NumberSpace("cidr", 1...65_535)
  private var lastVersion = 0
  private var mode = Settings.EnforcementMode.default

  /// The identities of prefixes that policies name, by prefix; local to nodes, and the same on each.
  private(set) var cidrIdentities: [CIDR: Identity] = [:]

  /// The names and patterns that `toFQDNs` selects peers by, in order.
  var nameSelectors: [String] {
    var found: Set<String> = []
    for statement in statements.values.joined() {
      for peer in statement.peers ?? [] { found.formUnion(peer.names) }
    }
    return found.sorted()
  }

  var findings: [Finding] { sources.keys.sorted().flatMap { sources[$0]?.findings ?? [] } }
}

extension PolicyRepository {
  /// Takes in the policies and identities that there are now.
  mutating func reconcile(
    _ state: ClusterState, _ settings: Settings, _ options: DatapathOptions, endpoints: [Endpoint],
    identities: [UInt32: Identity], changes: (added: [UInt32], removed: [UInt32]),
    nodeAddresses: Set<CIDR>, settingsChanged: Bool
  ) {
    if settingsChanged || mode != settings.policy.enforcement {
      mode = settings.policy.enforcement
      sources.removeAll()
      for index in views.indices { views[index].resolved.removeAll() }
    }
    let changed = readPolicies(state, settings, options)
    let (newCIDRs, goneCIDRs) = updateCIDRs(options, nodeAddresses)
    var added = changes.added.compactMap { number in
      identities[number].map { (number: number, labels: $0.labels) }
    }
    added += newCIDRs.map { (number: $0.number, labels: $0.labels) }
    let gone = changes.removed + goneCIDRs
    let portsChanged = updatePeerPorts(endpoints)
    for index in views.indices {
      invalidate(index, added, gone, changed, portsChanged: portsChanged)
    }
  }

  /// Takes in identities that came or went while the policies and their named ports stayed.
  mutating func updateIdentities(
    _ identities: [UInt32: Identity], _ changes: (added: [UInt32], removed: [UInt32])
  ) {
    let added = changes.added.compactMap { number in
      identities[number].map { (number: number, labels: $0.labels) }
    }
    for index in views.indices { invalidate(index, added, changes.removed, [], portsChanged: false) }
  }

  private mutating func invalidate(
    _ index: Int, _ added: [(number: UInt32, labels: IdentityLabels)], _ gone: [UInt32],
    _ changed: [PolicyStatement], portsChanged: Bool
  ) {
    var added = added
    if index == 1, let host = added.firstIndex(where: { $0.number == IDENTITY_HOST.number }) {
      added[host].labels = IdentityLabels([.reserved("host"), .reserved("kube-apiserver")])
    }
    let touched = Set(gone + added.map(\.number))
    let selectors = views[index].cache.update(added: added, removed: gone)
    let cache = views[index].cache
    views[index].resolved = views[index].resolved.filter { number, resolved in
      guard !touched.contains(number), let labels = cache.labels(number) else { return false }
      if portsChanged, resolved.policy.usesNamedPorts.egress { return false }
      if !resolved.selectors.isDisjoint(with: selectors) { return false }
      return !changed.contains { $0.subject.matches(labels) }
    }
  }

  /// Reads the policies that are new or changed.
  ///
  /// - Returns: the statements that came and those that went.
  private mutating func readPolicies(
    _ state: ClusterState, _ settings: Settings, _ options: DatapathOptions
  ) -> [PolicyStatement] {
    var changed: [PolicyStatement] = []
    var seen: Set<ObjectReference> = []
    for policy in Array(state.ciliumPolicies) + Array(state.ciliumClusterwidePolicies) {
      seen.insert(policy.reference)
      guard sources[policy.reference]?.cilium != policy else { continue }
      let reader = CiliumPolicyReader(policy, settings, options)
      changed += (sources[policy.reference]?.statements ?? []) + reader.statements
      sources[policy.reference] = Source(
        cilium: policy, statements: reader.statements, findings: reader.findings)
    }
    for policy in state.networkPolicies where settings.policy.kubernetesPolicies {
      seen.insert(policy.reference)
      guard sources[policy.reference]?.kubernetes != policy else { continue }
      let reader = NetworkPolicyReader(settings: settings, options: options, policy: policy)
      changed += (sources[policy.reference]?.statements ?? []) + reader.statements
      sources[policy.reference] = Source(kubernetes: policy, statements: reader.statements)
    }
    for (reference, source) in sources where !seen.contains(reference) {
      changed += source.statements
      sources[reference] = nil
    }
    if !changed.isEmpty {
      statements.removeAll(keepingCapacity: true)
      for reference in sources.keys.sorted() {
        for statement in sources[reference]?.statements ?? [] {
          statements[statement.namespace, default: []].append(statement)
        }
      }
    }
    return changed
  }

  /// Prefixes get an identity each, except those that are a node's address.
  private mutating func updateCIDRs(
    _ options: DatapathOptions, _ nodeAddresses: Set<CIDR>
  ) -> (added: [Identity], removed: [UInt32]) {
    var wanted: Set<CIDR> = []
    for statement in statements.values.joined() {
      for peer in statement.peers ?? [] {
        for cidr in peer.cidrs where !nodeAddresses.contains(cidr) { wanted.insert(cidr) }
      }
    }
    var removed: [UInt32] = []
    for (cidr, identity) in cidrIdentities where !wanted.contains(cidr) {
      removed.append(identity.number)
      cidrIdentities[cidr] = nil
      cidrNumbers.release(cidr.description)
    }
    var added: [Identity] = []
    for cidr in wanted.sorted() where cidrIdentities[cidr] == nil {
      guard let number = cidrNumbers.number(for: cidr.description) else { continue }
      let labels = IdentityLabels([.cidr(cidr), .reserved(options.worldLabel(cidr.family))])
      let identity = Identity(
        number: IDENTITY_SCOPE_LOCAL.number | UInt32(truncatingIfNeeded: number), labels: labels,
        references: 1)
      cidrIdentities[cidr] = identity
      added.append(identity)
    }
    return (added, removed)
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

  /// The policy map of an endpoint.
  ///
  /// - Parameter onAPIServer: whether its node runs the API server.
  mutating func rendering(for endpoint: Endpoint, onAPIServer: Bool) -> PolicyRendering {
    let index = onAPIServer ? 1 : 0
    if views[index].resolved[endpoint.identity] == nil {
      let policy = resolve(endpoint.identity, endpoint.labels)
      views[index].resolved[endpoint.identity] = Resolved(policy: policy, selectors: policy.selectors)
    }
    guard let resolved = views[index].resolved[endpoint.identity] else { return PolicyRendering() }
    let ports = resolved.policy.usesNamedPorts.ingress ? endpoint.namedPorts : [:]
    if let known = resolved.renderings[ports] { return known }
    let distiller = PolicyDistiller(policy: resolved.policy, ownPorts: ports, peerPorts: peerPorts)
    var rendering = distiller.render(&views[index].cache)
    lastVersion += 1
    rendering.version = lastVersion
    views[index].resolved[endpoint.identity]?.renderings[ports] = rendering
    return rendering
  }

  private func resolve(_ number: UInt32, _ labels: IdentityLabels) -> ResolvedPolicy {
    var own = (statements[""] ?? []).filter { $0.subject.matches(labels) }
    if let namespace = labels.namespace, !namespace.isEmpty {
      own += (statements[namespace] ?? []).filter { $0.subject.matches(labels) }
    }
    return ResolvedPolicy(own, isInit: number == IDENTITY_INIT.number, mode: mode)
  }
}
