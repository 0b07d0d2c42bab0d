import Cluster
import Wire

/// The services that `toServices` may mean, and who stands behind them.
///
/// Source: Cilium `pkg/policy/k8s/service.go`.
struct ServicePeers: Hashable, Sendable {
  struct Entry: Hashable, Sendable {
    var id: NamespacedName
    var labels: Labels
    /// nil or empty where the endpoints were written by hand.
    var selector: Labels?
    /// Of its backends; each once, in order.
    var addresses: [IPAddress]
  }

  /// The cluster that selectors are held to; nil for any.
  var cluster: String?
  var entries: [Entry] = []

  init() {}

  /// - Parameter statuses: those of services alone; ports of the host are not among them.
  init(_ statuses: [ServiceStatus], _ state: ClusterState, _ settings: Settings) {
    cluster = settings.policy.defaultLocalCluster ? settings.clusterName : nil
    entries = statuses.filter { state.services[$0.id] != nil }.map { status in
      let isByHand = status.service.selector?.isEmpty ?? true
      return Entry(
        id: status.id, labels: status.service.labels, selector: status.service.selector,
        addresses: isByHand ? Set(status.backends.map(\.address)).sorted() : [])
    }
  }

  /// The pods that each service selects, or the backends' addresses of one without selector.
  ///
  /// None where no service is meant: the rule is then about everybody on its ports.
  func selectors(of peer: ServicePeer) -> [PeerSelector] {
    entries.filter { $0.isMeant(by: peer) }.flatMap { entry -> [PeerSelector] in
      guard let selector = entry.selector, !selector.isEmpty else {
        return entry.addresses.map { address in
          let prefix = CIDR(address)
          return PeerSelector([
            PeerSelector.Requirement(
              source: "cidr", key: prefix.description, cidr: prefix, op: .exists, values: [])
          ])
        }
      }
      var result = PeerSelector(selector.map { PeerSelector.equals("k8s", $0.key, $0.value) })
      result.add(PeerSelector.equals("k8s", IdentityLabels.namespaceKey, entry.id.namespace))
      if let cluster { result.add(PeerSelector.equals("k8s", IdentityLabels.clusterKey, cluster)) }
      return [result]
    }
  }
}

extension ServicePeers.Entry {
  /// Of a peer that gives both a name and a selector, the selector counts. An empty namespace is every one.
  fileprivate func isMeant(by peer: ServicePeer) -> Bool {
    for case .selector(let selector, let namespace) in peer.targets {
      return (namespace.isEmpty || namespace == id.namespace) && matches(selector)
    }
    for case .name(let name) in peer.targets {
      return name.name == id.name && (name.namespace.isEmpty || name.namespace == id.namespace)
    }
    return false
  }

  /// Labels of services are compared without regard to a source.
  private func matches(_ selector: LabelSelector) -> Bool {
    PeerSelector(selector, source: "any").requirements.allSatisfy { requirement in
      let value = labels[requirement.key]
      return switch requirement.op {
      case .in: value.map(requirement.values.contains) ?? false
      case .notIn: value.map { !requirement.values.contains($0) } ?? true
      case .exists: value != nil
      case .doesNotExist: value == nil
      }
    }
  }
}
