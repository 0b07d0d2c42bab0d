import Cluster
import Intent

/// Traps that a NetworkPolicy shows by itself.
extension Linter {
  mutating func lintNetworkPolicies() {
    for policy in cluster.networkPolicies {
      lintLabels(policy.podSelector, "\(policy.reference)", policy.podSelector.location.or(policy.location))
      if let types = policy.policyTypes { lintTypes(types, policy) }
      for (section, entries) in [("ingress", policy.ingress), ("egress", policy.egress)] {
        for (index, entry) in (entries ?? []).enumerated() {
          for peer in entry.peers ?? [] {
            guard let selector = peer.podSelector else { continue }
            lintLabels(
              selector, "\(policy.reference) \(section)[\(index)]",
              selector.location.or(peer.location).or(policy.location))
          }
        }
      }
      for (index, entry) in (policy.egress ?? []).enumerated() {
        lintDNS(entry, "\(policy.reference) egress[\(index)]", entry.location.or(policy.location))
      }
    }
  }

  private mutating func lintTypes(_ types: [PolicyDirection], _ policy: NetworkPolicy) {
    for (direction, rules) in [(PolicyDirection.ingress, policy.ingress), (.egress, policy.egress)] {
      guard let first = rules?.first, !types.contains(direction) else { continue }
      add(
        .policyTypesDisagree, first.location.or(policy.location),
        "\(policy.reference) has \(direction.rawValue.lowercased()) rules and policyTypes without "
          + "\(direction.rawValue): Kubernetes ignores them, Cilium enforces them")
    }
  }

  private mutating func lintDNS(_ entry: NetworkPolicyRule, _ name: String, _ place: SourceLocation) {
    let ports = (entry.ports ?? []).filter { $0.port == .number(53) }
    guard let udp = ports.first(where: { $0.transport == .udp }),
      !ports.contains(where: { $0.transport == .tcp })
    else { return }
    add(
      .dnsOverUDPOnly, udp.location.or(place),
      "\(name) allows DNS over UDP only: answers that do not fit come over 53/TCP, which stays closed")
  }
}
