import Cluster

/// Workloads become pods: what kube-controller-manager does, with names that follow from the workload's.
///
/// - A Deployment's pods are `NAME-HASH-SUFFIX`, where the hash is drawn from the template, so that a changed
///   template makes other pods; those of a ReplicaSet, DaemonSet and Job are `NAME-SUFFIX`; those of a StatefulSet
///   are numbered.
/// - Pods that the cluster holds already and that name the workload as their owner count as replicas.
enum WorkloadController {
  /// Every pod there is to be, by namespace and name.
  static func pods(_ state: ClusterState, nodes: [Node]) -> [Pod] {
    var owned: [ObjectReference: Int] = [:]
    var replicaSets: Set<ObjectReference> = []
    for pod in state.pods {
      if let owner = pod.metadata.owner { owned[owner, default: 0] += 1 }
    }
    for set in state.replicaSets where set.replicas > 0 {
      if let owner = set.metadata.owner { replicaSets.insert(owner) }
    }
    var pods = Array(state.pods)
    for workload in state.workloads {
      // A dump holds the Deployment and the ReplicaSet that it made, which makes the pods.
      guard !replicaSets.contains(workload.reference) else { continue }
      pods += WorkloadController.pods(of: workload, present: owned[workload.reference] ?? 0, nodes)
    }
    // A pod that a manifest holds under the name that a workload would give wins.
    var seen: Set<NamespacedName> = []
    return pods.filter { seen.insert($0.id).inserted }.sorted { $0.id < $1.id }
  }

  private static func pods(of workload: Workload, present: Int, _ nodes: [Node]) -> [Pod] {
    let id = "\(workload.type.rawValue)/\(workload.namespace)/\(workload.name)"
    switch workload.type {
    case .deployment:
      let hash = Numbers.suffix("template", id + signature(workload.template), length: 10)
      return replicas(workload, present).map { index in
        let suffix = Numbers.suffix("pod", "\(id)/\(hash)/\(index)", length: 5)
        return pod(
          "\(workload.name)-\(hash)-\(suffix)", of: workload, extra: ["pod-template-hash": hash])
      }
    case .replicaSet:
      return replicas(workload, present).map { index in
        pod("\(workload.name)-\(Numbers.suffix("pod", "\(id)/\(index)", length: 5))", of: workload)
      }
    case .job:
      return replicas(workload, present).map { index in
        let name = "\(workload.name)-\(Numbers.suffix("pod", "\(id)/\(index)", length: 5))"
        return pod(
          name, of: workload,
          extra: ["batch.kubernetes.io/job-name": workload.name, "job-name": workload.name])
      }
    case .statefulSet:
      let hash =
        "\(workload.name)-\(Numbers.suffix("template", id + signature(workload.template), length: 10))"
      return replicas(workload, present).map { index in
        let name = "\(workload.name)-\(index)"
        var pod = pod(
          name, of: workload,
          extra: [
            "statefulset.kubernetes.io/pod-name": name, "apps.kubernetes.io/pod-index": "\(index)",
            "controller-revision-hash": hash,
          ])
        pod.spec.hostname = name
        if pod.spec.subdomain == nil { pod.spec.subdomain = workload.serviceName }
        return pod
      }
    case .daemonSet:
      guard present == 0 else { return [] }
      let hash = Numbers.suffix("template", id + signature(workload.template), length: 10)
      return nodes.compactMap { node in
        var pod = pod(
          "\(workload.name)-\(Numbers.suffix("pod", "\(id)/\(node.name)", length: 5))", of: workload,
          extra: ["controller-revision-hash": hash, "pod-template-generation": "1"])
        guard Scheduler.admits(pod, node, nodes: nodes, daemon: true) else { return nil }
        pod.spec.nodeName = node.name
        return pod
      }
    }
  }

  /// Indexes of the replicas that are still to be made.
  private static func replicas(_ workload: Workload, _ present: Int) -> Range<Int> {
    let wanted = max(0, workload.replicas)
    return min(present, wanted)..<wanted
  }

  private static func pod(_ name: String, of workload: Workload, extra: Labels = [:]) -> Pod {
    Pod(
      metadata: Metadata(
        namespace: workload.namespace, name: name, labels: workload.template.labels.merging(extra),
        annotations: workload.template.annotations, owner: workload.reference,
        location: workload.template.location.isKnown ? workload.template.location : workload.location),
      spec: workload.template.spec)
  }

  /// A text that differs between templates that make different pods. Locations are no part of it.
  private static func signature(_ template: PodTemplate) -> String {
    let spec = template.spec
    let containers = (spec.containers + spec.sidecars).map { container in
      let ports = container.ports.map { "\($0.name ?? ""):\($0.number)/\($0.transport.rawValue)" }
      return "\(container.name)=\(container.image)[\(ports.joined(separator: ","))]"
    }
    return [
      "", template.labels.description, template.annotations.description, containers.joined(separator: ";"),
      spec.nodeName ?? "", spec.nodeSelector.description, spec.serviceAccount, spec.hostNetwork ? "host" : "",
    ].joined(separator: "|")
  }
}
