public struct Namespace: KubernetesObject {
  public var metadata: Metadata

  public init(metadata: Metadata) { self.metadata = metadata }

  public var kind: ObjectKind { .namespace }

  /// The label that the API server sets on every namespace.
  public static let nameLabel = "kubernetes.io/metadata.name"

  /// The labels that selectors see: those written, and the namespace's own name.
  public var effectiveLabels: Labels {
    var labels = metadata.labels
    labels[Namespace.nameLabel] = metadata.name
    return labels
  }
}

public struct ServiceAccount: KubernetesObject {
  public var metadata: Metadata

  public init(metadata: Metadata) { self.metadata = metadata }

  public var kind: ObjectKind { .serviceAccount }
}
