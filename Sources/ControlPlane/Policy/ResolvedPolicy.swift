import Cluster

/// The policy of an identity: filters by port, each with what its peers get. The endpoint's own named ports are
/// still open.
///
/// Source: Cilium `pkg/policy/{l4,rule,rules,repository}.go`.
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
    var priority: UInt32
    var verdict: PolicyVerdict
    var authentication: AuthenticationMode?
    var origins: [PolicyOrigin]
    /// What a proxy is to do with the traffic; nil for none.
    var redirect: ProxyRedirect?

    var precedence: Precedence {
      redirect.map { Precedence(priority: priority, listener: $0.priority) }
        ?? Precedence(priority: priority, verdict: verdict)
    }
    var auth: AuthRequirement { verdict == .allow ? AuthRequirement(authentication) : .none }
  }

  struct Filter: Sendable {
    var peers: [PeerSelector] = []
    var policies: [PeerSelector: PeerPolicy] = [:]
  }

  /// What the rules of a direction make use of, so that the map is made no more carefully than it must be.
  struct Features: Hashable, Sendable {
    /// Entries differ in what decides: denies, or several priorities.
    var precedences = false
    var authentication = false
    var passes = false
  }

  private(set) var filters: [FilterKey: Filter] = [:]
  private(set) var enforcesIngress = false
  private(set) var enforcesEgress = false
  private var spans: [Bool: [PolicyTier: PriorityLevels.Span]] = [:]
  private var features: [Bool: Features] = [:]

  /// - Parameters:
  ///   - statements: those whose subject has the identity.
  ///   - isHost: whether it is a node's own; the local host is let in everywhere else.
  ///   - mode: `policyEnforcementMode`.
  init(
    _ statements: [PolicyStatement], isInit: Bool, isHost: Bool = false, mode: Settings.EnforcementMode
  ) {
    guard mode != .never else { return }
    for isIngress in [true, false] {
      var own = statements.filter { $0.isIngress == isIngress }.sorted(by: PolicyStatement.precedes)
      let isAlways = mode == .always || isInit
      let isEnforced = !own.isEmpty || isAlways
      if isIngress { enforcesIngress = isEnforced } else { enforcesEgress = isEnforced }
      guard !own.isEmpty else { continue }
      // Where nothing is denied by default, rules of layer 7 hold nothing back either.
      let isLax = !isAlways && !own.contains(where: \.defaultDeny)
      own += ResolvedPolicy.defaults(own, isIngress: isIngress, isHost: isHost, isAlways: isAlways)
      let levels = PriorityLevels(own)
      spans[isIngress] = levels.spans
      for (statement, priority) in zip(own, levels.priorities) { add(statement, priority, isLax: isLax) }
    }
  }

  /// Rules that only add to what is allowed anyway need everything allowed behind them; an enforced ingress lets
  /// the local host in, for the kubelet's probes; and what is passed on to the end is denied there.
  private static func defaults(
    _ own: [PolicyStatement], isIngress: Bool, isHost: Bool, isAlways: Bool
  ) -> [PolicyStatement] {
    func statement(_ peer: PeerSelector, _ verdict: PolicyVerdict, _ priority: Int, _ name: String)
      -> PolicyStatement
    {
      PolicyStatement(
        subject: PeerSelector(), namespace: "", isIngress: isIngress, verdict: verdict, tier: .byDefault,
        priority: priority, defaultDeny: false, peers: [peer], ports: nil, origin: PolicyOrigin(rule: name))
    }
    guard isAlways || own.contains(where: \.defaultDeny) else {
      let name = isIngress ? PolicyOrigin.allowAnyIngress : PolicyOrigin.allowAnyEgress
      return [statement(PeerSelector(), .allow, 0, name)]
    }
    var result: [PolicyStatement] = []
    if isIngress, !isHost {
      result.append(statement(PeerSelector.reserved("host"), .allow, 0, PolicyOrigin.allowLocalhostIngress))
    }
    if own.contains(where: { $0.verdict == .pass }) {
      let name = isIngress ? PolicyOrigin.denyAnyIngress : PolicyOrigin.denyAnyEgress
      result.append(statement(PeerSelector(), .deny, result.count, name))
    }
    return result
  }

  private mutating func add(_ statement: PolicyStatement, _ priority: UInt32, isLax: Bool) {
    let (ports, peers) = statement.filters
    guard !ports.isEmpty else { return }
    var features = features[statement.isIngress] ?? Features()
    if statement.verdict == .deny || priority > 0 || ports.contains(where: { $0.redirect != nil }) {
      features.precedences = true
    }
    if statement.verdict == .pass { features.passes = true }
    if statement.authentication != nil { features.authentication = true }
    self.features[statement.isIngress] = features
    var policy = PeerPolicy(
      priority: priority, verdict: statement.verdict, authentication: statement.authentication,
      origins: [statement.origin])
    for var spec in ports {
      policy.redirect = spec.redirect
      if isLax { policy.redirect?.widen(statement.origin.description) }
      spec.redirect = nil
      let key = FilterKey(tier: statement.tier, isIngress: statement.isIngress, spec: spec)
      for peer in peers { filters[key, default: Filter()].merge(peer, policy) }
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

  func features(isIngress: Bool) -> Features { features[isIngress] ?? Features() }

  /// The priorities of a tier.
  func span(_ tier: PolicyTier, isIngress: Bool) -> PriorityLevels.Span {
    spans[isIngress]?[tier] ?? PriorityLevels.Span(first: 0, next: Precedence.lowestPriority)
  }

  var usesNamedPorts: (ingress: Bool, egress: Bool) {
    let named = filters.keys.filter { if case .name = $0.spec.port { true } else { false } }
    return (named.contains(where: \.isIngress), named.contains { !$0.isIngress })
  }
}

extension ResolvedPolicy.Filter {
  /// Of two policies for a peer, the earlier priority wins, then deny over allow over pass; equal ones share their
  /// origins.
  ///
  /// Source: Cilium `pkg/policy/rule.go` (`mergePortProto`).
  fileprivate mutating func merge(_ peer: PeerSelector, _ new: ResolvedPolicy.PeerPolicy) {
    guard var old = policies[peer] else {
      peers.append(peer)
      policies[peer] = new
      return
    }
    if old.priority == new.priority, old.verdict == new.verdict {
      old.combineRedirect(with: new)
      for origin in new.origins where !old.origins.contains(origin) { old.origins.append(origin) }
      // Cilium computes no policy at all where two rules ask for different modes; here the stricter one counts.
      old.authentication = [old.authentication, new.authentication].compactMap(\.self).max {
        AuthRequirement($0).bits < AuthRequirement($1).bits
      }
      policies[peer] = old
    } else if old.priority > new.priority || old.priority == new.priority && new.verdict.beats(old.verdict) {
      policies[peer] = new
    }
  }
}

extension ResolvedPolicy.PeerPolicy {
  /// An allow and a redirect, or two redirects, become one redirect that lets pass what either does.
  fileprivate mutating func combineRedirect(with new: Self) {
    let origin = origins.first?.description ?? ""
    let newOrigin = new.origins.first?.description ?? ""
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
  static let denyAnyIngress = "deny-any-ingress"
  static let denyAnyEgress = "deny-any-egress"
}
