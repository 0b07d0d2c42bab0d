import Cluster
import ControlPlane
import Datapath
import Manifests
import MapABI
import Scenario
import Simulator
import Wire

extension Session where Observer: ~Copyable {
  /// Carries out a step, and judges it.
  mutating func perform(_ step: Scenario.Step, number: Int) -> StepOutcome {
    var outcome = StepOutcome(name: step.name, verb: step.verb.name, location: step.location)
    var judge = Judge()
    let firstJourney = network.journeys.count
    let firstUnmodelled = network.unmodelled.count
    collectConntrack()
    do throws(StepError) {
      try carryOut(step.verb, number: number, expect: step.expect, &outcome, &judge)
    } catch {
      outcome.result = error.isUnmodelled ? .unmodelled : .error
      outcome.messages.append(error.message)
    }
    if !controlPlane.learntAnything.isEmpty { adopt(world().nameBook()) }
    if outcome.journeys.isEmpty { outcome.journeys = Array(firstJourney..<network.journeys.count) }
    if let expect = step.expect {
      judgeState(expect, &judge)
      judge.judgeMisplaced(expect, of: step.verb)
    }
    outcome.expected = judge.expected
    outcome.messages += judge.messages + judge.unmodelled
    for message in network.unmodelled[firstUnmodelled...] {
      outcome.messages.append("not modelled: \(message)")
    }
    if outcome.result == .pass {
      if !judge.messages.isEmpty {
        outcome.result = .fail
      } else if !judge.unmodelled.isEmpty || network.unmodelled.count > firstUnmodelled {
        outcome.result = .unmodelled
      }
    }
    return outcome
  }

  private mutating func carryOut(
    _ verb: Scenario.Step.Verb, number: Int, expect: Expectation?, _ outcome: inout StepOutcome,
    _ judge: inout Judge
  ) throws(StepError) {
    switch verb {
    case .apply:
      for object in loaded.stepManifests[number]?.objects ?? [] { state.apply(object) }
      reconcile()
    case .delete(let deletion): try delete(deletion, number: number)
    case .label(let reference, let changes):
      adopt(reference)
      try change { state throws(ClusterError) in try state.label(reference, changes) }
    case .annotate(let reference, let changes):
      adopt(reference)
      try change { state throws(ClusterError) in try state.annotate(reference, changes) }
    case .scale(let reference, let replicas):
      dismiss(reference, downTo: replicas)
      try change { state throws(ClusterError) in try state.scale(reference, replicas: replicas) }
    case .ready(let pod, let isReady): try setReady(pod, isReady)
    case .patch(let reference, let merge): try patch(reference, merge)
    case .component(.agent, let nodes, let power):
      for name in nodeOrder where nodes == .all || nodes == .named(name) {
        controlPlane.setAgent(name, isDown: power == .down)
        if power == .down { stopProxies(on: name, envoy: !settings.features.envoyDaemonSet, dns: true) }
      }
      reconcile()
    case .component(.envoy, let nodes, let power):
      for name in nodeOrder where nodes == .all || nodes == .named(name) {
        if power == .up { envoysDown.remove(name) } else { envoysDown.insert(name) }
        if power == .down { stopProxies(on: name, envoy: true, dns: false) }
      }
      reconcile()
    case .component(let component, _, _):
      throw StepError("the \(component.rawValue) going down or up is not modelled yet", isUnmodelled: true)
    case .node(let name, let power): try setNode(name, power)
    case .link(let change): apply(change)
    case .dns(let changes):
      for record in changes.records {
        dns.records.removeAll { $0.name == record.name }
        if record.addresses != nil { dns.records.append(record) }
      }
      if let ttl = changes.ttl { dns.ttl = ttl }
      reconcile()
    case .time(let span): advance(by: Instant.Span(nanoseconds: span.nanoseconds))
    case .config:
      if let settings = loaded.stepSettings[number] {
        self.settings = settings
        controlPlane.configure(settings)
        reconcile()
      }
    case .probe(let probe): try perform(probe, expect, &outcome, &judge)
    case .matrix(let matrix): try perform(matrix, expect, &outcome, &judge)
    case .inject(let injection): try inject(injection, expect, &outcome, &judge)
    case .view(let request): try show(request, expect, &outcome, &judge)
    case .capture(let command): try capture(command, &outcome)
    }
  }

