import Cluster

/// The policy of an identity: filters by port, each with what its peers get. The endpoint's own named ports are
/// still open.
///
/// Source: Cilium `pkg/policy/{l4,rule,repository}.go`.
struct ResolvedPolicy: Sendable {
  struct FilterKey: Hashable, Sendable, Comparable {
    var tier: PolicyTier
    var isIngress: Bool
    var spec: PolicyStatement.PortSpec

    static func < (a: Self, b: Self) -> Bool {
      if a.tier != b.tier { return a.tier < b.tier }
      if a.isIngress != b.isIngress { return a.isIngress }
      if a.spec.transport != b.spec.transport { return a.spec.transport < b.spec.transport }
      return a.spec.port < b.spec.port
    }
  }

  struct PeerPolicy: Sendable {
    var precedence: Precedence
    var origins: [PolicyOrigin]
    var redirect: ProxyRedirect?
  }

  struct Filter: Sendable {
    var peers: [PeerSelector] = []
    var policies: [PeerSelector: PeerPolicy] = [:]
  }

  private(set) var filters: [FilterKey: Filter] = [:]
  private(set) var enforcesIngress = false
  private(set) var enforcesEgress = false
  /// Whether a direction has entries of different precedence.
  private var precedences: [Bool: Set<UInt32>] = [:]

  /// - Parameters:
  ///   - statements: those whose subject has the identity.
  ///   - mode: `policyEnforcementMode`.
  init(_ statements: [PolicyStatement], isInit: Bool, mode: Settings.EnforcementMode) {
    guard mode != .never else { return }
    for isIngress in [true, false] {
      let own = statements.filter { $0.isIngress == isIngress }
      let isEnforced = !own.isEmpty || mode == .always || isInit
      if isIngress { enforcesIngress = isEnforced } else { enforcesEgress = isEnforced }
      for statement in own { add(statement) }
      guard !own.isEmpty else { continue }
      let deniesByDefault = own.contains(where: \.defaultDeny) || mode == .always || isInit
      addDefault(isIngress: isIngress, deniesByDefault)
    }
  }

  /// Rules that only add to what is allowed anyway need everything allowed behind them; an enforced ingress lets
  /// the local host in, for the kubelet's probes.
  private mutating func addDefault(isIngress: Bool, _ deniesByDefault: Bool) {
    let name: String
    let peer: PeerSelector
    if !deniesByDefault {
      name = isIngress ? PolicyOrigin.allowAnyIngress : PolicyOrigin.allowAnyEgress
      peer = PeerSelector()
    } else if isIngress {
      name = PolicyOrigin.allowLocalhostIngress
      peer = PeerSelector.reserved("host")
    } else {
      return
    }
    add(
      PolicyStatement(
        subject: PeerSelector(), namespace: "", isIngress: isIngress, verdict: .allow, tier: .byDefault,
        defaultDeny: false, peers: [peer], ports: nil, origin: PolicyOrigin(rule: name)))
  }

  private mutating func add(_ statement: PolicyStatement) {
    let (ports, peers) = statement.filters
    let priority = statement.tier.basePriority
    for var spec in ports {
      let redirect = spec.redirect
      spec.redirect = nil
      let precedence =
        redirect.map { Precedence(priority: priority, listener: $0.priority) }
        ?? Precedence(priority: priority, verdict: statement.verdict)
      precedences[statement.isIngress, default: []].insert(precedence.bits)
      let key = FilterKey(tier: statement.tier, isIngress: statement.isIngress, spec: spec)
      var filter = filters[key] ?? Filter()
      let policy = PeerPolicy(precedence: precedence, origins: [statement.origin], redirect: redirect)
      for peer in peers { filter.merge(peer, policy, priority: priority) }
      filters[key] = filter
    }
  }

  /// Whether anything is redirected to a proxy.
  var hasRedirects: Bool {
    filters.values.contains { $0.policies.values.contains { $0.redirect != nil } }
  }

  /// Every selector of a peer.
  var selectors: Set<PeerSelector> {
    var all: Set<PeerSelector> = []
    for filter in filters.values { all.formUnion(filter.peers) }
    return all
  }

  /// Whether an entry of a direction can be beaten by another: a deny, or what Cilium added.
  func hasPrecedences(isIngress: Bool) -> Bool {
    let plain = Precedence(priority: 0, verdict: .allow).bits
    return precedences[isIngress]?.contains { $0 != plain } ?? false
  }

  var usesNamedPorts: (ingress: Bool, egress: Bool) {
    let named = filters.keys.filter { if case .name = $0.spec.port { true } else { false } }
    return (named.contains(where: \.isIngress), named.contains { !$0.isIngress })
  }
}

extension ResolvedPolicy.Filter {
  /// Of two policies for a peer, deny wins over allow; equal ones share their origins, and so do an allow and a
  /// redirect, which becomes wider by it.
  fileprivate mutating func merge(
    _ peer: PeerSelector, _ new: ResolvedPolicy.PeerPolicy, priority: UInt32
  ) {
    guard var old = policies[peer] else {
      peers.append(peer)
      policies[peer] = new
      return
    }
    if old.precedence.isOfSameLevel(as: new.precedence) {
      old.combine(with: new, priority: priority)
      policies[peer] = old
    } else if old.precedence < new.precedence {
      policies[peer] = new
    }
  }
}

extension ResolvedPolicy.PeerPolicy {
  /// Source: Cilium `pkg/policy/rule.go` (`mergePortProto`).
  fileprivate mutating func combine(with new: Self, priority: UInt32) {
    let origin = origins.first?.description ?? ""
    let newOrigin = new.origins.first?.description ?? ""
    for origin in new.origins where !origins.contains(origin) { origins.append(origin) }
    switch (redirect, new.redirect) {
    case (nil, nil): return
    case (nil, var theirs?):
      theirs.widen(origin)
      redirect = theirs
    case (_?, nil): redirect?.widen(newOrigin)
    case (_?, let theirs?):
      // Where no proxy speaks both, the first one stays.
      _ = redirect?.merge(theirs, origin: origin, otherOrigin: newOrigin)
    }
    if let redirect { precedence = Precedence(priority: priority, listener: redirect.priority) }
  }
}

extension PolicyStatement.Port: Comparable {
  /// Names before numbers.
  static func < (a: Self, b: Self) -> Bool {
    switch (a, b) {
    case (.name(let a), .name(let b)): a < b
    case (.name, .number): true
    case (.number, .name): false
    case (.number(let a, let endA), .number(let b, let endB)): (a, endA) < (b, endB)
    }
  }
}

extension PolicyOrigin {
  // The names that Cilium gives to what it adds itself.
  static let allowLocalhostIngress = "allow-localhost-ingress"
  static let allowAnyIngress = "allow-any-ingress"
  static let allowAnyEgress = "allow-any-egress"
}
