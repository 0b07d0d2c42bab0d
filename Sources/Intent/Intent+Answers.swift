import Cluster
import Wire

extension Intent {
  /// What policy says of a conversation, at both ends, with the rules that decided.
  public func answer(_ traffic: Traffic) -> PolicyAnswer {
    answer(traffic, policy(of: traffic.from), policy(of: traffic.to))
  }

  /// The same, with the policies of the two ends at hand.
  public func answer(
    _ traffic: Traffic, _ source: EndpointPolicy, _ destination: EndpointPolicy
  ) -> PolicyAnswer {
    PolicyAnswer(
      egress: answer(traffic, source.egress, destination.subject),
      ingress: answer(traffic, destination.ingress, source.subject))
  }

  /// The verdicts alone, for tables of many.
  public func verdicts(
    _ traffic: Traffic, _ source: EndpointPolicy, _ destination: EndpointPolicy
  ) -> (egress: Verdict, ingress: Verdict) {
    if passesUnseen(traffic) != nil { return (.allowed, .allowed) }
    return (
      source.egress.rules.isEmpty && !source.egress.isDefaultDeny
        ? .allowed : source.egress.verdict(question(traffic, .egress)),
      destination.ingress.rules.isEmpty && !destination.ingress.isDefaultDeny
        ? .allowed : destination.ingress.verdict(question(traffic, .ingress))
    )
  }

  private func answer(_ traffic: Traffic, _ policy: DirectionPolicy, _ peer: Subject) -> DirectionAnswer {
    if let reason = passesUnseen(traffic) {
      return DirectionAnswer(
        direction: policy.direction, verdict: .allowed, reason: reason, enforcement: policy.enforcement,
        match: .all, rule: nil, alsoMatched: [], drop: nil, proxy: nil, permission: nil, isAudited: false,
        authentication: .disabled)
    }
    return policy.answer(question(traffic, policy.direction), auditMode: settings.policy.auditMode)
  }

  /// Why no policy is asked.
  private func passesUnseen(_ traffic: Traffic) -> DecisionReason? {
    let (from, to) = (traffic.from, traffic.to)
    if options.selfTraffic == .loopback, from.kind == to.kind, from.id == to.id, from.kind != .world {
      return .itself
    }
    // The text of the NetworkPolicy API: a pod and its own node always reach each other.
    if options.follow == .kubernetes, from.kind == .node || to.kind == .node, from.kind != to.kind,
      !from.node.isEmpty, from.node == to.node
    {
      return .localHost
    }
    return nil
  }

  /// The question that one end's policy is asked about the other end.
  func question(_ traffic: Traffic, _ direction: PolicyDirection) -> DirectionPolicy.Question {
    let (own, peer) = direction == .egress ? (traffic.from, traffic.to) : (traffic.to, traffic.from)
    let identity = identities.identity(of: peer, seenFrom: own.node, traffic.family)
    let named: @Sendable (String) -> UInt16? = { name in
      guard let transport = traffic.transport.named else { return nil }
      return direction == .ingress
        ? NamedPorts(own.ports).port(name, transport) : namedPort(name, transport, of: peer, identity)
    }
    return DirectionPolicy.Question(
      peer: PeerView(identity: identity, address: peer.address(traffic.family)),
      protocolNumber: traffic.transport.number(traffic.family), port: traffic.transport.port,
      named: named, names: options.names)
  }
}

extension Subject {
  /// The pods of a cluster, and one for each workload as its template makes them.
  public static func all(in cluster: ClusterState) -> [Subject] {
    cluster.pods.filter { !$0.isFinished }.map { .pod($0, in: cluster) }
      + cluster.workloads.map { .workload($0, in: cluster) }
  }
}
