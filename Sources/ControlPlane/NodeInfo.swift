import Wire

/// A network device in a node's namespace.
public struct Device: Hashable, Sendable {
  public var name: String
  public var ifindex: UInt32
  public var mac: MACAddress

  public init(name: String, ifindex: UInt32, mac: MACAddress) {
    self.name = name
    self.ifindex = ifindex
    self.mac = mac
  }

  // The devices that every node has, at the same index everywhere. Objects of Cilium have the overlay's compiled
  // in.
  public static let loopbackIndex: UInt32 = 1
  public static let underlayIndex: UInt32 = 2
  public static let ciliumNetIndex: UInt32 = 3
  public static let ciliumHostIndex: UInt32 = 4
  public static let overlayIndex: UInt32 = 5
  /// Where the indexes of endpoints' devices begin.
  public static let firstEndpointIndex: UInt32 = 16
}

/// A node as its agent has set it up.
public struct NodeInfo: Hashable, Sendable {
  public enum Agent: Hashable, Sendable {
    case up
    /// Its maps stay as they are, and no pod starts.
    case down
    /// It has never come up, and nothing is attached.
    case notStarted(String)
  }

  public var name: String
  /// Internal addresses; the first of a family is the node's.
  public var addresses: [IPAddress]
  public var podCIDRs: [CIDR]
  /// The addresses of cilium_host: at most one of each family.
  public var routerAddresses: [IPAddress]
  /// The addresses of the health endpoint.
  public var healthAddresses: [IPAddress]
  public var devices: [Device]
  /// Octets of the underlay device, and of pods' devices.
  public var mtu: Int
  /// Octets that pods' routes allow: less by the tunnel header.
  public var routeMTU: Int
  public var zone: String?
  public var isControlPlane: Bool
  public var agent: Agent
  /// The id of the host endpoint.
  public var hostEndpointID: UInt16
  /// The number of the node in `cilium_node_map_v2`.
  public var nodeID: UInt16

  public func address(_ family: AddressFamily) -> IPAddress? { addresses.first { $0.family == family } }
  public func router(_ family: AddressFamily) -> IPAddress? { routerAddresses.first { $0.family == family } }
  public func device(_ ifindex: UInt32) -> Device? { devices.first { $0.ifindex == ifindex } }

  public var underlay: Device? { device(Device.underlayIndex) }
  public var overlay: Device? { device(Device.overlayIndex) }
  public var ciliumHost: Device? { device(Device.ciliumHostIndex) }
  public var ciliumNet: Device? { device(Device.ciliumNetIndex) }

  /// Whether an agent of this node has ever run: only then it has devices and maps.
  public var hasStarted: Bool { if case .notStarted = agent { false } else { true } }
}
