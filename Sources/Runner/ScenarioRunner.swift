public import Cluster
public import Conformance
import ControlPlane
public import Datapath
public import MapABI
public import Scenario
import Simulator

/// Sees every hop of a scenario, and says in the end how interpreters agreed.
public protocol ScenarioObserver: HopObserver, ~Copyable {
  var agreement: Agreement { get }
}

extension NoObserver: ScenarioObserver {
  public var agreement: Agreement { Agreement() }
}

extension Replay: ScenarioObserver where Interpreter: ~Copyable {}
extension ConversationReplay: ScenarioObserver where Interpreter: ~Copyable {}
extension Recorder: ScenarioObserver where Interpreter: ~Copyable {}
extension Duel: ScenarioObserver where Baseline: ~Copyable, Candidate: ~Copyable {}

/// Looks at nothing.
public struct NoObserver: HopObserver {
  public init() {}
  public mutating func observe(_ hop: borrowing Hop, state: borrowing Datapath.NodeState) {}
}

/// Runs a scenario from its first step to its last.
public enum ScenarioRunner {
  /// - Parameters:
  ///   - seed: overrides the scenario's own.
  ///   - findings: what was found when the files were read.
  ///   - profile: the version of Cilium that the nodes run.
  ///   - explains: whether each probe comes with what policies say of it, and why.
  public static func run<Observer: ScenarioObserver & ~Copyable>(
    _ loaded: LoadedScenario, findings: [Finding], seed: UInt64?, profile: DatapathProfile = .current,
    explains: Bool = false,
    observer: consuming Observer
  ) -> ScenarioOutcome {
    var outcome = ScenarioOutcome(name: loaded.scenario.name, file: loaded.scenario.file)
    outcome.findings = findings
    guard let cluster = loaded.clusters.first, loaded.clusters.count == 1 else {
      outcome.result = .unmodelled
      outcome.findings.append(
        Finding(
          id: "unmodelled", severity: .unmodelled,
          at: SourceLocation(file: loaded.scenario.file, line: 1, column: 1),
          "several meshed clusters are not modelled yet"))
      return outcome
    }
    var session = Session(
      loaded, cluster: cluster, seed: seed ?? loaded.scenario.seed, profile: profile, observer: observer)
    session.explains = explains
    for (number, step) in loaded.scenario.steps.enumerated() {
      outcome.steps.append(session.perform(step, number: number))
    }
    outcome.journeys = session.network.journeys
    outcome.agreement = session.network.observer.agreement
    outcome.names = session.names
    outcome.captures = session.captures.map { NamedCapture($0, outcome.journeys, outcome.names) }
    for finding in session.controlPlane.findings where !outcome.findings.contains(finding) {
      outcome.findings.append(finding)
    }
    outcome.result = result(outcome)
    return outcome
  }

  /// What the nodes' agents render before the first step: what programs are asked to be configured for.
  public static func images(_ loaded: LoadedScenario) -> [MapImage] {
    loaded.clusters.flatMap { cluster in
      var controlPlane = ControlPlane(settings: cluster.settings, network: cluster.network)
      _ = controlPlane.reconcile(cluster.state)
      return controlPlane.nodes.compactMap { controlPlane.image(of: $0.name) }
    }
  }

  /// The worst of the steps; differing interpreters and unmodelled manifests count as well.
  private static func result(_ outcome: ScenarioOutcome) -> ResultWord {
    var result = outcome.steps.map(\.result).max() ?? .pass
    if !outcome.agreement.divergences.isEmpty { result = max(result, .differs) }
    if outcome.findings.contains(where: { $0.severity == .unmodelled }) { result = max(result, .unmodelled) }
    return result
  }
}
