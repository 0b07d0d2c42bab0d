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
  /// Empty for policies of the cluster.
  var namespace: String
  var isIngress: Bool
  var verdict: PolicyVerdict
  var tier = PolicyTier.normal
  var defaultDeny: Bool
  /// nil selects nobody; empty is everybody if there are ports, and nobody otherwise.
  var peers: [PeerSelector]?
  /// nil is every port; empty no port at all.
  var ports: [PortSpec]?
  var origin: PolicyOrigin

  /// The filters that it makes, as pairs of ports and peers.
  var filters: (ports: [PortSpec], peers: [PeerSelector]) {
    guard let peers else { return ([], []) }
    guard let ports else {
      return peers.isEmpty ? ([], []) : ([PortSpec(port: .number(0, end: 0), transport: 0)], peers)
    }
    return (ports, peers.isEmpty ? [PeerSelector()] : peers)
  }
}
