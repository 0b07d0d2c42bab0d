/// Where a program is attached. Names are those of Cilium's programs without `cil_`.
public enum Hook: String, CaseIterable, Sendable, Hashable {
  case fromContainer = "from_container"
  case toContainer = "to_container"
  case fromOverlay = "from_overlay"
  case toOverlay = "to_overlay"
  case fromNetdev = "from_netdev"
  case toNetdev = "to_netdev"
  case fromHost = "from_host"
  case toHost = "to_host"
  case xdpEntry = "xdp_entry"
  case sock4Connect = "sock4_connect"
  case sock6Connect = "sock6_connect"

  /// Whether it sees packets that leave by its device, rather than those that come in by it.
  public var isEgress: Bool {
    switch self {
    case .toContainer, .toOverlay, .toNetdev, .fromHost: true
    default: false
    }
  }

  /// What kind of program it is, and so what it is given.
  public var kind: Kind {
    switch self {
    case .xdpEntry: .xdp
    case .sock4Connect, .sock6Connect: .socket
    default: .tc
    }
  }

  public enum Kind: Sendable, Hashable { case tc, xdp, socket }
}

/// A program as the agent attached it: which hook, on which device, told what.
public struct Attachment: Sendable {
  public var hook: Hook
  /// The device's index, or 0 for a cgroup hook.
  public var ifindex: UInt32
  /// The device's name on the node: `lxc…`, `eth0`, `cilium_vxlan`.
  public var device: String
  public var config: DatapathConfig

  public init(hook: Hook, ifindex: UInt32, device: String, config: DatapathConfig) {
    self.hook = hook
    self.ifindex = ifindex
    self.device = device
    self.config = config
  }
}
