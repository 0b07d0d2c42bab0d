import Cluster
import Wire

/// The labels that policies match a subject by, as they look from a node.
///
/// Source: Cilium `pkg/k8s/utils` (pod labels), `pkg/ipcache/metadata.go` (`resolveLabels`),
/// `pkg/labels/cidr.go` (`getWorldLabel`).
struct Identity: Hashable, Sendable {
  let labels: [IdentityLabel]
  /// Whether CIDR and FQDN rules may match its addresses.
  let isMatchedByAddress: Bool
  /// Whether prefixes of length 0 match it; they stand for the world, which nodes never belong to.
  let isWorld: Bool

  /// The value of the first label of a key; `any` looks at every source.
  func value(_ source: String, _ key: String) -> String? {
    for label in labels where label.key == key && (label.source == source || source == "any") {
      return label.value
    }
    return nil
  }

  func isReserved(_ name: String) -> Bool { value("reserved", name) != nil }
}

/// How subjects become identities in one installation.
struct IdentityRules: Hashable, Sendable {
  let settings: Settings
  let follow: Authority

  /// The identity of a subject to an endpoint on `viewpoint`.
  func identity(of subject: Subject, seenFrom viewpoint: String, _ family: AddressFamily) -> Identity {
    switch subject.kind {
    case .pod: return pod(subject)
    case .unmanaged: return inCluster(["unmanaged"])
    case .initializing: return inCluster(["init"])
    case .ingress: return inCluster(["ingress"])
    case .health: return inCluster(["health"])
    case .node: return node(subject, isLocal: subject.id.name == viewpoint)
    case .world:
      var labels = [IdentityLabel.reserved(worldLabel(family))]
      if subject.isAPIServer { labels.append(.reserved("kube-apiserver")) }
      return Identity(labels: labels.sorted(), isMatchedByAddress: true, isWorld: true)
    }
  }

  private func inCluster(_ names: [String]) -> Identity {
    Identity(
      labels: names.map(IdentityLabel.reserved), isMatchedByAddress: false, isWorld: false)
  }

  private func node(_ subject: Subject, isLocal: Bool) -> Identity {
    var labels = [IdentityLabel.reserved(isLocal ? "host" : "remote-node")]
    if subject.isAPIServer { labels.append(.reserved("kube-apiserver")) }
    if settings.policy.nodeSelectorLabels {
      labels += subject.labels.map { IdentityLabel("node", $0.key, $0.value) }
      labels.append(.k8s(LabelKey.cluster, subject.cluster ?? settings.clusterName))
    }
    return Identity(
      labels: labels.sorted(),
      isMatchedByAddress: settings.policy.cidrMatchesNodes, isWorld: false)
  }

  /// The identity of a node as the subject of host policies: its own labels count.
  func host(_ subject: Subject) -> Identity {
    let own = subject.labels.filter { IdentityLabelFilter.keeps($0.key) }.map {
      IdentityLabel.k8s($0.key, $0.value)
    }
    return Identity(
      labels: (own + [.reserved("host")]).sorted(), isMatchedByAddress: false, isWorld: false)
  }

  private func pod(_ subject: Subject) -> Identity {
    var labels: [IdentityLabel] = []
    for label in subject.labels where follow == .kubernetes || IdentityLabelFilter.keeps(label.key) {
      labels.append(.k8s(label.key, label.value))
    }
    for label in subject.namespaceLabels {
      let key = "\(LabelKey.namespaceLabels).\(label.key)"
      if follow == .kubernetes || IdentityLabelFilter.keeps(key) { labels.append(.k8s(key, label.value)) }
    }
    let added = [LabelKey.namespace, LabelKey.cluster, LabelKey.serviceAccount]
    labels.removeAll { added.contains($0.key) }
    labels.append(.k8s(LabelKey.namespace, subject.id.namespace))
    labels.append(.k8s(LabelKey.cluster, subject.cluster ?? settings.clusterName))
    labels.append(.k8s(LabelKey.serviceAccount, subject.serviceAccount))
    return Identity(labels: labels.sorted(), isMatchedByAddress: false, isWorld: false)
  }

  /// `world` where only one family is on, and the family's own name otherwise.
  func worldLabel(_ family: AddressFamily) -> String {
    switch family {
    case .ipv4: settings.ipv6Enabled ? "world-ipv4" : "world"
    case .ipv6: settings.ipv4Enabled ? "world-ipv6" : "world"
    }
  }
}
