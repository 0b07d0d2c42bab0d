import Cluster
import Conformance
import Datapath
public import Runner

/// An outcome for the terminal.
public struct TextReport {
  public enum Walks: String, Sendable, CaseIterable {
    /// None.
    case none
    /// Of each step the first packet to the target, and any that was dropped.
    case first
    /// Every packet.
    case all
  }

  public var walks: Walks
  public var showsMaps: Bool
  public var style: TextStyle

  public init(walks: Walks, showsMaps: Bool = false, style: TextStyle = .plain) {
    self.walks = walks
    self.showsMaps = showsMaps
    self.style = style
  }

  public func text(_ outcome: Outcome) -> String {
    var lines: [String] = []
    for scenario in outcome.scenarios { lines += text(scenario) }
    lines += summary(outcome)
    return lines.map { $0 + "\n" }.joined()
  }

  private func text(_ scenario: ScenarioOutcome) -> [String] {
    var lines = ["\(style.bold(scenario.name))  \(scenario.file)  \(style.result(scenario.result))"]
    for finding in scenario.findings { lines.append("  \(finding)") }
    for (number, step) in scenario.steps.enumerated() {
      lines.append("")
      lines.append("\(number + 1)  \(style.bold(step.name))  \(style.result(step.result))")
      if let got = Self.observation(step.got) { lines.append("   \(got)") }
      for message in step.messages { lines.append("   ! \(message)") }
      lines += walk(step, scenario).map { "   \($0)" }
    }
    lines += agreement(scenario.agreement)
    lines.append("")
    return lines
  }

  func walk(_ step: StepOutcome, _ scenario: ScenarioOutcome) -> [String] {
    guard walks != .none else { return [] }
    let walk = Walk(names: scenario.names, showsMaps: showsMaps)
    let journeys = step.journeys.compactMap { number in scenario.journeys.first { $0.id == number } }
    let shown = walks == .all ? journeys : Self.telling(journeys)
    var lines = shown.flatMap(walk.lines)
    if journeys.count > shown.count {
      lines.append("(and \(journeys.count - shown.count) more packets of the conversation)")
    }
    return lines
  }

  /// The packets that tell the story: the first one that is not a name look-up, and each kind of drop once.
  private static func telling(_ journeys: [Journey]) -> [Journey] {
    var shown: [Journey] = []
    var drops: [DropPlace] = []
    for journey in journeys {
      if case .dropped(let place) = journey.disposition {
        guard !drops.contains(place) else { continue }
        drops.append(place)
        shown.append(journey)
      } else if shown.isEmpty, !journey.summary.contains(":53") {
        shown.append(journey)
      }
    }
    return shown
  }

  func agreement(_ agreement: Agreement) -> [String] {
    guard agreement.compared > 0 || !agreement.notRun.isEmpty else { return [] }
    var lines = ["", "kernel: \(agreement.agreeing) of \(agreement.compared) hops agree"]
    for entry in agreement.notRun { lines.append("  not run: \(entry.count) hops: \(entry.reason)") }
    for entry in agreement.notObserved {
      lines.append("  not observed: \(entry.field.rawValue) of \(entry.count) hops")
    }
    for divergence in agreement.divergences.prefix(20) {
      lines.append(
        "  \(style.bad("differs")): \(divergence.node)/\(divergence.device):\(divergence.hook): "
          + "\(divergence.field.rawValue): model \(divergence.expected), kernel \(divergence.found)")
      lines += divergence.details.prefix(12).map { "    \($0)" }
    }
    if agreement.divergences.count > 20 { lines.append("  and \(agreement.divergences.count - 20) more") }
    return lines
  }

  private func summary(_ outcome: Outcome) -> [String] {
    let counts = ResultWord.allCases.compactMap { word -> String? in
      let count = outcome.scenarios.count { $0.result == word }
      return count == 0 ? nil : "\(count) \(word.rawValue)"
    }
    let hops = outcome.scenarios.reduce(0) { $0 + $1.journeys.reduce(0) { $0 + $1.hops.count } }
    let compared = outcome.scenarios.reduce(0) { $0 + $1.agreement.compared }
    let agreeing = outcome.scenarios.reduce(0) { $0 + $1.agreement.agreeing }
    var line = "\(outcome.scenarios.count) scenarios: \(counts.joined(separator: ", ")); \(hops) hops"
    if outcome.kernel.ran {
      line +=
        compared == agreeing
        ? "; model and kernel agree on every one of \(compared)"
        : "; model and kernel agree on \(agreeing) of \(compared)"
    }
    var lines = [line]
    if !outcome.kernel.ran, let reason = outcome.kernel.reason { lines.append("kernel: not run: \(reason)") }
    return lines
  }

  /// `timeout, denied (ingress), exit code 28, dropped 133 POLICY_DENIED at kind-worker`.
  static func observation(_ got: Observation) -> String? {
    var words: [String] = []
    if let outcome = got.outcome { words.append(outcome) }
    if let status = got.http { words.append("HTTP \(status)") }
    if let code = got.exitCode { words.append("exit code \(code)") }
    if let verdict = got.verdict { words.append(verdict) }
    if let drop = got.drop {
      let name = MapReasons.name(drop.reason)
      words.append("dropped \(drop.reason) \(name) at \(drop.node)/\(drop.device):\(drop.hook)")
    }
    if let backend = got.backend { words.append("backend \(backend)") }
    if let rule = got.rule { words.append("decided by \(rule)") }
    var text = words.joined(separator: ", ")
    if let more = got.text {
      text += (text.isEmpty ? "" : "\n") + more.split(separator: "\n").joined(separator: "\n   ")
    }
    return text.isEmpty ? nil : text
  }
}
