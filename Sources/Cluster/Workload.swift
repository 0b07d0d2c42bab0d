/// The pods that a workload makes: labels, annotations and spec of each.
public struct PodTemplate: Hashable, Sendable {
  public var labels: Labels
  public var annotations: Labels
  public var spec: PodSpec
  public var location: SourceLocation

  public init(
    labels: Labels = [:], annotations: Labels = [:], spec: PodSpec = PodSpec(),
    location: SourceLocation = .none
  ) {
    self.labels = labels
    self.annotations = annotations
    self.spec = spec
    self.location = location
  }
}

/// Something that makes pods from a template.
public struct Workload: KubernetesObject {
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    case deployment = "Deployment"
    case replicaSet = "ReplicaSet"
    case statefulSet = "StatefulSet"
    case daemonSet = "DaemonSet"
    case job = "Job"
  }

  public var metadata: Metadata
  public var type: Kind
  /// How many pods (a Job's parallelism); not asked for a DaemonSet, which makes one per node.
  public var replicas: Int
  /// nil for a Job that leaves it to the API server.
  public var selector: LabelSelector?
  public var template: PodTemplate
  /// A StatefulSet's governing service.
  public var serviceName: String?

  public init(
    metadata: Metadata, type: Kind, replicas: Int = 1, selector: LabelSelector? = nil, template: PodTemplate,
    serviceName: String? = nil
  ) {
    self.metadata = metadata
    self.type = type
    self.replicas = replicas
    self.selector = selector
    self.template = template
    self.serviceName = serviceName
  }

  public var kind: ObjectKind {
    switch type {
    case .deployment: .deployment
    case .replicaSet: .replicaSet
    case .statefulSet: .statefulSet
    case .daemonSet: .daemonSet
    case .job: .job
    }
  }
}
