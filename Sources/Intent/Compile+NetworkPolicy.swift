import Cluster

/// NetworkPolicies become rules here.
///
/// Source: Cilium `pkg/k8s/network_policy.go`; for `.kubernetes`, the API's own documentation.
extension Compiler {
  func rules(_ policy: NetworkPolicy) -> [Rule] {
    let ingress = rules(policy, .ingress, policy.ingress ?? [])
    let egress = rules(policy, .egress, policy.egress ?? [])
    return ingress + egress
  }

  private func rules(
    _ policy: NetworkPolicy, _ section: RuleSection, _ entries: [NetworkPolicyRule]
  ) -> [Rule] {
    guard applies(policy, section.direction) else { return [] }
    // A direction without a rule is isolated all the same: one that selects nobody turns default deny on.
    if entries.isEmpty { return [rule(policy, section, 0, policy.location, .nobody, nil)] }
    return entries.enumerated().map { index, entry in
      let list = section == .ingress ? "from" : "to"
      let peers = (entry.peers ?? []).enumerated().map { position, peer in
        Peer(test: test(peer, policy.namespace), list: list, index: position, location: peer.location)
      }
      let everyone = Peers.any([Peer(test: .everyone, list: list, index: 0, location: entry.location)])
      return rule(
        policy, section, index, entry.location, peers.isEmpty ? everyone : .any(peers), ports(entry))
    }
  }

  /// Whether a policy is about a direction.
  ///
  /// By the API, `policyTypes` decides, which the API server fills in. Cilium reads rules wherever they are, and
  /// for a direction without any takes `policyTypes`: ingress unless only egress is named.
  private func applies(_ policy: NetworkPolicy, _ direction: PolicyDirection) -> Bool {
    let types = policy.policyTypes ?? []
    switch (follow, direction) {
    case (.kubernetes, _):
      if policy.policyTypes != nil { return types.contains(direction) }
      return direction == .ingress || !(policy.egress ?? []).isEmpty
    case (.cilium, .ingress):
      return !(policy.ingress ?? []).isEmpty || types.contains(.ingress) || !types.contains(.egress)
    case (.cilium, .egress):
      return !(policy.egress ?? []).isEmpty || types.contains(.egress)
    }
  }

  private func rule(
    _ policy: NetworkPolicy, _ section: RuleSection, _ index: Int, _ location: SourceLocation,
    _ peers: Peers, _ ports: [Port]?
  ) -> Rule {
    var subject = policy.podSelector.requirements(defaultSource: "k8s")
    subject.append(.equals(.k8s(LabelKey.namespace, policy.namespace)))
    return Rule(
      policy: policy.reference, spec: nil, section: section, index: index,
      location: location.or(policy.location), level: .normal, action: .allow, subject: .pods(subject),
      namespace: policy.namespace, peers: peers, ports: ports, turnsOnDefaultDeny: true, authentication: nil)
  }

  private func ports(_ entry: NetworkPolicyRule) -> [Port]? {
    guard let ports = entry.ports, !ports.isEmpty else { return nil }
    return ports.enumerated().map { index, port in
      Port(
        protocolNumber: port.transport.number, span: PortSpan(port.port, end: port.endPort),
        path: "ports[\(index)]", location: port.location, proxy: nil)
    }
  }

  private func test(_ peer: NetworkPolicyPeer, _ namespace: String) -> PeerTest {
    if let block = peer.ipBlock {
      let block = AddressBlock(block.cidr, except: block.except)
      return follow == .kubernetes ? .wholeBlock(block) : .block(block)
    }
    var requirements = (peer.podSelector ?? LabelSelector()).requirements(defaultSource: "k8s")
    if follow == .cilium, settings.policy.defaultLocalCluster, !requirements.mention(LabelKey.cluster) {
      requirements.append(.equals(.k8s(LabelKey.cluster, settings.clusterName)))
    }
    guard let selector = peer.namespaceSelector else {
      return .labels(requirements + [.equals(.k8s(LabelKey.namespace, namespace))])
    }
    if selector.isEmpty {
      requirements.append(Requirement("k8s", LabelKey.namespace, .exists))
    }
    for label in selector.matchLabels {
      requirements.append(.equals(.k8s("\(LabelKey.namespaceLabels).\(label.key)", label.value)))
    }
    for expression in selector.matchExpressions {
      requirements.append(
        Requirement(
          "k8s", "\(LabelKey.namespaceLabels).\(expression.key)", expression.op, expression.values))
    }
    return .labels(requirements)
  }
}
