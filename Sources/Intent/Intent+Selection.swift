import Cluster
import Wire

/// Questions about single selectors, for those who check policies.
extension Intent {
  /// Whether a pod's label of this key can take part in its identity; a key may name its source.
  public static func isPartOfIdentity(_ key: String) -> Bool {
    let requirement = Requirement(written: key, .exists, [], defaultSource: "any")
    guard ["k8s", "any"].contains(requirement.source) else { return true }
    return IdentityLabelFilter.keeps(requirement.key)
  }

  /// The endpoints that a policy's own selector means; none for a policy of nodes.
  public func endpoints(selectedBy policy: CiliumNetworkPolicy) -> [Subject] {
    endpoints(of: policy.reference, Compiler(cluster, settings, options.follow).rules(policy))
  }

  public func endpoints(selectedBy policy: NetworkPolicy) -> [Subject] {
    endpoints(of: policy.reference, Compiler(cluster, settings, options.follow).rules(policy))
  }

  private func endpoints(of policy: ObjectReference, _ rules: [Rule]) -> [Subject] {
    endpoints.filter { subject in
      let identity = identities.identity(of: subject, seenFrom: subject.node, .ipv4)
      return rules.contains { $0.subject.selects(identity, isNode: subject.kind == .node) }
    }
  }

  /// The peers of a policy's rules that are meant by their labels, and how many of the endpoints each selects.
  public func peerSelections(_ policy: CiliumNetworkPolicy) -> [(site: RuleSite, selected: Int)] {
    peerSelections(Compiler(cluster, settings, options.follow).rules(policy))
  }

  public func peerSelections(_ policy: NetworkPolicy) -> [(site: RuleSite, selected: Int)] {
    peerSelections(Compiler(cluster, settings, options.follow).rules(policy))
  }

  private func peerSelections(_ rules: [Rule]) -> [(site: RuleSite, selected: Int)] {
    let views = endpoints.map { subject in
      PeerView(identity: identities.identity(of: subject, seenFrom: subject.node, .ipv4), address: nil)
    }
    var result: [(site: RuleSite, selected: Int)] = []
    for rule in rules {
      guard case .any(let peers) = rule.peers else { continue }
      for peer in peers {
        guard case .labels(let requirements) = peer.test, peer.isSelector else { continue }
        // Reserved labels are not a pod's.
        if requirements.contains(where: { $0.source == "reserved" }) { continue }
        let selected = views.count { peer.test.matches($0, []) }
        result.append((rule.site(peer, nil), selected))
      }
    }
    return result
  }
}

extension Peer {
  /// Whether it was written as a selector of endpoints, rather than as an entity or a service.
  fileprivate var isSelector: Bool {
    ["fromEndpoints", "toEndpoints", "from", "to"].contains(list)
  }
}
