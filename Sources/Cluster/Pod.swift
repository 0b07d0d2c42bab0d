import Wire

/// The transport protocols that services and containers name.
public enum TransportProtocol: String, Hashable, Sendable, CaseIterable, Comparable {
  case tcp = "TCP"
  case udp = "UDP"
  case sctp = "SCTP"

  /// The IANA protocol number.
  public var number: UInt8 {
    switch self {
    case .tcp: 6
    case .udp: 17
    case .sctp: 132
    }
  }

  public static func < (a: Self, b: Self) -> Bool { a.number < b.number }
}

/// A port that a container declares.
public struct ContainerPort: Hashable, Sendable {
  public var name: String?
  public var number: UInt16
  public var transport: TransportProtocol
  public var hostPort: UInt16?
  public var hostIP: IPAddress?
  public var location: SourceLocation

  public init(
    name: String? = nil, _ number: UInt16, _ transport: TransportProtocol = .tcp, hostPort: UInt16? = nil,
    hostIP: IPAddress? = nil, location: SourceLocation = .none
  ) {
    self.name = name
    self.number = number
    self.transport = transport
    self.hostPort = hostPort
    self.hostIP = hostIP
    self.location = location
  }
}

public struct Container: Hashable, Sendable {
  public var name: String
  public var image: String
  public var ports: [ContainerPort]
  public var location: SourceLocation

  public init(
    name: String, image: String = "", ports: [ContainerPort] = [], location: SourceLocation = .none
  ) {
    self.name = name
    self.image = image
    self.ports = ports
    self.location = location
  }
}

/// What a pod accepts of a node's taints. An empty key tolerates all.
public struct Toleration: Hashable, Sendable {
  public enum Operator: String, Hashable, Sendable, CaseIterable {
    case equal = "Equal"
    case exists = "Exists"
  }

  public var key: String
  public var op: Operator
  public var value: String
  public var effect: Node.Taint.Effect?

  public init(key: String = "", op: Operator = .equal, value: String = "", effect: Node.Taint.Effect? = nil) {
    self.key = key
    self.op = op
    self.value = value
    self.effect = effect
  }

  /// Source: k8s.io/api `Toleration.ToleratesTaint`.
  public func tolerates(_ taint: Node.Taint) -> Bool {
    if let effect, effect != taint.effect { return false }
    if !key.isEmpty, key != taint.key { return false }
    return op == .exists || value == taint.value
  }
}

/// A required term of `podAffinity` or `podAntiAffinity`.
public struct PodAffinityTerm: Hashable, Sendable {
  public var selector: LabelSelector?
  /// Empty for the pod's own.
  public var namespaces: [String]
  public var topologyKey: String
  public var location: SourceLocation

  public init(
    selector: LabelSelector?, namespaces: [String] = [], topologyKey: String, location: SourceLocation = .none
  ) {
    self.selector = selector
    self.namespaces = namespaces
    self.topologyKey = topologyKey
    self.location = location
  }
}

/// A term of required node affinity: every expression must hold of the node's labels, and its name be listed.
public struct NodeSelectorTerm: Hashable, Sendable {
  public var expressions: [LabelSelector.Expression]
  /// `matchFields` on `metadata.name`; nil when not asked.
  public var nodeNames: [String]?

  public init(expressions: [LabelSelector.Expression] = [], nodeNames: [String]? = nil) {
    self.expressions = expressions
    self.nodeNames = nodeNames
  }

  /// A term with nothing in it selects no node.
  public func matches(_ node: Node) -> Bool {
    if expressions.isEmpty, nodeNames == nil { return false }
    return expressions.allSatisfy { $0.matches(node.labels) } && (nodeNames?.contains(node.name) ?? true)
  }
}

/// How evenly pods are spread over the values of a node label.
public struct TopologySpread: Hashable, Sendable {
  public var maxSkew: Int
  public var topologyKey: String
  /// Whether a pod that would exceed the skew stays pending (`DoNotSchedule`).
  public var isRequired: Bool
  public var selector: LabelSelector?
  public var location: SourceLocation

