import Cluster

extension DirectionPolicy {
  /// The verdict alone.
  func verdict(_ question: Question) -> Verdict {
    let candidates = candidates(question)
    guard !candidates.isEmpty, let winner = Choice(rules: rules, candidates: candidates).deciding() else {
      return fallback(question.peer.identity).0
    }
    return winner.verdict
  }

  /// The verdict with all that stands behind it.
  func answer(_ question: Question, auditMode: Bool) -> DirectionAnswer {
    let candidates = candidates(question)
    var answer = DirectionAnswer(
      direction: direction, verdict: .denied, reason: .rule, enforcement: enforcement, match: .none,
      rule: nil,
      alsoMatched: [], drop: nil, proxy: nil, permission: nil, isAudited: false, authentication: .disabled)
    if let winner = Choice(rules: rules, candidates: candidates).deciding() {
      answer.verdict = winner.verdict
      answer.match = winner.match
      answer.rule = site(winner)
      answer.alsoMatched = others(than: winner, candidates)
      if winner.verdict == .denied { answer.drop = .denyRule }
      if winner.verdict == .redirected {
        answer.proxy = rules[winner.rule].port(winner.port)?.proxy?.kind
        answer.permission = permission(winner, candidates)
      }
      if winner.verdict != .denied {
        answer.authentication = authentication(winner, candidates)
        if answer.authentication != .disabled { answer.drop = .authenticationRequired }
      }
    } else {
      (answer.verdict, answer.reason, answer.match) = fallback(question.peer.identity)
      if answer.verdict == .denied { answer.drop = answer.match == .none ? .noRule : .denyRule }
    }
    answer.isAudited = auditMode && answer.drop != nil
    return answer
  }

  private func site(_ candidate: Candidate) -> RuleSite {
    let rule = rules[candidate.rule]
    return rule.site(rule.peer(candidate.peer), rule.port(candidate.port))
  }

  /// The other rules that matched, each once.
  private func others(than winner: Candidate, _ candidates: [Candidate]) -> [RuleSite] {
    var last = winner.rule
    var result: [RuleSite] = []
    for candidate in candidates where candidate.rule != winner.rule && candidate.rule != last {
      last = candidate.rule
      result.append(site(candidate))
    }
    return result
  }

  /// What the proxy lets pass: what any of the matching rules does.
  ///
  /// Envoy is told of rules for every port too, so that a plain allow of the peer widens an HTTP rule; the DNS
  /// proxy looks at rules for the same port alone. With default deny off, nothing is held back.
  /// Source: Cilium `pkg/policy/rule.go` (`mergePortProto`), `pkg/policy/l4.go` (`ensureWildcard`).
  private func permission(_ winner: Candidate, _ candidates: [Candidate]) -> L7Permission {
    guard isDefaultDeny, let winning = rules[winner.rule].port(winner.port), let demand = winning.proxy else {
      return .everything
    }
    var result = L7Permission()
    for candidate in candidates where rules[candidate.rule].level == rules[winner.rule].level {
      let rule = rules[candidate.rule]
      let port = rule.port(candidate.port)
      let isSamePort = port?.span == winning.span && port?.protocolNumber == winning.protocolNumber
      if demand.kind == .dns, !isSamePort { continue }
      guard let other = port?.proxy, other.kind == demand.kind else {
        if rule.action == .allow, port?.proxy == nil { return .everything }
        continue
      }
      if let http = other.rules.http { result.http = (result.http ?? []) + http }
      if let dns = other.rules.dns { result.dns = (result.dns ?? []) + dns }
      result.serverNames += other.rules.serverNames
    }
    return result
  }

  /// The authentication that an allowed conversation needs: the entry's own, or that of the nearest broader
  /// entry for the same peer that asks for one; and the stricter one of an equally strong entry for everyone.
  ///
  /// Source: Cilium `pkg/policy/mapstate.go` (`authPreferredInsert`, `lookup`).
  private func authentication(_ winner: Candidate, _ candidates: [Candidate]) -> AuthenticationMode {
    let level = rules[winner.rule].level
    let here = candidates.filter { rules[$0.rule].level == level && $0.precedence < 255 }
    if let explicit = explicit(winner, here) { return explicit }
    let own = derived(for: winner, here)
    let others = here.filter { $0.isWildcard != winner.isWildcard && $0.precedence == winner.precedence }
    let other = others.max { $0.length < $1.length }
    let theirs = other.flatMap { explicit($0, here) ?? derived(for: $0, here) }
    return [own, theirs].compactMap(\.self).max { $0.strength < $1.strength } ?? .disabled
  }

  /// What the rules behind one entry ask for.
  private func explicit(_ entry: Candidate, _ candidates: [Candidate]) -> AuthenticationMode? {
    let same = candidates.filter { $0.isWildcard == entry.isWildcard && $0.length == entry.length }
    return same.compactMap { rules[$0.rule].authentication }.max { $0.strength < $1.strength }
  }

  private func derived(for entry: Candidate, _ candidates: [Candidate]) -> AuthenticationMode? {
    let broader = candidates.filter { $0.isWildcard == entry.isWildcard && $0.length < entry.length }
    for candidate in broader.sorted(by: { $0.length > $1.length }) {
      if let mode = rules[candidate.rule].authentication { return mode }
    }
    return nil
  }
}

extension Candidate {
  var verdict: Verdict {
    switch precedence {
    case 255: .denied
    case 2...: .redirected
    default: .allowed
    }
  }
}

extension AuthenticationMode {
  fileprivate var strength: Int {
    switch self {
    case .disabled: 0
    case .required: 1
    case .testAlwaysFail: 2
    }
  }
}
