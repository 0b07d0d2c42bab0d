/// What every object has: its name, labels and annotations, and where it was written.
public struct Metadata: Hashable, Sendable {
  /// Empty for objects of the cluster.
  public var namespace: String
  public var name: String
  public var labels: Labels
  public var annotations: Labels
  /// The controller that made it (`ownerReferences` with `controller: true`), in the object's own namespace.
  public var owner: ObjectReference?
  /// Where the document begins.
  public var location: SourceLocation

  public init(
    namespace: String = "", name: String, labels: Labels = [:], annotations: Labels = [:],
    owner: ObjectReference? = nil, location: SourceLocation = .none
  ) {
    self.namespace = namespace
    self.name = name
    self.labels = labels
    self.annotations = annotations
    self.owner = owner
    self.location = location
  }

  public var id: NamespacedName { NamespacedName(namespace: namespace, name: name) }
}

/// An object of the cluster: a value with metadata and a kind.
public protocol KubernetesObject: Equatable, Sendable {
  var metadata: Metadata { get set }
  var kind: ObjectKind { get }
}

extension KubernetesObject {
  public var name: String { metadata.name }
  public var namespace: String { metadata.namespace }
  public var labels: Labels { metadata.labels }
  public var annotations: Labels { metadata.annotations }
  public var id: NamespacedName { metadata.id }
  public var location: SourceLocation { metadata.location }
  public var reference: ObjectReference {
    ObjectReference(kind, namespace: metadata.namespace, name: metadata.name)
  }
}
