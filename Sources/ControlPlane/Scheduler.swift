import Cluster

/// Which node a pod goes to.
///
/// Of the nodes that admit it, the one with the fewest pods of the same owner; of several, the one whose name,
/// hashed together with the owner's, is lowest. So a pod's place does not depend on the other workloads, unless a
/// node is full.
struct Scheduler {
  let nodes: [Node]
  /// Pods on each node, for the kubelet's limit.
  private var count: [String: Int] = [:]
  private var byOwner: [String: [String: Int]] = [:]
  private var placed: [(pod: Pod, node: Node)] = []
  /// Whether any pod asks for the others' places; else they need not be remembered.
  let remembers: Bool

  init(nodes: [Node], pods: [Pod]) {
    self.nodes = nodes
    remembers = pods.contains {
      !$0.spec.affinity.isEmpty || !$0.spec.antiAffinity.isEmpty || !$0.spec.topologySpread.isEmpty
    }
  }

  /// Counts a pod that has its node already.
  mutating func place(_ pod: Pod, on name: String) {
    count[name, default: 0] += 1
    byOwner[Scheduler.group(pod), default: [:]][name, default: 0] += 1
    if remembers, let node = nodes.first(where: { $0.name == name }) { placed.append((pod, node)) }
  }

  /// Forgets a pod that is gone.
  mutating func remove(_ pod: Pod, from name: String) {
    count[name, default: 1] -= 1
    byOwner[Scheduler.group(pod)]?[name, default: 1] -= 1
  }

  /// The node for a pod; nil and the scheduler's words when none admits it.
  func node(for pod: Pod) -> (node: String?, reason: String) {
    let admitted = nodes.filter { Scheduler.admits(pod, $0, nodes: nodes, daemon: false) }
    let free = admitted.filter { count[$0.name, default: 0] < $0.podLimit }
    let candidates = free.filter { allowsNeighbours(pod, $0) && allowsSpread(pod, $0, among: free) }
    guard !candidates.isEmpty else {
      let reason =
        admitted.isEmpty
        ? "no node matches its node selector and tolerations"
        : free.isEmpty ? "too many pods" : "no node satisfies its affinity or topology spread"
      return (nil, "0/\(nodes.count) nodes are available: \(reason)")
    }
    let group = Scheduler.group(pod)
    let counts = byOwner[group] ?? [:]
    let prefers = Scheduler.prefersControlPlane(pod)
    func rank(_ node: Node) -> (Int, Int, UInt64) {
      (
        prefers && !node.isControlPlane ? 1 : 0, counts[node.name] ?? 0,
        Numbers.hash("placement", "\(group)/\(node.name)")
      )
    }
    return (candidates.min { rank($0) < rank($1) }?.name, "")
  }

  /// What is spread together: the pods of an owner, or a pod of its own.
  private static func group(_ pod: Pod) -> String {
    pod.metadata.owner.map { "\($0)" } ?? "Pod \(pod.id)"
  }

  /// CoreDNS starts as the first pods of a cluster, when there is only the control plane.
  private static func prefersControlPlane(_ pod: Pod) -> Bool {
    pod.metadata.owner == SystemObjects.dnsDeployment
  }

  /// Whether a node's labels and taints let a pod in.
  static func admits(_ pod: Pod, _ node: Node, nodes: [Node], daemon: Bool) -> Bool {
    var labels = node.labels
    if labels[Node.hostnameLabel] == nil { labels[Node.hostnameLabel] = node.name }
    if labels["kubernetes.io/os"] == nil { labels["kubernetes.io/os"] = "linux" }
    guard pod.spec.nodeSelector.allSatisfy({ labels[$0.key] == $0.value }) else { return false }
    if let terms = pod.spec.nodeAffinity {
      var labelled = node
      labelled.metadata.labels = labels
      guard terms.contains(where: { $0.matches(labelled) }) else { return false }
    }
    return taints(node, nodes).allSatisfy { taint in
      taint.effect == .preferNoSchedule
        || daemon && taint.key.hasPrefix("node.kubernetes.io/")
        || pod.spec.tolerations.contains { $0.tolerates(taint) }
    }
  }

  /// A node's taints; a control plane beside workers is tainted even if its object does not say so.
  private static func taints(_ node: Node, _ nodes: [Node]) -> [Node.Taint] {
    guard node.isControlPlane, nodes.contains(where: { !$0.isControlPlane }),
      !node.taints.contains(where: { $0.key == Node.controlPlaneLabel })
    else { return node.taints }
    return node.taints + [Node.Taint(key: Node.controlPlaneLabel, effect: .noSchedule)]
  }

  private func allowsNeighbours(_ pod: Pod, _ node: Node) -> Bool {
    pod.spec.antiAffinity.allSatisfy { !hasNeighbour($0, pod, node) }
      && pod.spec.affinity.allSatisfy { term in
        hasNeighbour(term, pod, node)
          // The first pod of a group that wants to be together may go anywhere.
          || term.selector?.matches(pod.labels) == true && !placed.contains { selects(term, pod, $0.pod) }
      }
      && placed.allSatisfy { other in
        other.pod.spec.antiAffinity.allSatisfy { term in
          !selects(term, other.pod, pod)
            || Scheduler.label(other.node, term.topologyKey) != Scheduler.label(node, term.topologyKey)
        }
      }
  }

  private func hasNeighbour(_ term: PodAffinityTerm, _ pod: Pod, _ node: Node) -> Bool {
    guard let value = Scheduler.label(node, term.topologyKey) else { return false }
    return placed.contains {
      selects(term, pod, $0.pod) && Scheduler.label($0.node, term.topologyKey) == value
    }
  }

  private func selects(_ term: PodAffinityTerm, _ subject: Pod, _ other: Pod) -> Bool {
    let namespaces = term.namespaces.isEmpty ? [subject.namespace] : term.namespaces
    return namespaces.contains(other.namespace) && term.selector?.matches(other.labels) == true
  }

  private func allowsSpread(_ pod: Pod, _ node: Node, among nodes: [Node]) -> Bool {
    pod.spec.topologySpread.filter(\.isRequired).allSatisfy { spread in
      guard let value = Scheduler.label(node, spread.topologyKey) else { return false }
      var counts: [String: Int] = [:]
      for node in nodes { if let key = Scheduler.label(node, spread.topologyKey) { counts[key] = 0 } }
      for other in placed
      where other.pod.namespace == pod.namespace && spread.selector?.matches(other.pod.labels) == true {
        if let key = Scheduler.label(other.node, spread.topologyKey) { counts[key]? += 1 }
      }
      let least = counts.values.min() ?? 0
      return counts[value, default: 0] + 1 - least <= max(1, spread.maxSkew)
    }
  }

  private static func label(_ node: Node, _ key: String) -> String? {
    node.labels[key] ?? (key == Node.hostnameLabel ? node.name : nil)
  }
}
