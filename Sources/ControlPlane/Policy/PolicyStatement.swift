import Cluster

/// One entry of `ingress`, `egressDeny`, …, with selectors as the agent reads them.
///
/// Source: Cilium `pkg/policy/types/policyentry.go`, `pkg/policy/utils/parserules.go`.
struct PolicyStatement: Hashable, Sendable {
  enum Port: Hashable, Sendable {
    /// 0 is every port; `end` above `number` makes a range.
    case number(UInt16, end: UInt16)
    case name(String)
  }

  struct PortSpec: Hashable, Sendable {
    var port: Port
    /// The IANA number; 0 for every protocol.
    var transport: UInt8
    /// What a proxy is to do with the traffic; nil for none.
    var redirect: ProxyRedirect?
  }

  var subject: PeerSelector
  /// Whether the subject is a node's host rather than endpoints.
  var isAboutNodes = false
  /// Empty for policies of the cluster.
  var namespace: String
  var isIngress: Bool
  var verdict: PolicyVerdict
  var tier = PolicyTier.normal
  /// Within the tier; lower ones are looked at first.
  var priority = 0
  var defaultDeny: Bool
  /// nil selects nobody; empty is everybody if there are ports, and nobody otherwise.
  var peers: [PeerSelector]?
  /// nil is every port; empty no port at all.
  var ports: [PortSpec]?
  /// nil where the rule leaves it open.
  var authentication: AuthenticationMode?
  var origin: PolicyOrigin

  /// The filters that it makes, as pairs of ports and peers.
  var filters: (ports: [PortSpec], peers: [PeerSelector]) {
    guard let peers else { return ([], []) }
    guard let ports else {
      return peers.isEmpty ? ([], []) : ([PortSpec(port: .number(0, end: 0), transport: 0)], peers)
    }
    return (ports, peers.isEmpty ? [PeerSelector()] : peers)
  }

  /// Whether it may be about an endpoint with these labels.
  func isAbout(_ labels: IdentityLabels, isHost: Bool) -> Bool {
    isAboutNodes == isHost && subject.matches(labels)
  }

  /// Tiers first, then priorities, then places.
  static func precedes(_ a: Self, _ b: Self) -> Bool {
    (a.tier.rawValue, a.priority) == (b.tier.rawValue, b.priority)
      ? a.origin < b.origin : (a.tier.rawValue, a.priority) < (b.tier.rawValue, b.priority)
  }
}

/// What an entry of a policy map asks for besides its verdict: the type in seven bits, and whether a rule says so.
///
/// Source: Cilium `pkg/policy/types/auth.go`.
struct AuthRequirement: Hashable, Sendable {
  var bits: UInt8

  static let none = AuthRequirement(bits: 0)

  init(bits: UInt8) { self.bits = bits }

  /// What a rule asks for; nil leaves it open.
  init(_ mode: AuthenticationMode?) {
    switch mode {
    case nil: bits = 0
    case .disabled?: bits = 0x80
    case .required?: bits = 0x81
    case .testAlwaysFail?: bits = 0x82
    }
  }

  var isExplicit: Bool { bits & 0x80 != 0 }
  var type: UInt8 { bits & 0x7f }
  /// The same, taken over from a broader entry.
  var derived: AuthRequirement { AuthRequirement(bits: type) }
}
