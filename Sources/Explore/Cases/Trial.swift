import Cluster
import Conformance
import Datapath
public import Runner
public import Scenario

/// What came of running a case.
public struct Trial: Sendable {
  /// Each kind of difference once, in order of appearance.
  public var discoveries: [Discovery] = []
  public var hops = 0
  /// Hops that the kernel ran as well.
  public var compared = 0
  /// Hops or steps that could not be run or are not modelled, by reason.
  public var notRun: [String: Int] = [:]
  /// What was reached: see `Coverage`.
  public var reached: Set<String> = []
  /// Why the case could not be loaded.
  public var loadErrors: [String] = []

  public init() {}

  public var differences: [Difference] { discoveries.map(\.difference) }

  /// A message as a kind of difference.
  public static func difference(_ kind: Difference.Kind, _ message: String) -> Difference {
    Difference(kind, Difference.pattern(message))
  }
}

/// Runs cases on the model and, through an observer, on another interpreter.
public struct TrialRunner<Observer: ScenarioObserver & ~Copyable> {
  private let makeObserver: (LoadedScenario) -> Observer

  /// - Parameter makeObserver: gives what looks at each hop of a run.
  public init(_ makeObserver: @escaping (LoadedScenario) -> Observer) { self.makeObserver = makeObserver }

  public func run(_ subject: Case) -> Trial {
    var trial = Trial()
    let (loaded, findings) = ScenarioLoader.load(
      text: subject.selfContainedText, file: "\(subject.name).yaml")
    guard let loaded else {
      trial.loadErrors = findings.filter { $0.severity == .error }.map { "\($0)" }
      return trial
    }
    trial.judge(
      ScenarioRunner.run(loaded, findings: findings, seed: nil, observer: makeObserver(loaded)))
    return trial
  }
}

extension Trial {
  mutating func judge(_ outcome: ScenarioOutcome) {
    for divergence in outcome.agreement.divergences {
      add(
        Difference(divergence),
        [divergence.summary] + divergence.details)
    }
    for reason in outcome.agreement.notRun {
      notRun[reason.reason, default: 0] += reason.count
      if outcome.agreement.failed > 0 {
        add(Self.difference(.error, reason.reason), [reason.reason])
      }
    }
    for step in outcome.steps {
      let kind: Difference.Kind
      switch step.result {
      case .pass, .skipped, .differs: continue
      case .unmodelled:
        notRun[step.messages.first.map(Difference.pattern) ?? "unmodelled", default: 0] += 1
        continue
      case .fail: kind = .intent
      case .error: kind = .error
      }
      let text = step.messages.first ?? ""
      guard !Self.isExpected(text) else { continue }
      if let unmodelled = step.messages.first(where: { $0.hasPrefix("not modelled") }) {
        notRun[Difference.pattern(unmodelled), default: 0] += 1
        continue
      }
      add(Self.difference(kind, text), ["\(step.name) (\(step.verb)): \(text)"])
    }
    compared = outcome.agreement.compared
    for journey in outcome.journeys {
      for hop in journey.hops {
        hops += 1
        reached.insert(Coverage.signature(hop))
      }
    }
  }

  private mutating func add(_ difference: Difference, _ lines: [String]) {
    guard !discoveries.contains(where: { $0.difference == difference }) else { return }
    discoveries.append(Discovery(difference, lines))
  }

  /// A random step may ask for what is not there, such as the second deletion of an object or a port that a pod
  /// without a network has: that is the case's fault, not ours.
  private static func isExpected(_ message: String) -> Bool {
    ["there is no ", "not found", "has no address of that family", "is Pending", "has no network"].contains {
      message.contains($0)
    }
  }
}
