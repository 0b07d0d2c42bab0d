import Cluster

extension Subject {
  /// Every workload once: those that manifests declare, pods that nobody owns, and of other pods one for each
  /// owner; by name.
  ///
  /// A dump of a cluster has a Deployment, its ReplicaSets and their pods: one workload. Pods in the host network
  /// have no policy of their own, and are left out.
  public static func workloads(in cluster: ClusterState) -> [Subject] {
    let workloads = cluster.workloads
    let owners = Dictionary(
      workloads.compactMap { workload in workload.metadata.owner.map { (workload.reference, $0) } },
      uniquingKeysWith: { first, _ in first })
    /// The owner of the owner, and so on; a few steps are enough for all that Kubernetes makes.
    func top(_ reference: ObjectReference) -> ObjectReference {
      var top = reference
      for _ in 0..<8 {
        guard let next = owners[top] else { break }
        top = next
      }
      return top
    }
    let declared = Set(workloads.map(\.reference))
    var result: [Subject] = []
    var pods: [ObjectReference: Subject] = [:]
    var orphans: [ObjectReference] = []
    for pod in cluster.pods where !pod.isFinished && !pod.spec.hostNetwork {
      var subject = Subject.pod(pod, in: cluster)
      guard let owner = pod.metadata.owner.map(top) else {
        result.append(subject)
        continue
      }
      guard pods[owner] == nil else { continue }
      subject.id = owner.id
      pods[owner] = subject
      if !declared.contains(owner) { orphans.append(owner) }
    }
    for workload in workloads where !workload.template.spec.hostNetwork {
      // One that another makes is there with that one.
      if let owner = workload.metadata.owner, declared.contains(owner) { continue }
      var subject = Subject.workload(workload, in: cluster)
      subject.addresses = pods[workload.reference]?.addresses ?? []
      result.append(subject)
    }
    result += orphans.compactMap { pods[$0] }
    return result.sorted { ($0.id, $0.kind.rawValue) < ($1.id, $1.kind.rawValue) }
  }
}
