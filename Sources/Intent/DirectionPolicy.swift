import Cluster
import Wire

/// The rules of one direction that select an endpoint.
struct DirectionPolicy: Sendable {
  let direction: PolicyDirection
  let rules: [Rule]
  let enforcement: Enforcement
  /// Whether the node may talk to its pods where no rule speaks.
  let allowsLocalHost: Bool

  /// The other end of a conversation, and what it is about.
  struct Question: Sendable {
    let peer: PeerView
    let transport: Transport
    let family: AddressFamily
    /// What port names mean at the destination.
    let ports: NamedPorts
    let names: [LearntName]

    var number: UInt8 { transport.number(family) }
  }

  /// Every way in which a rule matches.
  func candidates(_ question: Question) -> [Candidate] {
    var result: [Candidate] = []
    for (index, rule) in rules.enumerated() { append(rule, index, question, &result) }
    return result
  }

  private func append(_ rule: Rule, _ index: Int, _ question: Question, _ result: inout [Candidate]) {
    switch rule.peers {
    case .nobody: return
    case .unspecified:
      if rule.ports != nil { append(rule, index, peer: -1, isWildcard: true, question, &result) }
    case .any(let peers):
      for (position, peer) in peers.enumerated() where peer.test.matches(question.peer, question.names) {
        append(rule, index, peer: position, isWildcard: peer.test.isWildcard, question, &result)
      }
    }
  }

  private func append(
    _ rule: Rule, _ index: Int, peer: Int, isWildcard: Bool, _ question: Question,
    _ result: inout [Candidate]
  ) {
    result += candidates(
      rule, index, peer: peer, isWildcard: isWildcard, ports: question.ports, question.transport,
      question.family)
  }

  /// The ways in which a rule matches by its ports, for a peer that it means.
  ///
  /// - Parameter ports: what port names mean at the destination.
  func candidates(
    _ rule: Rule, _ index: Int, peer: Int, isWildcard: Bool, ports names: NamedPorts, _ transport: Transport,
    _ family: AddressFamily
  ) -> [Candidate] {
    guard let ports = rule.ports else {
      return [
        Candidate(
          rule: index, peer: peer, port: -1, isWildcard: isWildcard, length: 0,
          precedence: rule.precedence(nil))
      ]
    }
    var result: [Candidate] = []
    for (position, port) in ports.enumerated() {
      guard
        let length = port.matchLength(transport.number(family), transport.port, names, transport.named)
      else { continue }
      // A name means a port of each identity, so that its entry is never everyone's.
      var isWildcard = isWildcard
      if direction == .egress, case .named = port.span { isWildcard = false }
      result.append(
        Candidate(
          rule: index, peer: peer, port: position, isWildcard: isWildcard, length: length,
          precedence: rule.precedence(port)))
    }
    return result
  }

  /// What Cilium does where no rule decides.
  func fallback(_ peer: Identity) -> (Verdict, DecisionReason, MatchKind) {
    switch enforcement {
    case .noEndpoint, .never, .unselected: (.allowed, .notEnforced, .all)
    case .defaultAllow: (.allowed, .defaultAllow, .all)
    case .defaultDeny, .always:
      if allowsLocalHost && direction == .ingress && peer.isReserved("host") {
        (.allowed, .localHost, .l3Only)
      } else {
        // Where rules pass decisions on, Cilium denies what is passed on to the end by an entry of its own.
        (.denied, .defaultDeny, rules.contains { $0.action == .pass } ? .all : .none)
      }
    }
  }

  var isDefaultDeny: Bool {
    switch enforcement {
    case .defaultDeny, .always: true
    case .noEndpoint, .never, .unselected, .defaultAllow: false
    }
  }
}
