import Cluster
import Intent

/// Rules of layer 4 that undo those of layer 7.
extension Linter {
  /// Reports each layer 7 entry beside which another entry for the same pods lets the same peers pass on the same
  /// port without any.
  mutating func lintShadows(
    _ spec: PolicyRule, _ policy: CiliumNetworkPolicy, _ policies: [CiliumNetworkPolicy]
  ) {
    for section in [RuleSection.ingress, .egress] {
      for entry in spec.allow(section) {
        for rule in entry.toPorts ?? []
        where !(rule.rules?.http ?? []).isEmpty || !(rule.rules?.dns ?? []).isEmpty {
          guard let shadow = shadow(of: entry, rule, spec, policy, section, policies) else { continue }
          add(
            .l4ShadowsL7, rule.rules?.location.or(rule.location).or(policy.location) ?? policy.location,
            "\(policy.reference) restricts requests that \(shadow) lets pass on the same port")
        }
      }
    }
  }

  private func shadow(
    of entry: TrafficRule, _ rule: PortRule, _ spec: PolicyRule, _ policy: CiliumNetworkPolicy,
    _ section: RuleSection, _ policies: [CiliumNetworkPolicy]
  ) -> String? {
    for other in policies where other.scope == policy.scope && other.namespace == policy.namespace {
      for otherSpec in other.rules where otherSpec.endpointSelector.isSame(as: spec.endpointSelector) {
        for (index, candidate) in otherSpec.allow(section).enumerated() {
          let isPlain = candidate.covers(rule.ports ?? [])
          if isPlain, candidate.peers.cover(entry.peers) {
            return "\(other.reference) \(section.rawValue)[\(index)]"
          }
        }
      }
    }
    return nil
  }
}

extension LabelSelector? {
  /// Whether two selectors ask the same, wherever they stand.
  fileprivate func isSame(as other: LabelSelector?) -> Bool {
    self?.matchLabels == other?.matchLabels && self?.description == other?.description
  }
}

extension PolicyRule {
  fileprivate func allow(_ section: RuleSection) -> [TrafficRule] {
    (section == .ingress ? ingress : egress) ?? []
  }
}

extension TrafficRule {
  /// Whether it lets everything pass on one of these ports, or on all.
  fileprivate func covers(_ ports: [PortProtocol]) -> Bool {
    guard let own = toPorts, !own.isEmpty else { return icmps?.isEmpty ?? true }
    return own.contains { rule in
      let isPlain = rule.rules == nil && rule.listener == nil && (rule.serverNames ?? []).isEmpty
      return isPlain && (rule.ports ?? []).contains { mine in ports.contains { mine.covers($0) } }
    }
  }
}

extension PortProtocol {
  fileprivate func covers(_ other: PortProtocol) -> Bool {
    guard self.protocol == .any || self.protocol == other.protocol else { return false }
    if port == other.port || port == .number(0) { return true }
    guard case .number(let low)? = port, case .number(let wanted)? = other.port else { return false }
    return low <= wanted && wanted <= max(low, endPort ?? low)
  }
}

extension PolicyPeers {
  /// Whether these are all peers, or at least those of another rule.
  fileprivate func cover(_ other: PolicyPeers) -> Bool {
    if areAbsent || entities?.contains(where: { $0.value == .all }) ?? false { return true }
    let own = (endpoints ?? []).map(\.description)
    let others = (other.endpoints ?? []).map(\.description)
    return !others.isEmpty && others.contains { own.contains($0) }
  }
}