  /// What becomes of connections when the process of a node's proxies ends.
  private mutating func stopProxies(on name: String, envoy: Bool, dns: Bool) {
    guard let index = network.nodeIndex(named: name) else { return }
    network.stopProxies(index) { $0.parser == .dns ? dns : envoy }
  }

  private mutating func change(_ body: (inout ClusterState) throws(ClusterError) -> Void) throws(StepError) {
    do throws(ClusterError) {
      try body(&state)
    } catch {
      throw StepError("\(error)")
    }
    reconcile()
  }

  /// A pod that a controller made becomes an object of its own, so that a command can be about it.
  private mutating func adopt(_ reference: ObjectReference) {
    guard reference.kind == .pod else { return }
    let id = NamespacedName(namespace: reference.namespace, name: reference.name)
    guard state.pods[id] == nil, let status = controlPlane.pod(id) else { return }
    state.apply(.pod(status.pod))
  }

  /// Takes away adopted pods that a workload has no use for any more, the last first.
  private mutating func dismiss(_ workload: ObjectReference, downTo replicas: Int) {
    let id = NamespacedName(namespace: workload.namespace, name: workload.name)
    for status in pods(of: id).filter({ state.pods[$0.id] != nil }).dropFirst(replicas) {
      state.pods[status.id] = nil
    }
  }

  private mutating func delete(_ deletion: Deletion, number: Int) throws(StepError) {
    let references: [ObjectReference]
    switch deletion {
    case .manifests: references = loaded.stepManifests[number]?.objects.map(\.reference) ?? []
    case .objects(let list): references = list
    }
    for reference in references {
      adopt(reference)
      // kubectl goes on with the others when one is gone already; a scenario wants to know.
      try change { state throws(ClusterError) in try state.delete(reference) }
    }
  }

  private mutating func setReady(_ pod: NamespacedName, _ isReady: Bool) throws(StepError) {
    adopt(ObjectReference(.pod, namespace: pod.namespace, name: pod.name))
    try change { state throws(ClusterError) in try state.setReady(pod, isReady) }
  }

  private mutating func patch(_ reference: ObjectReference, _ merge: YAMLValue) throws(StepError) {
    var document: YAMLValue?
    for cluster in loaded.clusters {
      document = cluster.manifests.entries.last { $0.object.reference == reference }?.document ?? document
    }
    for set in loaded.stepManifests.sorted(by: { $0.key < $1.key }).map(\.value) {
      document = set.entries.last { $0.object.reference == reference }?.document ?? document
    }
    guard let document else { throw StepError("\(reference) has no manifest to patch") }
    let result = ManifestReader(profile: settings.profile).read([document.merging(merge)])
    if let error = result.findings.first(where: { $0.severity == .error }) { throw StepError("\(error)") }
    for object in result.objects { state.apply(object) }
    reconcile()
  }

  private mutating func setNode(_ name: String, _ power: Scenario.NodeState) throws(StepError) {
    guard let index = network.nodeIndex(named: name) else { throw StepError("there is no node \(name)") }
    switch power {
    case .down: network.setNode(index, up: false)
    case .up: network.setNode(index, up: true)
    case .removed:
      network.setNode(index, up: false)
      let node = ObjectReference(.node, namespace: "", name: name)
      try change { state throws(ClusterError) in try state.delete(node) }
    }
  }

  private mutating func apply(_ change: LinkChange) {
    let between = [change.a, change.b]
    let position = network.faults.firstIndex { Set($0.between) == Set(between) }
    var fault = position.map { network.faults[$0] } ?? LinkFault(between: between)
    if let state = change.state { fault.isDown = state == .down }
    if let drops = change.drops {
      fault.filters = drops.map { drop in
        LinkFault.Filter(protocol: IPProtocol(rawValue: drop.transport.number), port: drop.port)
      }
    }
    if let mtu = change.mtu { fault.mtu = mtu }
    if let loss = change.loss { fault.lossPerMillion = UInt32(clamping: loss) }
    if let delay = change.delay { fault.delay = Instant.Span(nanoseconds: delay.nanoseconds) }
    if let position { network.faults[position] = fault } else { network.faults.append(fault) }
  }
}

/// Why a step could not be carried out.
struct StepError: Error {
  var message: String
  var isUnmodelled: Bool

  init(_ message: String, isUnmodelled: Bool = false) {
    self.message = message
    self.isUnmodelled = isUnmodelled
  }
}
