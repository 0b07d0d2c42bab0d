import Wire

/// A port by number or by name.
public enum PortReference: Hashable, Sendable {
  case number(UInt16)
  case name(String)
}

extension PortReference: CustomStringConvertible {
  public var description: String {
    switch self {
    case .number(let number): "\(number)"
    case .name(let name): name
    }
  }
}

public struct ServicePort: Hashable, Sendable {
  /// Empty when the service has only one port and gives it no name.
  public var name: String
  public var port: UInt16
  public var target: PortReference
  public var transport: TransportProtocol
  public var nodePort: UInt16?
  public var appProtocol: String?
  public var location: SourceLocation

  /// `target` is `port` itself when left out, as in the API.
  public init(
    name: String = "", _ port: UInt16, target: PortReference? = nil, _ transport: TransportProtocol = .tcp,
    nodePort: UInt16? = nil, appProtocol: String? = nil, location: SourceLocation = .none
  ) {
    self.name = name
    self.port = port
    self.target = target ?? .number(port)
    self.transport = transport
    self.nodePort = nodePort
    self.appProtocol = appProtocol
    self.location = location
  }
}

public struct Service: KubernetesObject {
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    case clusterIP = "ClusterIP"
    case nodePort = "NodePort"
    case loadBalancer = "LoadBalancer"
    case externalName = "ExternalName"
  }

  public enum IPFamilyPolicy: String, Hashable, Sendable, CaseIterable {
    case singleStack = "SingleStack"
    case preferDualStack = "PreferDualStack"
    case requireDualStack = "RequireDualStack"
  }

  public enum TrafficPolicy: String, Hashable, Sendable, CaseIterable {
    case cluster = "Cluster"
    case local = "Local"
  }

  public enum TrafficDistribution: String, Hashable, Sendable, CaseIterable {
    case preferClose = "PreferClose"
    case preferSameZone = "PreferSameZone"
    case preferSameNode = "PreferSameNode"
  }

  /// A client keeps its backend, for as long after its last packet.
  public struct SessionAffinity: Hashable, Sendable {
    /// 1…86400; Kubernetes' default is three hours.
    public var timeoutSeconds: Int

    public init(timeoutSeconds: Int = 10_800) { self.timeoutSeconds = timeoutSeconds }
  }

  public var metadata: Metadata
  public var type: Kind
  public var ports: [ServicePort]
  /// nil when the endpoints are given by hand; an empty one selects nothing.
  public var selector: Labels?
  /// Addresses that the manifest pins; empty when they are to be allocated.
  public var clusterIPs: [IPAddress]
  /// `clusterIP: None`.
  public var isHeadless: Bool
  /// Empty when left to the cluster.
  public var ipFamilies: [AddressFamily]
  /// nil when left to the cluster.
  public var ipFamilyPolicy: IPFamilyPolicy?
  public var sessionAffinity: SessionAffinity?
  public var internalTrafficPolicy: TrafficPolicy
  public var externalTrafficPolicy: TrafficPolicy
  public var trafficDistribution: TrafficDistribution?
  public var healthCheckNodePort: UInt16?
  public var publishNotReadyAddresses: Bool
  public var externalIPs: [IPAddress]
  public var externalName: String?
  public var loadBalancerClass: String?
  /// `spec.loadBalancerIP`, deprecated and still read.
  public var loadBalancerIP: IPAddress?
  /// `status.loadBalancer.ingress[].ip` of a dump.
  public var loadBalancerIngress: [IPAddress]
  public var loadBalancerSourceRanges: [CIDR]
  public var allocateLoadBalancerNodePorts: Bool

  public init(
    metadata: Metadata, type: Kind = .clusterIP, ports: [ServicePort] = [], selector: Labels? = nil,
    clusterIPs: [IPAddress] = [], isHeadless: Bool = false, ipFamilies: [AddressFamily] = [],
    ipFamilyPolicy: IPFamilyPolicy? = nil, sessionAffinity: SessionAffinity? = nil
  ) {
    self.metadata = metadata
    self.type = type
    self.ports = ports
    self.selector = selector
    self.clusterIPs = clusterIPs
    self.isHeadless = isHeadless
    self.ipFamilies = ipFamilies
    self.ipFamilyPolicy = ipFamilyPolicy
    self.sessionAffinity = sessionAffinity
    internalTrafficPolicy = .cluster
    externalTrafficPolicy = .cluster
    publishNotReadyAddresses = false
    externalIPs = []
    loadBalancerIngress = []
    loadBalancerSourceRanges = []
    allocateLoadBalancerNodePorts = true
  }

  public var kind: ObjectKind { .service }
}
