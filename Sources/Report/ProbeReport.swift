import Capture
import Cluster
import Conformance
import Intent
public import Runner

/// One probe: what came of it, what policies say of it and why, and its walk: `ciliate probe`.
public struct ProbeReport {
  private let outcome: Runner.Outcome
  private let place: (ObjectReference) -> SourceLocation

  /// - Parameters:
  ///   - outcome: of a scenario with one step, the probe.
  ///   - place: where a policy was written.
  public init(_ outcome: Runner.Outcome, place: @escaping (ObjectReference) -> SourceLocation) {
    self.outcome = outcome
    self.place = place
  }

  // MARK: Text

  public func text(explains: Bool, _ report: TextReport) -> String {
    var lines: [String] = []
    for scenario in outcome.scenarios {
      for step in scenario.steps {
        lines.append("\(step.name): \(report.style.result(step.result))")
        if let got = TextReport.observation(step.got) { lines.append("  \(got)") }
        lines += step.messages.map { "  ! \($0)" }
        if explains {
          for explanation in step.explanations { lines += [""] + self.lines(explanation) }
        }
        let walk = report.walk(step, scenario)
        if !walk.isEmpty { lines += [""] + walk }
      }
      lines += scenario.findings.filter { $0.severity == .unmodelled }.map { "! \($0)" }
      lines += report.agreement(scenario.agreement)
    }
    if !outcome.kernel.ran, let reason = outcome.kernel.reason {
      lines.append("kernel: not run: \(reason)")
    }
    return lines.map { $0 + "\n" }.joined()
  }

  private func lines(_ explanation: ProbeExplanation) -> [String] {
    var lines = ["\(explanation.from) → \(explanation.to) \(explanation.port)"]
    for part in [explanation.egress, explanation.ingress] {
      lines.append("  \(part.text)")
      let selecting = part.policies.map { policy in
        let location = place(policy)
        return location.isKnown ? "\(policy) (\(location))" : "\(policy)"
      }
      let direction = part.answer.direction.rawValue.lowercased()
      lines.append(
        "    selected for \(direction) by: "
          + (selecting.isEmpty ? "no policy" : selecting.joined(separator: ", ")))
      if !part.policies.isEmpty {
        lines.append("    peer's labels: \(part.peerLabels.map(\.description).joined(separator: ", "))")
      }
      for miss in part.nearMisses { lines.append("    would have: \(miss.words)") }
    }
    return lines
  }

  // MARK: JSON

  /// `ciliate.probe/v1`.
  public var json: JSONValue {
    let scenario = outcome.scenarios.first
    let step = scenario?.steps.first
    return .members(
      ("schema", .string("ciliate.probe/v1")), ("seed", .integer(outcome.seed)),
      ("kernel", JSONReport.kernel(outcome.kernel)),
      ("probe", .text(step?.name)), ("result", .text(step?.result.rawValue)),
      ("got", step.map { JSONReport.observation($0.got) } ?? .null),
      ("messages", .array((step?.messages ?? []).map(JSONValue.string))),
      (
        "unmodelled",
        .array((scenario?.findings ?? []).filter { $0.severity == .unmodelled }.map { .string("\($0)") })
      ),
      ("explanations", .array((step?.explanations ?? []).map(document))),
      (
        "journeys",
        .array(
          (scenario?.journeys ?? []).compactMap { journey in
            scenario.map { JSONReport.journey(journey, of: $0) }
          })
      ),
      (
        "divergences",
        .array(
          (scenario?.agreement.divergences ?? []).compactMap { divergence in
            scenario.map { JSONReport.divergence(divergence, of: $0) }
          })
      ),
      ("agreement", scenario.map { JSONReport.agreement($0.agreement) } ?? .null))
  }

  private func document(_ explanation: ProbeExplanation) -> JSONValue {
    .members(
      ("from", .string(explanation.from)), ("to", .string(explanation.to)),
      ("port", .string(explanation.port)), ("egress", document(explanation.egress)),
      ("ingress", document(explanation.ingress)))
  }

  private func document(_ part: Explanation) -> JSONValue {
    let answer = part.answer
    return .members(
      ("verdict", .string(answer.verdict.rawValue)), ("reason", .string(answer.reason.rawValue)),
      ("match", .string(answer.match.rawValue)), ("rule", RuleJSON.rule(answer.rule)),
      ("alsoMatched", .array(answer.alsoMatched.map { RuleJSON.rule($0) })),
      ("drop", .integer(answer.drop?.rawValue)), ("proxy", .text(answer.proxy?.rawValue)),
      ("audited", .bool(answer.isAudited)),
      (
        "policies",
        .array(
          part.policies.map { policy in
            .members(("policy", RuleJSON.policy(policy)), ("location", RuleJSON.location(place(policy))))
          })
      ),
      ("peerLabels", .array(part.peerLabels.map { .string($0.description) })),
      (
        "nearMisses",
        .array(
          part.nearMisses.map {
            .members(("rule", RuleJSON.rule($0.rule)), ("lacks", .string($0.lack.words)))
          })
      ),
      ("text", .string(part.text)))
  }
}
