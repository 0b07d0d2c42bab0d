/// Why a change of the cluster is refused, as kubectl would.
public enum ClusterError: Error, Equatable, Sendable {
  case notFound(ObjectReference)
  /// The kind has no `spec.replicas`.
  case notScalable(ObjectReference)
  case negativeReplicas(ObjectReference, Int)
}

extension ClusterError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notFound(let reference): "\(reference) not found"
    case .notScalable(let reference): "\(reference) cannot be scaled: its kind has no replicas"
    case .negativeReplicas(let reference, let count):
      "\(reference) cannot be scaled to \(count): expected 0 or more replicas"
    }
  }
}

/// What applying an object did, in kubectl's words.
public enum ApplyResult: String, Sendable {
  case created, configured, unchanged
}

/// A key and its new value; nil takes the key away.
public struct LabelChange: Hashable, Sendable {
  public var key: String
  public var value: String?

  public init(_ key: String, _ value: String?) {
    self.key = key
    self.value = value
  }
}

extension ClusterState {
  /// Creates the object or replaces the one of the same reference.
  @discardableResult
  public mutating func apply(_ object: ClusterObject) -> ApplyResult {
    let old = self[object.reference]
    guard old != object else { return .unchanged }
    self[object.reference] = object
    return old == nil ? .created : .configured
  }

  /// Removes an object, what it owns, and, with a namespace, what is in it.
  ///
  /// - Returns: the references that went, in order.
  @discardableResult
  public mutating func delete(_ reference: ObjectReference) throws(ClusterError) -> [ObjectReference] {
    guard self[reference] != nil else { throw .notFound(reference) }
    let all = objects
    let owned = Dictionary(grouping: all.filter { $0.metadata.owner != nil }) { $0.metadata.owner }
    var gone: [ObjectReference] = []
    var pending = [reference]
    while let next = pending.popLast() {
      guard self[next] != nil else { continue }
      self[next] = nil
      gone.append(next)
      if next.kind == .namespace {
        pending += all.map(\.reference).filter { $0.kind.isNamespaced && $0.namespace == next.name }
      }
      pending += (owned[next] ?? []).map(\.reference)
    }
    return gone.sorted()
  }

  public mutating func label(
    _ reference: ObjectReference, _ changes: [LabelChange]
  ) throws(ClusterError) {
    try changeMetadata(reference) { metadata in
      for change in changes { metadata.labels[change.key] = change.value }
    }
  }

  public mutating func annotate(
    _ reference: ObjectReference, _ changes: [LabelChange]
  ) throws(ClusterError) {
    try changeMetadata(reference) { metadata in
      for change in changes { metadata.annotations[change.key] = change.value }
    }
  }

  /// Sets `spec.replicas` of a Deployment, ReplicaSet or StatefulSet.
  public mutating func scale(_ reference: ObjectReference, replicas: Int) throws(ClusterError) {
    switch reference.kind {
    case .deployment, .replicaSet, .statefulSet: break
    default: throw .notScalable(reference)
    }
    guard replicas >= 0 else { throw .negativeReplicas(reference, replicas) }
    guard case .workload(var workload)? = self[reference] else { throw .notFound(reference) }
    workload.replicas = replicas
    self[reference] = .workload(workload)
  }

  /// Makes a pod's readiness probes succeed or fail.
  public mutating func setReady(_ pod: NamespacedName, _ isReady: Bool) throws(ClusterError) {
    guard pods[pod] != nil else {
      throw .notFound(ObjectReference(.pod, namespace: pod.namespace, name: pod.name))
    }
    pods[pod]?.isReady = isReady
  }

  private mutating func changeMetadata(
    _ reference: ObjectReference, _ change: (inout Metadata) -> Void
  ) throws(ClusterError) {
    guard var object = self[reference] else { throw .notFound(reference) }
    change(&object.metadata)
    self[reference] = object
  }
}
