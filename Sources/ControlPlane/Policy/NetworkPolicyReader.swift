import Cluster
import Wire

/// Turns Kubernetes' NetworkPolicy objects into statements, as Cilium does.
///
/// Source: Cilium `pkg/k8s/network_policy.go`.
struct NetworkPolicyReader {
  let settings: Settings
  let options: DatapathOptions
  let policy: NetworkPolicy

  var statements: [PolicyStatement] {
    // What the API server fills in where nothing is written.
    let written = policy.policyTypes ?? []
    let implied: [PolicyDirection] = policy.egress?.isEmpty == false ? [.ingress, .egress] : [.ingress]
    let types = written.isEmpty ? implied : written
    var statements: [PolicyStatement] = []
    for (list, rules, isIngress) in [
      ("ingress", policy.ingress ?? [], true), ("egress", policy.egress ?? [], false),
    ] {
      for (index, rule) in rules.enumerated() {
        statements += self.statements(rule, "\(list)[\(index)]", isIngress: isIngress)
      }
      if rules.isEmpty, types.contains(isIngress ? .ingress : .egress) {
        statements.append(
          statement(isIngress: isIngress, peers: nil, ports: nil, rule: list, policy.location))
      }
    }
    return statements
  }

  private func statements(
    _ rule: NetworkPolicyRule, _ name: String, isIngress: Bool
  ) -> [PolicyStatement] {
    let ports = rule.ports ?? []
    let specs = ports.isEmpty ? nil : ports.map(spec)
    let peers = rule.peers ?? []
    guard !peers.isEmpty else {
      return [
        statement(isIngress: isIngress, peers: [PeerSelector()], ports: specs, rule: name, rule.location)
      ]
    }
    return peers.map {
      statement(isIngress: isIngress, peers: [selector($0)], ports: specs, rule: name, rule.location)
    }
  }

  private func statement(
    isIngress: Bool, peers: [PeerSelector]?, ports: [PolicyStatement.PortSpec]?, rule: String,
    _ location: SourceLocation
  ) -> PolicyStatement {
    PolicyStatement(
      subject: inNamespace(policy.podSelector), namespace: policy.namespace, isIngress: isIngress,
      verdict: .allow, defaultDeny: true, peers: peers, ports: ports,
      origin: PolicyOrigin(policy: policy.reference, rule: rule, location: location))
  }

  /// Pods of the policy's own namespace.
  private func inNamespace(_ selector: LabelSelector) -> PeerSelector {
    var result = PeerSelector(selector, source: "k8s")
    result.add(PeerSelector.equals("k8s", IdentityLabels.namespaceKey, policy.namespace))
    return result
  }

  private func selector(_ peer: NetworkPolicyPeer) -> PeerSelector {
    if let block = peer.ipBlock {
      return PeerSelector(block.cidr, except: block.except, options: options)
    }
    let pods = peer.podSelector ?? LabelSelector()
    var result: PeerSelector
    if let namespaces = peer.namespaceSelector {
      result = PeerSelector(
        namespaces, source: "k8s", keyPrefix: IdentityLabels.namespaceLabelsPrefix)
      if namespaces.isEmpty { result.add(PeerSelector.exists("k8s", IdentityLabels.namespaceKey)) }
      for requirement in PeerSelector(pods, source: "k8s").requirements { result.add(requirement) }
    } else {
      result = inNamespace(pods)
    }
    if settings.policy.defaultLocalCluster, !result.mentions(IdentityLabels.clusterKey, sources: ["k8s"]) {
      result.add(PeerSelector.equals("k8s", IdentityLabels.clusterKey, settings.clusterName))
    }
    return result
  }

  private func spec(_ port: NetworkPolicyPort) -> PolicyStatement.PortSpec {
    let reference = port.port ?? .number(0)
    return PolicyStatement.PortSpec(
      port: .init(reference, end: port.endPort), transport: port.transport.number)
  }
}
