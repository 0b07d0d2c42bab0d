import Cluster
import Wire

/// A port by name, as policies refer to it.
struct NamedPort: Hashable, Sendable {
  var name: String
  var transport: TransportProtocol
}

/// Something on a node that Cilium manages: a pod with a network namespace of its own, or the agent's health probe.
public struct Endpoint: Hashable, Sendable {
  public enum Kind: Hashable, Sendable {
    case pod(NamespacedName)
    case health
  }

  public var kind: Kind
  public var node: String
  /// 1…65535, unique on the node.
  public var id: UInt16
  /// The host's end of the veth pair.
  public var device: Device
  /// The address of the container's end.
  public var containerMAC: MACAddress
  public var addresses: [IPAddress]
  public var labels: IdentityLabels
  public var identity: UInt32
  /// What its processes are bound to.
  public var listening: [ListeningPort]
  var namedPorts: [NamedPort: UInt16]

  public var pod: NamespacedName? { if case .pod(let id) = kind { id } else { nil } }

  public func address(_ family: AddressFamily) -> IPAddress? { addresses.first { $0.family == family } }

  /// `default/web`, or `health` of a node.
  public var name: String {
    switch kind {
    case .pod(let id): id.description
    case .health: "health/\(node)"
    }
  }
}

/// A pod as kubectl would list it.
public struct PodStatus: Sendable, Equatable {
  public enum Phase: String, Hashable, Sendable, CaseIterable {
    case pending = "Pending"
    case containerCreating = "ContainerCreating"
    case running = "Running"
    case succeeded = "Succeeded"
    case failed = "Failed"
  }

  public var pod: Pod
  public var phase: Phase
  /// Why it does not run; empty if it does.
  public var reason: String
  /// nil as long as no node was found.
  public var node: String?
  /// Its own, or its node's when it shares the host's network; empty until it runs.
  public var addresses: [IPAddress]
  public var isReady: Bool
  /// What its processes are bound to; empty until it runs.
  public var listening: [ListeningPort]

  public var id: NamespacedName { pod.id }
}
