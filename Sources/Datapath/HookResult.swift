public import MapABI

/// What came of running a program once, all its tail calls included.
public struct HookResult: Sendable {
  public var verdict: Verdict
  /// The subject as the program left it.
  public var subject: Subject
  /// What the program did to the maps, in order; counters are increments.
  public var changes: [MapChange]
  /// What the program reported, in order.
  public var events: [Event]
  /// Why: what was looked up and what was found. The model alone knows; other interpreters leave it empty.
  public var steps: [Step]

  public init(
    verdict: Verdict, subject: Subject, changes: [MapChange] = [], events: [Event] = [], steps: [Step] = []
  ) {
    self.verdict = verdict
    self.subject = subject
    self.changes = changes
    self.events = events
    self.steps = steps
  }

  /// The reason, if the program reported that it dropped the packet.
  public var drop: DropReason? {
    for case .drop(let notify, _) in events { return DropReason(rawValue: notify.header.subtype) }
    return nil
  }
}

/// What a program returned, and where a redirected packet goes.
public enum Verdict: Sendable, Equatable, Hashable {
  /// The packet goes on: TC_ACT_OK, XDP_PASS, or a socket call allowed.
  case pass
  /// The packet ends here: TC_ACT_SHOT, XDP_DROP, or a socket call refused.
  case drop
  /// The packet goes to another device: TC_ACT_REDIRECT, XDP_REDIRECT. Nil when the target could not be observed.
  case redirect(Redirect?)
  /// XDP_TX: the packet goes back out of the device that it came from.
  case transmit
  /// Any other return value.
  case other(Int32)
}

/// Where `bpf_redirect` and its kin send a packet.
public struct Redirect: Sendable, Equatable, Hashable {
  public var ifindex: UInt32
  public var mode: Mode

  public enum Mode: Sendable, Hashable {
    /// Out of the device, through its egress hooks.
    case egress
    /// As if received on the device, through its ingress hooks.
    case ingress
    /// Into the device's peer in the other network namespace.
    case peer
    /// Out of the device, the next hop resolved by the kernel (`bpf_redirect_neigh`).
    case neighbour
  }

  public init(ifindex: UInt32, mode: Mode) {
    self.ifindex = ifindex
    self.mode = mode
  }
}

/// Runs a hook: the model, the kernel with our programs, or the kernel with somebody else's.
///
/// `state` is what the node's maps hold before the run; an interpreter reads it and returns what would change.
public protocol HookInterpreter: ~Copyable {
  associatedtype Failure: Error
  mutating func run(
    _ attachment: Attachment, on input: HookInput, state: borrowing NodeState
  ) throws(Failure) -> HookResult
}

/// An interpreter's error that tells a hop which it declines from one that went wrong.
public protocol DecliningError: Error {
  /// Whether the interpreter cannot run such hops at all: not compiled for the configuration, or a frame that the
  /// kernel does not take.
  var isDeclined: Bool { get }
}
