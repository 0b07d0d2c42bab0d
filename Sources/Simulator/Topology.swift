public import MapABI
public import Wire

/// The machines, pods and outside hosts of a simulation, with their devices: what there is, not what happens.
public struct Topology: Sendable {
  public var nodes: [NodeSpec]
  public var pods: [PodSpec]
  public var externals: [ExternalSpec]
  public var underlay: UnderlaySpec

  public init(
    nodes: [NodeSpec], pods: [PodSpec], externals: [ExternalSpec] = [],
    underlay: UnderlaySpec = UnderlaySpec()
  ) {
    self.nodes = nodes
    self.pods = pods
    self.externals = externals
    self.underlay = underlay
  }
}

/// The network between the nodes.
public struct UnderlaySpec: Sendable {
  /// Largest packet (without Ethernet header), in octets.
  public var mtu: Int
  /// Nodes of one prefix reach each other directly, others through the router; no prefixes: one segment.
  public var subnets: [CIDR]
  /// The router that leads out of the segment.
  public var gatewayMAC: MACAddress

  public init(
    mtu: Int = 1500, subnets: [CIDR] = [], gatewayMAC: MACAddress = MACAddress(bits: 0x0242_ac12_0001)
  ) {
    self.mtu = mtu
    self.subnets = subnets
    self.gatewayMAC = gatewayMAC
  }
}

/// A device in a node's network namespace.
public struct NodeDevice: Sendable {
  public enum Kind: Sendable, Equatable {
    /// The node's native device.
    case ethernet
    case ciliumHost
    case ciliumNet
    /// cilium_vxlan or cilium_geneve.
    case tunnel
    /// The node's end of a pod's veth pair.
    case lxc
  }

  public var name: String
  public var ifindex: UInt32
  public var mac: MACAddress
  public var kind: Kind

  public init(name: String, ifindex: UInt32, mac: MACAddress, kind: Kind) {
    self.name = name
    self.ifindex = ifindex
    self.mac = mac
    self.kind = kind
  }
}

public struct NodeSpec: Sendable {
  public var name: String
  /// The node's devices, its pods' lxc devices included.
  public var devices: [NodeDevice]
  /// Addresses on the underlay, the node's own first of each family.
  public var addresses: [IPAddress]
  /// Addresses of cilium_host.
  public var routerAddresses: [IPAddress]
  /// The prefixes that the node's pods get addresses from.
  public var podCIDRs: [CIDR]
  public var tunnel: Tunnel?
  /// Whether netfilter masquerades pods that leave the cluster, by family.
  public var masqueradesIPv4: Bool
  public var masqueradesIPv6: Bool
  /// Destinations inside these prefixes are never masqueraded.
  public var nativeCIDRs: [CIDR]
  /// Whether every pod has a route of its own to its lxc device.
  public var endpointRoutes: Bool
  /// Whether remote pod prefixes are routed over the underlay.
  public var nativeRouting: Bool
  /// Ports that processes on the node listen on.
  public var listeners: [Listener]
  /// The ports of its proxies.
  public var proxies: [ProxySpec]
  public var image: MapImage

  public struct Tunnel: Sendable, Equatable {
    public enum Encapsulation: Sendable { case vxlan, geneve }
    public var encapsulation: Encapsulation
    public var port: UInt16

    public init(encapsulation: Encapsulation, port: UInt16) {
      self.encapsulation = encapsulation
      self.port = port
    }
  }

  public init(
    name: String, devices: [NodeDevice], addresses: [IPAddress], routerAddresses: [IPAddress],
    podCIDRs: [CIDR],
    tunnel: Tunnel?, masqueradesIPv4: Bool = true, masqueradesIPv6: Bool = true, nativeCIDRs: [CIDR] = [],
    endpointRoutes: Bool = false, nativeRouting: Bool = false, listeners: [Listener] = [],
    proxies: [ProxySpec] = [],
    image: MapImage
  ) {
    self.name = name
    self.devices = devices
    self.addresses = addresses
    self.routerAddresses = routerAddresses
    self.podCIDRs = podCIDRs
    self.tunnel = tunnel
    self.masqueradesIPv4 = masqueradesIPv4
    self.masqueradesIPv6 = masqueradesIPv6
    self.nativeCIDRs = nativeCIDRs
    self.endpointRoutes = endpointRoutes
    self.nativeRouting = nativeRouting
    self.listeners = listeners
    self.proxies = proxies
    self.image = image
  }
}

public struct PodSpec: Sendable {
  /// `namespace/name`.
  public var name: String
  public var node: String
  /// The lxc device's index on the node.
  public var ifindex: UInt32
  /// The device in the pod, and its peer on the node.
  public var mac: MACAddress
  public var hostMAC: MACAddress
  public var addresses: [IPAddress]
  public var listeners: [Listener]
  /// Where the pod's resolver asks; nil for a pod without one.
  public var nameserver: IPAddress?
  /// Largest packet that the pod's route lets through.
  public var routeMTU: Int

  public init(
    name: String, node: String, ifindex: UInt32, mac: MACAddress, hostMAC: MACAddress, addresses: [IPAddress],
    listeners: [Listener], nameserver: IPAddress?, routeMTU: Int
  ) {
    self.name = name
    self.node = node
    self.ifindex = ifindex
    self.mac = mac
    self.hostMAC = hostMAC
    self.addresses = addresses
    self.listeners = listeners
    self.nameserver = nameserver
    self.routeMTU = routeMTU
  }
}

/// A host outside the cluster, behind the underlay's router.
public struct ExternalSpec: Sendable {
  public var name: String
  public var addresses: [IPAddress]
  public var listeners: [Listener]

  public init(name: String, addresses: [IPAddress], listeners: [Listener]) {
    self.name = name
    self.addresses = addresses
    self.listeners = listeners
  }
}

/// A port that something listens on.
public struct Listener: Sendable, Equatable {
  public enum Service: Sendable, Equatable {
    /// Accepts and closes; UDP and SCTP echo.
    case plain
    /// Answers every path with 200, or as the table says.
    case http(HTTPBehaviour)
    /// Answers names.
    case dns
    /// A proxy looks at what comes.
    case proxied
  }

  public var port: UInt16
  public var `protocol`: IPProtocol
  public var service: Service

  public init(port: UInt16, protocol: IPProtocol, service: Service) {
    self.port = port
    self.protocol = `protocol`
    self.service = service
  }
}

/// What an HTTP server answers.
public struct HTTPBehaviour: Sendable, Equatable {
  /// The status of a path; others answer 200.
  public var statuses: [String: Int]
  public var body: String

  public init(statuses: [String: Int] = [:], body: String = "") {
    self.statuses = statuses
    self.body = body
  }
}
