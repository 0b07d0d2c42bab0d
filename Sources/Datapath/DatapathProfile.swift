/// The versions of Cilium whose datapath the model knows.
///
/// The model is written after 1.20; what an older version does otherwise stands in ``ProfileDifference``, and nowhere
/// else. Our own programs are 1.20 only.
public enum DatapathProfile: UInt8, Sendable, CaseIterable, Comparable, CustomStringConvertible {
  case v118 = 18
  case v119 = 19
  case v120 = 20

  public static let current = DatapathProfile.v120

  /// By name, as `1.20`; nil for a version that is not known.
  public init?(name: String) {
    guard let profile = Self.allCases.first(where: { $0.description == name }) else { return nil }
    self = profile
  }

  public var description: String { "1.\(rawValue)" }

  public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }

  /// Whether a behaviour is in this version.
  @inline(__always)
  public func has(_ difference: ProfileDifference) -> Bool { self >= difference.since }

  /// What this version lacks of the current one, in order of declaration.
  public var missing: [ProfileDifference] { ProfileDifference.allCases.filter { !has($0) } }
}

/// A behaviour of the datapath that came with a version after 1.18. The one list: `docs/FIDELITY.md` prints it.
public enum ProfileDifference: String, CaseIterable, Sendable {
  case marksForwarded = "identity mark on all that a pod sends"
  case routesByStack = "TTL left to the stack"
  case acknowledgedSYN = "SYN with ACK opens nothing"
  case countsTooBig = "metric for packets too big"
  case loopbackIPv6 = "IPv6 loopback connections"
  case serviceWildcards = "wildcard entries of services"
  case answersDeniedIPv4 = "answers to denied IPv4 packets"
  case answersDeniedIPv6 = "answers to denied IPv6 packets"
  case limitsSocketTraces = "one socket trace in a report interval"
  case reservesHostPorts = "ports of all that the node sends"
  case nodePortFromPods = "node ports of remote nodes from pods"

  /// The first version that has it.
  @inline(__always)
  public var since: DatapathProfile {
    switch self {
    case .marksForwarded, .routesByStack, .acknowledgedSYN, .countsTooBig, .loopbackIPv6, .serviceWildcards,
      .answersDeniedIPv4, .limitsSocketTraces:
      .v119
    case .answersDeniedIPv6, .reservesHostPorts, .nodePortFromPods: .v120
    }
  }

  /// What happens without it.
  public var before: String {
    switch self {
    case .marksForwarded:
      "from_container leaves the sender's identity in the mark of what it passes to the stack only, not of what it "
        + "redirects"
    case .routesByStack:
      "from_container counts the TTL down and writes the router's MAC before it passes a packet to the stack"
    case .acknowledgedSYN: "a SYN with ACK reopens a closing connection like any SYN"
    case .countsTooBig: "ICMP errors that a packet was too big are not counted by a metric of their own"
    case .loopbackIPv6: "a pod that reaches itself through an IPv6 service keeps its own source address"
    case .serviceWildcards:
      "an address that is a service's has no wildcard entry; an entry for any protocol stands in for one that is "
        + "missing"
    case .answersDeniedIPv4, .answersDeniedIPv6:
      "denied packets are dropped without answer, whatever policy_deny_response_enabled says"
    case .limitsSocketTraces: "every translation at a socket is traced, whatever the aggregation"
    case .reservesHostPorts:
      "to_netdev enters into the NAT map what has the direct routing device's address on that device, not "
        + "everything that the node sends"
    case .nodePortFromPods: "from_container knows node ports only on addresses that have entries of their own"
    }
  }
}
