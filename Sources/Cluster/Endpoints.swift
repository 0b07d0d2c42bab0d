import Wire

/// A port of hand-written endpoints.
public struct EndpointPort: Hashable, Sendable {
  public var name: String
  /// nil in a slice means all ports.
  public var port: UInt16?
  public var transport: TransportProtocol
  public var location: SourceLocation

  public init(
    name: String = "", _ port: UInt16?, _ transport: TransportProtocol = .tcp,
    location: SourceLocation = .none
  ) {
    self.name = name
    self.port = port
    self.transport = transport
    self.location = location
  }
}

/// One endpoint of a slice: its addresses, conditions and place.
public struct SliceEndpoint: Hashable, Sendable {
  public var addresses: [IPAddress]
  public var isReady: Bool
  public var isServing: Bool
  public var isTerminating: Bool
  public var nodeName: String?
  public var zone: String?
  /// The pod that it stands for.
  public var target: NamespacedName?
  /// Zones of `hints.forZones`; nil when it has no hints.
  public var hintedZones: [String]?
  public var location: SourceLocation

  public init(
    addresses: [IPAddress], isReady: Bool = true, isServing: Bool? = nil, isTerminating: Bool = false,
    nodeName: String? = nil, zone: String? = nil, target: NamespacedName? = nil,
    hintedZones: [String]? = nil, location: SourceLocation = .none
  ) {
    self.addresses = addresses
    self.isReady = isReady
    self.isServing = isServing ?? isReady
    self.isTerminating = isTerminating
    self.nodeName = nodeName
    self.zone = zone
    self.target = target
    self.hintedZones = hintedZones
    self.location = location
  }
}

/// Endpoints of a service, given by hand or in a dump.
public struct EndpointSlice: KubernetesObject {
  public enum AddressType: String, Hashable, Sendable, CaseIterable {
    case ipv4 = "IPv4"
    case ipv6 = "IPv6"
    case fqdn = "FQDN"
  }

  public var metadata: Metadata
  public var addressType: AddressType
  public var endpoints: [SliceEndpoint]
  public var ports: [EndpointPort]

  public init(
    metadata: Metadata, addressType: AddressType, endpoints: [SliceEndpoint] = [], ports: [EndpointPort] = []
  ) {
    self.metadata = metadata
    self.addressType = addressType
    self.endpoints = endpoints
    self.ports = ports
  }

  public var kind: ObjectKind { .endpointSlice }

  public static let serviceLabel = "kubernetes.io/service-name"

  /// The service that it belongs to, by its label.
  public var serviceName: String? { metadata.labels[EndpointSlice.serviceLabel] }
}

/// The older form: the object's name is the service's.
public struct Endpoints: KubernetesObject {
  public struct Subset: Hashable, Sendable {
    public var addresses: [SliceEndpoint]
    public var ports: [EndpointPort]

    /// Addresses under `notReadyAddresses` are those that are not ready.
    public init(addresses: [SliceEndpoint] = [], ports: [EndpointPort] = []) {
      self.addresses = addresses
      self.ports = ports
    }
  }

  public var metadata: Metadata
  public var subsets: [Subset]

  public init(metadata: Metadata, subsets: [Subset] = []) {
    self.metadata = metadata
    self.subsets = subsets
  }

  public var kind: ObjectKind { .endpoints }
}
