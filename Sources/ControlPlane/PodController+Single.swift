import Cluster

extension PodController {
  /// Whether one pod can be replaced without looking at the others: it stands alone, and nothing about it is pinned,
  /// waits, or is to be reported.
  func isSimple(_ pod: Pod) -> Bool {
    let spec = pod.spec
    return pod.metadata.owner == nil && pod.podIPs.isEmpty && !pod.isFinished && !spec.hostNetwork
      && pod.namespace != SystemObjects.namespace
      && spec.affinity.isEmpty && spec.antiAffinity.isEmpty && spec.topologySpread.isEmpty
      && spec.ports.allSatisfy { ($0.name ?? "").isEmpty && $0.hostPort == nil }
      && pod.annotations[ListeningPort.annotation] == nil
  }

  /// Brings one pod in line with its object; nil takes it away.
  ///
  /// - Returns: false when it could not be done, and all pods are to be looked at.
  mutating func replace(
    _ id: NamespacedName, by pod: Pod?, _ state: ClusterState, _ settings: Settings,
    _ options: DatapathOptions, _ nodes: inout NodeController
  ) -> Bool {
    guard !hasWaiting, !remembersPlaces else { return false }
    if let pod, !isSimple(pod) { return false }
    if let old = statuses[id] {
      guard old.phase == .running, isSimple(old.pod), let node = old.node else { return false }
      guard nodes.info(node)?.agent == .up else { return false }
      if pod == nil || !stands(id, for: pod, nodes) { remove(id, old.pod, node, &nodes) }
    }
    guard let pod else { return true }
    return add(pod, state, settings, options, &nodes)
  }
}