  public init(
    maxSkew: Int, topologyKey: String, isRequired: Bool, selector: LabelSelector?,
    location: SourceLocation = .none
  ) {
    self.maxSkew = maxSkew
    self.topologyKey = topologyKey
    self.isRequired = isRequired
    self.selector = selector
    self.location = location
  }
}

/// What a pod is to be; also the body of a workload's template.
public struct PodSpec: Hashable, Sendable {
  public var containers: [Container]
  /// Restartable ones (sidecars) keep their ports; the others are gone when the pod runs.
  public var sidecars: [Container]
  /// The node asked for by name, past the scheduler.
  public var nodeName: String?
  public var nodeSelector: Labels
  /// Required node affinity: one of the terms must match; nil when not asked.
  public var nodeAffinity: [NodeSelectorTerm]?
  public var affinity: [PodAffinityTerm]
  public var antiAffinity: [PodAffinityTerm]
  public var topologySpread: [TopologySpread]
  public var tolerations: [Toleration]
  public var hostNetwork: Bool
  public var serviceAccount: String
  public var hostname: String?
  public var subdomain: String?
  public var dnsPolicy: DNSPolicy

  public enum DNSPolicy: String, Hashable, Sendable, CaseIterable {
    case clusterFirst = "ClusterFirst"
    case clusterFirstWithHostNet = "ClusterFirstWithHostNet"
    case `default` = "Default"
    case none = "None"
  }

  public init(
    containers: [Container] = [], sidecars: [Container] = [], nodeName: String? = nil,
    nodeSelector: Labels = [:], nodeAffinity: [NodeSelectorTerm]? = nil, affinity: [PodAffinityTerm] = [],
    antiAffinity: [PodAffinityTerm] = [],
    topologySpread: [TopologySpread] = [], tolerations: [Toleration] = [], hostNetwork: Bool = false,
    serviceAccount: String = "default", hostname: String? = nil, subdomain: String? = nil,
    dnsPolicy: DNSPolicy = .clusterFirst
  ) {
    self.containers = containers
    self.sidecars = sidecars
    self.nodeName = nodeName
    self.nodeSelector = nodeSelector
    self.nodeAffinity = nodeAffinity
    self.affinity = affinity
    self.antiAffinity = antiAffinity
    self.topologySpread = topologySpread
    self.tolerations = tolerations
    self.hostNetwork = hostNetwork
    self.serviceAccount = serviceAccount
    self.hostname = hostname
    self.subdomain = subdomain
    self.dnsPolicy = dnsPolicy
  }

  /// Every port that a container of the running pod declares, in the order of the file.
  public var ports: [ContainerPort] { containers.flatMap(\.ports) + sidecars.flatMap(\.ports) }

  /// The declared port of a name and protocol.
  public func port(named name: String, _ transport: TransportProtocol) -> ContainerPort? {
    ports.first { $0.name == name && $0.transport == transport }
  }
}

public struct Pod: KubernetesObject {
  public enum Phase: String, Hashable, Sendable, CaseIterable {
    case pending = "Pending"
    case running = "Running"
    case succeeded = "Succeeded"
    case failed = "Failed"
    case unknown = "Unknown"
  }

  public var metadata: Metadata
  public var spec: PodSpec
  /// Addresses that the manifest pins (`status.podIP`, `status.podIPs`); empty when IPAM is to choose.
  public var podIPs: [IPAddress]
  /// The phase that the manifest gives; nil when it gives none.
  public var phase: Phase?
  /// Whether its readiness probes succeed (once it runs).
  public var isReady: Bool

  public init(
    metadata: Metadata, spec: PodSpec = PodSpec(), podIPs: [IPAddress] = [], phase: Phase? = nil,
    isReady: Bool = true
  ) {
    self.metadata = metadata
    self.spec = spec
    self.podIPs = podIPs
    self.phase = phase
    self.isReady = isReady
  }

  public var kind: ObjectKind { .pod }

  /// Whether it ran to its end: it holds no address and no endpoint any more.
  public var isFinished: Bool { phase == .succeeded || phase == .failed }
}
