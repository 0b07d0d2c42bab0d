import Cluster

/// One way in which a rule matches a conversation: by which of its peers and which of its ports.
struct Candidate: Sendable {
  let rule: Int
  let peer: Int
  let port: Int
  /// Whether the rule names no particular peer.
  let isWildcard: Bool
  /// How many bits of protocol and port it names: 0…24.
  let length: Int
  /// Within a level: 255 deny, 254…2 redirects by their priority, 1 allow, 0 pass.
  let precedence: UInt8

  var match: MatchKind {
    switch (isWildcard, length) {
    case (true, 0): .all
    case (true, ...8): .protocolOnly
    case (true, _): .l4Only
    case (false, 0): .l3Only
    case (false, ...8): .l3Protocol
    case (false, _): .l3L4
    }
  }
}

extension Rule {
  /// The order among rules of one level.
  ///
  /// Source: Cilium `pkg/policy/types/entry.go` (`ToPrecedenceWithListenerPriority`).
  func precedence(_ port: Port?) -> UInt8 {
    switch action {
    case .deny: 255
    case .pass: 0
    case .allow: port?.proxy.map { 255 - min($0.priority, 126) } ?? 1
    }
  }
}

/// Picks the candidate that decides, as Cilium's policy map would.
///
/// Source: Cilium `pkg/policy/mapstate.go` (`insertWithChanges`, `lookup`), `bpf/lib/policy.h`.
struct Choice {
  let rules: [Rule]
  let candidates: [Candidate]

  /// The deciding candidate, level by level; nil when none matched or all passed it on.
  func deciding() -> Candidate? {
    var floor: RuleLevel?
    while let level = lowestLevel(from: floor) {
      let here = candidates.filter { rules[$0.rule].level == level }
      guard let best = here.map(\.precedence).max() else { return nil }
      if best > 0 { return choose(among: here.filter { $0.precedence == best }, level) }
      // A pass hands the decision to the next tier.
      guard let next = RuleLevel.Tier(after: level.tier) else { return nil }
      floor = RuleLevel(next)
    }
    return nil
  }

  private func lowestLevel(from floor: RuleLevel?) -> RuleLevel? {
    var result: RuleLevel?
    for candidate in candidates {
      let level = rules[candidate.rule].level
      if let floor, level < floor { continue }
      if let known = result, known <= level { continue }
      result = level
    }
    return result
  }

  private func choose(among equals: [Candidate], _ level: RuleLevel) -> Candidate? {
    guard let first = equals.first, equals.count > 1 else { return equals.first }
    if first.precedence == 255 { return chooseDeny(equals, level) }
    var best: Candidate?
    for candidate in equals where !isCovered(candidate, by: equals) {
      guard let known = best else {
        best = candidate
        continue
      }
      let isLonger = candidate.length > known.length
      let isNearer = candidate.length == known.length && known.isWildcard && !candidate.isWildcard
      if isLonger || isNearer { best = candidate }
    }
    return best ?? first
  }

  /// Of denies the broadest is kept, since it makes the others needless; one about a peer goes before one about
  /// everyone that names more of the port.
  private func chooseDeny(_ equals: [Candidate], _ level: RuleLevel) -> Candidate? {
    let anyone = equals.filter(\.isWildcard).min { $0.length < $1.length }
    let peers = equals.filter { !$0.isWildcard }.min { $0.length < $1.length }
    guard let anyone, let peers else { return anyone ?? peers }
    if anyone.length <= peers.length { return anyone }
    return level.priority == 0 ? peers : anyone
  }

  /// Whether Cilium leaves an entry out because the same port is open to everyone in the same way.
  private func isCovered(_ candidate: Candidate, by others: [Candidate]) -> Bool {
    if candidate.isWildcard || candidate.length <= 8 { return false }
    let rule = rules[candidate.rule]
    let port = rule.port(candidate.port)
    return others.contains { other in
      let otherRule = rules[other.rule]
      guard other.isWildcard, let span = port?.span else { return false }
      return otherRule.port(other.port)?.span == span
        && otherRule.port(other.port)?.proxy?.kind == port?.proxy?.kind
        && otherRule.authentication == rule.authentication
    }
  }
}

extension RuleLevel.Tier {
  init?(after tier: RuleLevel.Tier) {
    guard let next = RuleLevel.Tier.allCases.first(where: { $0.rawValue > tier.rawValue }) else { return nil }
    self = next
  }
}

extension Rule {
  func port(_ index: Int) -> Port? { ports.flatMap { $0.indices.contains(index) ? $0[index] : nil } }

  func peer(_ index: Int) -> Peer? {
    guard case .any(let list) = peers, list.indices.contains(index) else { return nil }
    return list[index]
  }
}
