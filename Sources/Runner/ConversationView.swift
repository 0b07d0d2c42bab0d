import Datapath
import MapABI

/// What a conversation's journeys show of policy, drops and translation.
struct ConversationView {
  let journeys: [Journey]
  /// The first packet to the target, if one was sent.
  let first: Journey?
  /// The first packets of the connections by which proxies carried the conversation on.
  let proxied: [Journey]

  init(journeys: [Journey], first: Int?, proxied: [Int] = []) {
    self.journeys = journeys
    self.first = first.flatMap { id in journeys.first { $0.id == id } }
    self.proxied = proxied.compactMap { id in journeys.first { $0.id == id } }
  }

  /// The packets that policy is asked about: the first one, and those that carry it on behind proxies; all where there
  /// is no first (a name that was not resolved, say).
  private var asked: [Journey] { first.map { [$0] + proxied } ?? journeys }

  /// The decisions that policy took on them.
  private var decisions: [PolicyDecision] {
    asked.flatMap(\.hops).flatMap { hop in
      hop.result.steps.compactMap { step in if case .policy(let decision) = step { decision } else { nil } }
    }
  }

  /// `allowed`, `denied` or `redirected` of a direction; nil when the packet did not come so far.
  func verdict(egress: Bool) -> String? {
    decisions.last { $0.egress == egress }.map { decision in
      switch decision.verdict {
      case .allow: "allowed"
      case .redirect: "redirected"
      case .deny: "denied"
      }
    }
  }

  /// The verdict of both directions together: denied if any denies, else redirected if any does.
  var verdict: String? {
    let both = [verdict(egress: true), verdict(egress: false)].compactMap(\.self)
    if both.contains("denied") { return "denied" }
    if both.contains("redirected") { return "redirected" }
    return both.isEmpty ? nil : "allowed"
  }

  /// The match type of the last decision, in Hubble's words.
  var match: String? {
    decisions.last.map { decision in
      switch UInt32(decision.match) {
      case POLICY_MATCH_L3_ONLY.rawValue: "L3-Only"
      case POLICY_MATCH_L3_L4.rawValue: "L3-L4"
      case POLICY_MATCH_L4_ONLY.rawValue: "L4-Only"
      case POLICY_MATCH_ALL.rawValue: "all"
      case POLICY_MATCH_L3_PROTO.rawValue: "L3-Proto"
      case POLICY_MATCH_PROTO_ONLY.rawValue: "Proto-Only"
      default: "none"
      }
    }
  }

  /// The first drop: of the first packet to the target, else of any.
  var drop: DropPlace? {
    for journey in (first.map { [$0] + proxied } ?? []) + journeys {
      if case .dropped(let place) = journey.disposition { return place }
    }
    return nil
  }

  /// The rules of layer 7 by which proxies let the conversation pass, in order.
  var proxyRules: [String] {
    let steps = journeys.flatMap { journey in
      journey.passages.compactMap { passage -> ProxyStep? in
        if case .proxy(let step) = passage { step } else { nil }
      }
    }
    return steps.reduce(into: []) { rules, step in
      if case .allowed(_, let rule) = step.action, !rules.contains(rule) { rules.append(rule) }
    }
  }

  /// The last decision's place, for naming the rule behind it: node, endpoint, key.
  var deciding: (node: String, decision: PolicyDecision)? {
    for hop in asked.flatMap(\.hops).reversed() {
      for case .policy(let decision) in hop.result.steps.reversed() { return (hop.node, decision) }
    }
    return nil
  }
}
