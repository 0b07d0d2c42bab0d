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
      egress: answer(traffic, .egress, source, destination),
      ingress: answer(traffic, .ingress, source, destination))
  }

  /// The verdicts alone, for tables of many.
  public func verdicts(
    _ traffic: Traffic, _ source: EndpointPolicy, _ destination: EndpointPolicy
  ) -> (egress: Verdict, ingress: Verdict) {
    if passesUnseen(traffic) != nil { return (.allowed, .allowed) }
    func verdict(_ direction: PolicyDirection) -> Verdict {
      let policy = direction == .egress ? source.egress : destination.ingress
      if policy.rules.isEmpty, !policy.isDefaultDeny { return .allowed }
      return policy.verdict(question(traffic, direction, source, destination))
    }
    return (verdict(.egress), verdict(.ingress))
  }

  private func answer(
    _ traffic: Traffic, _ direction: PolicyDirection, _ source: EndpointPolicy, _ destination: EndpointPolicy
  ) -> DirectionAnswer {
    let policy = direction == .egress ? source.egress : destination.ingress
    if let reason = passesUnseen(traffic) {
      return DirectionAnswer(
        direction: direction, verdict: .allowed, reason: reason, enforcement: policy.enforcement, match: .all,
        rule: nil, alsoMatched: [], drop: nil, proxy: nil, permission: nil, isAudited: false,
        authentication: .disabled)
    }
    return policy.answer(
      question(traffic, direction, source, destination), auditMode: settings.policy.auditMode)
  }

  /// Why no policy is asked.
  func passesUnseen(_ traffic: Traffic) -> DecisionReason? {
    let (from, to) = (traffic.from, traffic.to)
    if options.selfTraffic == .loopback, from.kind == to.kind, from.id == to.id, from.kind != .world {
      return .itself
    }
    // Source: Cilium `bpf/lib/policy.h`, `allow_icmp_frag_needed`, which is on unless asked otherwise.
    if traffic.family == .ipv4, traffic.transport == .icmp(type: 3, code: 4) { return .fragmentationNeeded }
    // The text of the NetworkPolicy API: a pod and its own node always reach each other.
    if options.follow == .kubernetes, from.kind == .node || to.kind == .node, from.kind != to.kind,
      !from.node.isEmpty, from.node == to.node
    {
      return .localHost
    }
    return nil
  }

  /// The question that one end's policy is asked about the other end.
  func question(
    _ traffic: Traffic, _ direction: PolicyDirection, _ source: EndpointPolicy, _ destination: EndpointPolicy
  ) -> DirectionPolicy.Question {
    let (own, peer) = direction == .egress ? (source, destination) : (destination, source)
    if direction == .ingress, let node = masqueradingNode(peer.subject, to: own.subject, traffic.family) {
      let identity = identities.identity(of: node, seenFrom: own.subject.node, traffic.family)
      return DirectionPolicy.Question(
        peer: PeerView(identity: identity, address: node.address(traffic.family)),
        transport: traffic.transport, family: traffic.family, ports: destination.ownPorts,
        names: options.names)
    }
    // A pod looks the same from everywhere; a node does not, nor does the world in both families.
    let identity =
      peer.subject.kind == .pod
      ? peer.identity
      : identities.identity(of: peer.subject, seenFrom: own.subject.node, traffic.family)
    return DirectionPolicy.Question(
      peer: PeerView(identity: identity, address: peer.subject.address(traffic.family)),
      transport: traffic.transport, family: traffic.family,
      ports: direction == .ingress ? destination.ownPorts : destination.identityPorts, names: options.names)
  }
}

extension Intent {
  /// The node whose address a pod's packets have when they come to another node: beside the tunnel they leave the
  /// cluster's prefixes. With native routing what goes to nodes is spared.
  /// Source: Cilium `bpf/lib/nat.h`, `snat_v4_needs_masquerade`; `pkg/option/config.go`, `NodeIpsetNeeded`.
  private func masqueradingNode(_ pod: Subject, to node: Subject, _ family: AddressFamily) -> Subject? {
    guard settings.routing.mode == .tunnel, node.kind == .node, pod.kind == .pod, !pod.node.isEmpty,
      pod.node != node.node, let own = cluster.nodes["", pod.node], let address = node.address(family)
    else { return nil }
    let isOn = family == .ipv4 ? settings.masquerade.ipv4 : settings.masquerade.ipv6
    let spared = family == .ipv4 ? settings.routing.ipv4NativeCIDR : settings.routing.ipv6NativeCIDR
    if !isOn || spared.map({ AddressBlock($0).contains(address) }) == true { return nil }
    return .node(own)
  }
}

extension Subject {
  /// The pods of a cluster, and one for each workload as its template makes them; those in the host network have
  /// no policy of their own, and are left out.
  public static func all(in cluster: ClusterState) -> [Subject] {
    cluster.pods.filter { !$0.isFinished && !$0.spec.hostNetwork }.map { .pod($0, in: cluster) }
      + cluster.workloads.filter { !$0.template.spec.hostNetwork }.map { .workload($0, in: cluster) }
  }
}
