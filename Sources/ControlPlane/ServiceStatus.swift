import Cluster
import Wire

/// An address and port that a service is reached at.
public struct Frontend: Hashable, Sendable {
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    case clusterIP = "ClusterIP"
    case nodePort = "NodePort"
    case loadBalancer = "LoadBalancer"
    case externalIP = "ExternalIPs"
    case hostPort = "HostPort"
  }

  public var kind: Kind
  /// The unspecified address for a node port or host port: it stands for those of the node.
  public var address: IPAddress
  public var port: UInt16
  public var transport: TransportProtocol
  /// Where traffic policies differ, traffic from inside the cluster has a frontend of its own.
  public var isInternalScope: Bool
  public var portName: String
  /// The service's port; the same as `port` except for node ports.
  public var servicePort: UInt16
  /// The index of its reverse translation.
  public var id: UInt16

  /// Whether the address stands for every one of the node.
  var isForEveryNodeAddress: Bool {
    kind == .nodePort || kind == .hostPort && address == address.family.unspecified
  }

  /// What the index is drawn from: `10.96.0.10:53/UDP`, with `/i` in the internal scope.
  var name: String {
    let host = address.family == .ipv6 ? "[\(address)]" : "\(address)"
    return "\(host):\(port)/\(transport.rawValue)\(isInternalScope ? "/i" : "")"
  }
}

/// Something that a service sends traffic to.
public struct Backend: Hashable, Sendable {
  public enum State: UInt8, Hashable, Sendable, CaseIterable, Comparable {
    case active = 0
    /// Still served, for want of others.
    case terminating = 1
    case terminatingNotServing = 2
    /// Not ready.
    case maintenance = 3

    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
  }

  public var address: IPAddress
  public var port: UInt16
  public var transport: TransportProtocol
  /// Names of the service's ports that it serves; empty for an unnamed one.
  public var portNames: [String]
  public var node: String?
  public var zone: String?
  public var pod: NamespacedName?
  public var state: State
  public var id: UInt32

  /// What the id is drawn from.
  var name: String {
    let host = address.family == .ipv6 ? "[\(address)]" : "\(address)"
    return "\(host):\(port)/\(transport.rawValue)"
  }

  static func precedes(_ a: Backend, _ b: Backend) -> Bool {
    (a.state, a.address, a.port, a.transport) < (b.state, b.address, b.port, b.transport)
  }
}

/// A service as the controllers completed it.
public struct ServiceStatus: Equatable, Sendable {
  public var service: Service
  public var families: [AddressFamily]
  /// Empty for headless services and external names.
  public var clusterIPs: [IPAddress]
  public var frontends: [Frontend]
  public var backends: [Backend]
  /// The only node that has it: for host ports.
  public var node: String?
  /// It is reached from inside the node only.
  var isLoopback = false

  public var id: NamespacedName { service.id }

  /// The backends of a frontend, in the order of their slots; those in maintenance have none.
  ///
  /// - Parameter node: whose agent asks; it matters where only local backends count.
  ///
  /// Source: Cilium `pkg/loadbalancer/writer/writer.go`.
  public func backends(of frontend: Frontend, on node: String, _ settings: Settings) -> [Backend] {
    let local = usesLocalBackends(frontend, settings)
    return backends.filter { backend in
      backend.address.family == frontend.address.family && backend.transport == frontend.transport
        && (frontend.portName.isEmpty || backend.portNames.isEmpty
          || backend.portNames.contains(frontend.portName))
        && (!local || backend.node == nil || backend.node == node)
    }.sorted(by: Backend.precedes)
  }

  private func usesLocalBackends(_ frontend: Frontend, _ settings: Settings) -> Bool {
    let internalLocal = isInternallyLocal(settings)
    if frontend.isInternalScope || frontend.kind == .clusterIP { return internalLocal }
    return service.externalTrafficPolicy == .local
  }

  func isInternallyLocal(_ settings: Settings) -> Bool {
    settings.loadBalancer.internalTrafficPolicy && service.internalTrafficPolicy == .local
  }
}
