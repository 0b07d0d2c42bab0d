import Cluster
import Wire

/// ClusterNetworkPolicies become rules here: each rule of a policy is a level of its own.
///
/// Source: Cilium `pkg/k8s/cluster_network_policy.go`.
extension Compiler {
  func rules(_ policy: ClusterNetworkPolicy) -> [Rule] {
    let subject: [Requirement] =
      switch policy.subject {
      case .namespaces(let selector): namespaces(selector)
      case .pods(let pods): namespaces(pods.namespaces) + pods.pods.requirements(defaultSource: "k8s")
      }
    let lists = [(RuleSection.ingress, policy.ingress), (.egress, policy.egress)]
    return lists.flatMap { section, entries in
      entries.enumerated().map { index, entry in
        Rule(
          policy: policy.reference, spec: nil, section: section, index: index,
          location: entry.location.or(policy.location),
          level: RuleLevel(
            policy.tier == .admin ? .admin : .baseline, priority: policy.priority * 100 + index),
          action: action(entry.action), subject: .pods(subject), namespace: nil,
          peers: .any(peers(entry, section)), ports: ports(entry), turnsOnDefaultDeny: false,
          authentication: nil)
      }
    }
  }

  private func action(_ action: ClusterNetworkPolicy.Action) -> RuleAction {
    switch action {
    case .accept: .allow
    case .deny: .deny
    case .pass: .pass
    }
  }

  private func peers(_ entry: ClusterNetworkPolicy.Rule, _ section: RuleSection) -> [Peer] {
    let list = section == .ingress ? "from" : "to"
    return entry.peers.enumerated().flatMap { index, peer in
      tests(peer.value).map { Peer(test: $0, list: list, index: index, location: peer.location) }
    }
  }

  private func tests(_ peer: ClusterNetworkPolicy.Peer) -> [PeerTest] {
    switch peer {
    case .namespaces(let selector): return [.labels(namespaces(selector))]
    case .pods(let pods):
      let own = pods.pods.requirements(defaultSource: "k8s")
      return [.labels(namespaces(pods.namespaces) + own + localCluster(unless: own))]
    case .nodes(let selector):
      let own = selector.requirements(defaultSource: "node")
      return ["host", "remote-node"].map { name in
        .labels(own + [Requirement("reserved", name, .exists)] + localCluster(unless: own))
      }
    case .networks(let networks): return networks.map { .block(AddressBlock($0)) }
    case .domainNames(let names):
      // A leading asterisk stands for any number of labels here, and for one in Cilium's own policies.
      return names.map { name in
        let selector =
          name.hasPrefix("*") ? FQDNSelector(matchPattern: "*" + name) : FQDNSelector(matchName: name)
        return .name(NamePattern(selector))
      }
    }
  }

  /// Pods of namespaces with such labels; an empty selector means every namespace.
  private func namespaces(_ selector: LabelSelector) -> [Requirement] {
    if selector.isEmpty { return [Requirement("k8s", LabelKey.namespace, .exists)] }
    let labels = selector.matchLabels.map {
      Requirement.equals(.k8s("\(LabelKey.namespaceLabels).\($0.key)", $0.value))
    }
    return labels
      + selector.matchExpressions.map {
        Requirement("k8s", "\(LabelKey.namespaceLabels).\($0.key)", $0.op, $0.values)
      }
  }

  private func localCluster(unless requirements: [Requirement]) -> [Requirement] {
    guard settings.policy.defaultLocalCluster, !requirements.contains(where: { $0.key == LabelKey.cluster })
    else { return [] }
    return [.equals(.k8s(LabelKey.cluster, settings.clusterName))]
  }

  private func ports(_ entry: ClusterNetworkPolicy.Rule) -> [Port]? {
    guard let ports = entry.ports else { return nil }
    return ports.enumerated().flatMap { index, port in
      spans(port.value).map { transport, span in
        Port(
          protocolNumber: transport.number, span: span, path: "protocols[\(index)]",
          location: port.location, proxy: nil)
      }
    }
  }

  private func spans(_ port: ClusterNetworkPolicy.Port) -> [(TransportProtocol, PortSpan)] {
    switch port {
    case .every(let transport): [(transport, .every)]
    case .number(let number, let transport): [(transport, .range(number, number))]
    case .range(let first, let last, let transport): [(transport, .range(first, last))]
    case .name(let name): TransportProtocol.allCases.map { ($0, .named(name)) }
    }
  }
}

extension AgentCheck {
  /// What the agent refuses of a ClusterNetworkPolicy that the API server takes.
  public func problems(_ policy: ClusterNetworkPolicy) -> [PolicyProblem] {
    policy.egress.flatMap { rule in
      rule.peers.compactMap { peer -> PolicyProblem? in
        let location = peer.location.or(rule.location)
        switch peer.value {
        case .nodes where !settings.policy.nodeSelectorLabels:
          return PolicyProblem(
            kind: .nodePeers, text: "selects nodes, which needs enable-node-selector-labels",
            location: location)
        case .domainNames where rule.action != .accept:
          return PolicyProblem(
            kind: .domainNamesAction, text: "names domains in a rule that does not accept", location: location
          )
        case .domainNames where !settings.policy.l7Proxy:
          return PolicyProblem(
            kind: .l7Disabled, text: "names domains, but l7Proxy is off", location: location)
        case .nodes, .domainNames, .namespaces, .pods, .networks: return nil
        }
      }
    }
  }
}
