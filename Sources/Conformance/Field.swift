/// What is compared of a hop, and how. The one table: `ciliate doctor --fields` and docs/FIDELITY.md print it.
///
/// A field that is not listed is exact. Changing a field's class needs a negative control.
public enum Field: String, CaseIterable, Sendable {
  case verdict
  case redirectTarget = "redirect target"
  case frame
  case mark
  case tcIndex = "tc_index"
  case tunnelKey = "tunnel key"
  case packetType = "packet type"
  case cb
  case socketAddress = "socket address"
  case mapChanges = "map changes"
  case counters
  case events
  case eventHash = "event flow hash"
  case eventSocket = "event socket"
  case sourcePosition = "source position"

  /// How strictly a field is held equal.
  public enum Class: String, Sendable {
    /// Octet for octet.
    case exact
    /// An input that one side cannot be told: taken from the run, checked to be permitted, handed to the other.
    case given
    /// Working space that no later hook reads.
    case scratch
    /// Where in the source a drop or a counter stands: exact among our own, not compared with foreign objects.
    case sourcePosition = "source position"
    /// Could not be seen in this run; never counted as equal.
    case notObserved = "not observed"
  }

  /// The class against our own programs and against objects brought along.
  public func fieldClass(foreign: Bool) -> Class {
    switch self {
    case .eventHash, .eventSocket: .given
    case .cb: .scratch
    case .sourcePosition: foreign ? .sourcePosition : .exact
    default: .exact
    }
  }

  public var explanation: String {
    switch self {
    case .verdict: "what the program returned"
    case .redirectTarget: "device and direction; from the run's events where the kernel does not tell"
    case .frame: "the packet's octets after the run"
    case .mark: "skb->mark"
    case .tcIndex: "skb->tc_index"
    case .tunnelKey: "VNI and remote node handed to the tunnel device"
    case .packetType: "skb->pkt_type"
    case .cb:
      "skb->cb: aliased working space; the slots that a later hook reads are cleared by that hook first"
    case .socketAddress: "destination address and port of a connecting socket"
    case .mapChanges: "every entry written or removed, key and value"
    case .counters: "increments of metrics and policy statistics, summed by key"
    case .events: "records of cilium_events, headers and captured octets, in order"
    case .eventHash: "the kernel's flow hash in event headers: a number drawn by the kernel"
    case .eventSocket: "cookie and cgroup of the socket in its trace records: numbers drawn by the kernel"
    case .sourcePosition: "line and file in drop events and metric keys"
    }
  }
}
