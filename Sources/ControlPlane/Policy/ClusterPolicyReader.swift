import Cluster
import Wire

/// Turns ClusterNetworkPolicy objects into statements, as Cilium does.
///
/// Source: Cilium `pkg/k8s/cluster_network_policy.go`.
struct ClusterPolicyReader {
  let settings: Settings
  let options: DatapathOptions
  let policy: ClusterNetworkPolicy
  private(set) var statements: [PolicyStatement] = []
  private(set) var findings: [Finding] = []

  init(_ policy: ClusterNetworkPolicy, _ settings: Settings, _ options: DatapathOptions) {
    self.policy = policy
    self.settings = settings
    self.options = options
    let subject =
      switch policy.subject {
      case .namespaces(let selector): namespaces(selector)
      case .pods(let pods): self.pods(pods, inCluster: false)
      }
    for (index, rule) in policy.ingress.enumerated() { read(rule, index, subject, isIngress: true) }
    for (index, rule) in policy.egress.enumerated() { read(rule, index, subject, isIngress: false) }
    if findings.contains(where: { $0.severity == .error }) { statements.removeAll() }
  }

  private mutating func read(
    _ rule: ClusterNetworkPolicy.Rule, _ index: Int, _ subject: PeerSelector, isIngress: Bool
  ) {
    let verdict: PolicyVerdict =
      switch rule.action {
      case .accept: .allow
      case .deny: .deny
      case .pass: .pass
      }
    for peer in rule.peers {
      guard let peers = peers(peer, rule) else { continue }
      statements.append(
        PolicyStatement(
          subject: subject, namespace: "", isIngress: isIngress, verdict: verdict,
          tier: policy.tier == .admin ? .admin : .baseline,
          // Hundredths of the policy's priority; more than a hundred rules would reach into the next one's.
          priority: policy.priority * 100 + index, defaultDeny: false, peers: peers,
          ports: rule.ports.map { $0.flatMap { specs($0.value) } },
          origin: PolicyOrigin(
            policy: policy.reference, rule: "\(isIngress ? "ingress" : "egress")[\(index)]",
            location: rule.location)))
    }
  }

  /// nil for what is reported instead.
  private mutating func peers(
    _ peer: Located<ClusterNetworkPolicy.Peer>, _ rule: ClusterNetworkPolicy.Rule
  ) -> [PeerSelector]? {
    func report(_ severity: Finding.Severity, _ message: String) {
      findings.append(
        Finding(
          severity == .error ? "policy-refused" : "unmodelled", severity, message, object: policy.reference,
          at: peer.location, authority: severity == .error ? .agent : nil))
    }
    switch peer.value {
    case .namespaces(let selector): return [namespaces(selector)]
    case .pods(let pods): return [self.pods(pods, inCluster: true)]
    case .networks(let networks): return networks.map { PeerSelector($0, options: options) }
    case .nodes(let selector):
      guard settings.policy.nodeSelectorLabels else {
        report(.error, "egress.to.nodes is not supported since node selector labels are disabled")
        return nil
      }
      return nodes(selector)
    case .domainNames:
      if rule.action != .accept {
        report(.error, "egress.to.domainNames is only supported for egress.action=Accept")
      } else {
        report(.unmodelled, "egress.to.domainNames")
      }
      return nil
    }
  }

  /// Pods of namespaces with such labels, in whatever cluster.
  private func namespaces(_ selector: LabelSelector) -> PeerSelector {
    var result = PeerSelector(selector, source: "k8s", keyPrefix: IdentityLabels.namespaceLabelsPrefix)
    if selector.isEmpty { result.add(PeerSelector.exists("k8s", IdentityLabels.namespaceKey)) }
    return result
  }

  private func pods(_ pods: ClusterNetworkPolicy.Pods, inCluster: Bool) -> PeerSelector {
    var result = namespaces(pods.namespaces)
    for requirement in PeerSelector(pods.pods, source: "k8s").requirements { result.add(requirement) }
    if inCluster, settings.policy.defaultLocalCluster,
      !result.mentions(IdentityLabels.clusterKey, sources: ["k8s"])
    {
      result.add(PeerSelector.equals("k8s", IdentityLabels.clusterKey, settings.clusterName))
    }
    return result
  }

  /// The local host, and the others.
  private func nodes(_ selector: LabelSelector) -> [PeerSelector] {
    ["host", "remote-node"].map { name in
      var result = PeerSelector(selector, source: "node")
      result.add(PeerSelector.exists("reserved", name))
      if settings.policy.defaultLocalCluster, !result.mentions(IdentityLabels.clusterKey, sources: ["node"]) {
        result.add(PeerSelector.equals("k8s", IdentityLabels.clusterKey, settings.clusterName))
      }
      return result
    }
  }

  private func specs(_ port: ClusterNetworkPolicy.Port) -> [PolicyStatement.PortSpec] {
    func spec(_ port: PolicyStatement.Port, _ transport: TransportProtocol) -> PolicyStatement.PortSpec {
      PolicyStatement.PortSpec(port: port, transport: transport.number)
    }
    switch port {
    case .every(let transport): return [spec(.number(0, end: 0), transport)]
    case .number(let number, let transport): return [spec(.number(number, end: 0), transport)]
    case .range(let start, let end, let transport): return [spec(.number(start, end: end), transport)]
    case .name(let name): return [TransportProtocol.tcp, .udp, .sctp].map { spec(.name(name), $0) }
    }
  }
}
