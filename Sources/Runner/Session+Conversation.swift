import Cluster
import ControlPlane
import Datapath
import MapABI
import Scenario
import Simulator
import Wire

extension Session where Observer: ~Copyable {
  mutating func perform(
    _ probe: Probe, _ expect: Expectation?, _ outcome: inout StepOutcome, _ judge: inout Judge
  ) throws(StepError) {
    let run = run(probe)
    if let failure = run.failure { throw StepError(failure) }
    guard let last = run.results.last else { throw StepError("the probe was not tried") }
    outcome.journeys = run.results.flatMap(\.journeys)
    outcome.got = observation(last)
    for result in run.results {
      for message in intentDifferences(probe, result, observation(result)) { judge.fail(message) }
    }
    if explains { outcome.explanations = explanations(probe, last) }
    guard let expect else { return }
    for result in run.results.prefix(1) { judge.judge(expect, observation(result)) }
    for result in run.results.dropFirst() {
      var again = Judge()
      again.judge(expect, observation(result))
      for message in again.messages { judge.fail(message) }
    }
    if let body = expect.body { judge.check("body", glob: body.value, got: last.body) }
    let conversation = journeys(outcome.journeys)
    if let match = expect.match {
      let view = ConversationView(journeys: conversation, first: last.firstJourney, proxied: last.proxied)
      judge.check("match", expected: match.value.rawValue, got: view.match)
    }
    judge.judgePath(expect.path, conversation, names)
    judge.judgeWire(expect.wire, conversation, wireFacts())
    if let service = expect.backendOf { judgeBackend(of: service.value, run, &judge) }
    if let distribution = expect.distribution { judgeDistribution(distribution, run, &judge) }
    if !expect.flows.isEmpty { judge.cannotJudge("flows") }
  }

  func wireFacts() -> WireFacts {
    let controlPlane = controlPlane
    let network = network.currentTopology
    func pod(_ source: ProbeSource) -> NamespacedName? {
      switch source {
      case .pod(let id): id
      case .workload(let id): pods(of: id).first { $0.phase == .running }?.id
      case .node, .external: nil
      }
    }
    var identities: [ProbeSource: UInt32] = [:]
    for status in controlPlane.pods {
      if let endpoint = controlPlane.endpoint(of: status.id) {
        identities[.pod(status.id)] = endpoint.identity
      }
    }
    for workload in state.workloads {
      if let id = pod(.workload(workload.id)), let endpoint = controlPlane.endpoint(of: id) {
        identities[.workload(workload.id)] = endpoint.identity
      }
    }
    return WireFacts(
      identity: { identities[$0] },
      address: { name in
        if let node = network.nodes.first(where: { $0.name == name }) { return node.addresses }
        let qualified = name.contains("/") ? name : "default/\(name)"
        return network.pods.first { $0.name == qualified }?.addresses ?? []
      }, names: names)
  }

  private func judgeBackend(of service: NamespacedName, _ run: ProbeRun, _ judge: inout Judge) {
    judge.expect("backendOf", "\(service)")
    let pods = Set(
      controlPlane.services.first { $0.id == service }?.backends.compactMap { $0.pod?.description } ?? [])
    for result in run.results {
      guard let place = result.deliveredTo, pods.contains(place) else {
        return judge.fail(
          "backendOf: expected a backend of \(service), got \(result.deliveredTo ?? "no delivery")")
      }
    }
  }

  private func judgeDistribution(_ distribution: Distribution, _ run: ProbeRun, _ judge: inout Judge) {
    let total = run.results.count
    for share in distribution.shares {
      let hits = run.results.count {
        let place = $0.deliveredTo ?? ""
        return matchesGlob(place, share.backend) || matchesGlob(place, "*/\(share.backend)")
      }
      let got = total == 0 ? 0 : hits * 1_000_000 / total
      judge.expect("distribution.\(share.backend)", "\(share.share) ± \(distribution.tolerance) in a million")
      if abs(got - share.share) > distribution.tolerance {
        judge.fail(
          "distribution: expected \(share.share) in a million at \(share.backend), got \(got) (\(hits) of \(total))"
        )
      }
    }
  }
}
