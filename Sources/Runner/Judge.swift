import Cluster
import Datapath
import Scenario
import Simulator

/// Compares what a step showed with what was expected of it.
struct Judge {
  private(set) var messages: [String] = []
  /// What was expected, as text.
  private(set) var expected: [(field: String, value: String)] = []
  /// Parts of the expectation that cannot be judged yet.
  private(set) var unmodelled: [String] = []

  mutating func check(_ field: String, expected value: String, got: String?) {
    expected.append((field, value))
    guard value != got else { return }
    messages.append("\(field): expected \(value), got \(got ?? "nothing")")
  }

  mutating func check(_ field: String, glob: String, got: String?) {
    expected.append((field, glob))
    guard let got, matchesGlob(got, glob) else {
      return messages.append("\(field): expected \(glob), got \(got ?? "nothing")")
    }
  }

  mutating func expect(_ field: String, _ value: String) { expected.append((field, value)) }
  mutating func fail(_ message: String) { messages.append(message) }
  mutating func cannotJudge(_ field: String) {
    unmodelled.append("the expectation \(field) is not modelled yet")
  }

  /// The parts that concern a conversation's end and its verdicts.
  mutating func judge(_ expectation: Expectation, _ got: Observation) {
    if let outcome = expectation.outcome {
      check("outcome", expected: outcome.value.rawValue, got: got.outcome)
    }
    if let verdict = expectation.verdict {
      check("verdict", expected: verdict.value.rawValue, got: got.verdict)
    }
    if let verdict = expectation.egressVerdict {
      check("verdicts.egress", expected: verdict.value.rawValue, got: got.egress)
    }
    if let verdict = expectation.ingressVerdict {
      check("verdicts.ingress", expected: verdict.value.rawValue, got: got.ingress)
    }
    if let code = expectation.exitCode {
      check("exitCode", expected: "\(code.value)", got: got.exitCode.map { "\($0)" })
    }
    if let status = expectation.http {
      check("http", expected: "\(status.value)", got: got.http.map { "\($0)" })
    }
    if let rule = expectation.rule { check("rule", glob: "*\(rule.value)*", got: got.rule) }
    if let backend = expectation.backend { check("backend", glob: backend.value, got: got.backend) }
    if let drop = expectation.drop { judge(drop, got.drop) }
  }

  private mutating func judge(_ expectation: DropExpectation, _ got: DropPlace?) {
    guard let got else {
      expect("drop", "a drop")
      return fail("drop: expected one, got none")
    }
    if let reason = expectation.reason {
      let name = DropReasonName.name(got.reason)
      switch reason.value {
      case .name(let wanted): check("drop.reason", expected: wanted, got: name)
      case .code(let wanted): check("drop.reason", expected: "\(wanted)", got: "\(got.reason)")
      }
    }
    if let node = expectation.node { check("drop.node", expected: node, got: got.node) }
    if let direction = expectation.direction {
      check("drop.direction", expected: direction.rawValue, got: got.direction)
    }
    if let hook = expectation.hook { check("drop.hook", expected: hook, got: got.hook) }
    if let stage = expectation.stage { check("drop.stage", expected: stage, got: got.stage) }
  }
}
