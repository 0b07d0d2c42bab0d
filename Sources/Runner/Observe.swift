import Cluster
import ControlPlane
import Datapath
import MapABI
import Scenario
import Simulator
import Wire

extension Session where Observer: ~Copyable {
  /// The journeys with these numbers, in order.
  func journeys(_ numbers: [Int]) -> [Journey] {
    numbers.compactMap { $0 < network.journeys.count ? network.journeys[$0] : nil }
  }

  /// What a probe's result and journeys show.
  func observation(_ result: ProbeResult) -> Observation {
    let view = ConversationView(
      journeys: journeys(result.journeys), first: result.firstJourney, proxied: result.proxied)
    var got = Observation()
    got.outcome = result.outcome.rawValue
    got.exitCode = result.exitCode
    got.http = result.httpStatus
    got.egress = view.verdict(egress: true)
    got.ingress = view.verdict(egress: false)
    got.verdict = view.verdict
    got.drop = result.outcome == .ok ? nil : view.drop
    got.rule = rule(view)
    if let place = result.deliveredTo, let destination = result.destination,
      controlPlane.services.contains(where: { $0.clusterIPs.contains(destination) })
    {
      got.backend = place
    }
    return got
  }

  /// The policy and rule behind the entry that decided, as the agent knows it.
  func rule(_ view: ConversationView) -> String? {
    guard let (node, decision) = view.deciding, let entry = decision.entry,
      let rendering = controlPlane.policy(node: node, endpoint: decision.endpoint)
    else { return nil }
    let key = Self.key(of: decision, entry)
    let origins = rendering.origins(of: key)
    guard !origins.isEmpty else { return nil }
    let words = origins.map(\.description).joined(separator: "; ")
    // What a proxy let pass was decided by rules of layer 7.
    // The rule that led to the proxy is often the one by which the proxy lets it pass.
    let further = view.proxyRules.filter { rule in !origins.contains { $0.description == rule } }
    return ([words] + further).joined(separator: ", ")
  }

  /// The key under which the deciding entry stands.
  static func key(of decision: PolicyDecision, _ entry: PolicyEntry) -> PolicyKey {
    var key = PolicyKey(
      identity: decision.matchedIdentity, egress: decision.egress, protocol: decision.protocol,
      port: decision.port)
    key.prefixlen = POLICY_PREFIX_STATIC.rawValue + UInt32(entry.bits) >> POLICY_ENTRY_PREFIX_SHIFT.rawValue
    return key.masked(to: key.prefixlen)
  }
}
