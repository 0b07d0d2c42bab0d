internal import MapABI

/// What a look-up in conntrack learns about a connection, or what a new entry is to say (`struct ct_state`).
struct ConntrackState {
  var natAddress = NATAddress()
  var natPort: UInt16 = 0
  var revNATIndex: UInt16 = 0
  var sourceIdentity: UInt32 = 0
  var backendID: UInt32 = 0
  /// ``ConntrackFlag`` bits that are shared with the entry.
  var flags: UInt16 = 0
  /// The packet that found the entry opens a connection.
  var isSYN = false

  var isLoopback: Bool { flags & ConntrackFlag.loopback != 0 }
  var isNodePort: Bool { flags & ConntrackFlag.nodePort != 0 }
  var isProxyRedirect: Bool { flags & ConntrackFlag.proxyRedirect != 0 }
  var isFromTunnel: Bool { flags & ConntrackFlag.fromTunnel != 0 }
  var isFromL7LB: Bool { flags & ConntrackFlag.fromL7LB != 0 }

  mutating func set(_ flag: UInt16, _ on: Bool) { if on { flags |= flag } else { flags &= ~flag } }
}

/// `struct ct_entry.flags`
enum ConntrackFlag {
  static let rxClosing: UInt16 = 1 << 0
  static let txClosing: UInt16 = 1 << 1
  static let loopback: UInt16 = 1 << 3
  static let seenNonSYN: UInt16 = 1 << 4
  static let nodePort: UInt16 = 1 << 5
  static let proxyRedirect: UInt16 = 1 << 6
  static let dsrInternal: UInt16 = 1 << 7
  static let fromL7LB: UInt16 = 1 << 8
  static let fromTunnel: UInt16 = 1 << 10
  static let closing: UInt16 = rxClosing | txClosing
  /// Those that a state takes from an entry and gives to it.
  static let shared: UInt16 = loopback | nodePort | proxyRedirect | dsrInternal | fromL7LB | fromTunnel
}

/// The lower flag octet of a TCP header.
struct TCPFlags {
  var bits: UInt8 = 0
  var isFIN: Bool { bits & 1 != 0 }
  var isSYN: Bool { bits & 2 != 0 }
  var isRST: Bool { bits & 4 != 0 }
  var isACK: Bool { bits & 16 != 0 }
}

enum ConntrackDirection: UInt8 {
  case egress = 0
  case ingress = 1
  case service = 2

  var metric: MetricDirection {
    switch self {
    case .egress: .egress
    case .ingress: .ingress
    case .service: .service
    }
  }

  var step: Step.CTDirection {
    switch self {
    case .egress: .egress
    case .ingress: .ingress
    case .service: .service
    }
  }
}

enum ConntrackScope {
  case forward, reverse, both
}

enum ConntrackStatus: UInt8 {
  case new = 0
  case established = 1
  case reply = 2
  case related = 3

  var reason: TraceReason {
    switch self {
    case .new: .policy
    case .established: .established
    case .reply: .reply
    case .related: .related
    }
  }

  var step: Step.CTStatus {
    switch self {
    case .new: .new
    case .established: .established
    case .reply: .reply
    case .related: .related
    }
  }
}

/// Which entries a look-up accepts (`enum ct_entry_type`).
enum ConntrackFilter {
  case any
  /// Entries of the service in the state.
  case service
  /// Entries made for a node port.
  case nodePort
}

/// The result of the conntrack stage, which the stage after it goes on with (`struct ct_buffer4`).
///
/// Cilium keeps it in a per-CPU map that is not cleared between packets: for a new connection its `ct_state` is
/// that of an earlier packet on the CPU. Here it starts empty, as on a fresh CPU.
struct Connection<F: IPFamily> {
  var tuple: F.Tuple
  var transport: Transport
  var status: ConntrackStatus
  var state: ConntrackState
  var monitor: UInt32

  var trace: TraceContext { TraceContext(reason: status.reason, monitor: monitor) }
}
