import Scenario

extension Judge {
  /// Names the parts of an expectation that a step of this verb shows nothing about: they could never fail.
  mutating func judgeMisplaced(_ expectation: Expectation, of verb: Scenario.Step.Verb) {
    let conversation = ["verdict", "verdicts", "drop", "rule", "match", "path", "wire"]
    let ending = ["outcome", "exitCode", "http", "body", "backend", "backendOf", "distribution", "flows"]
    let judged: [String]
    switch verb {
    case .probe: judged = conversation + ending
    case .inject: judged = conversation
    case .matrix: judged = ["matrix"]
    case .view: judged = ["view"]
    default: judged = []
    }
    for part in expectation.parts where !judged.contains(part) { cannotJudge("\(part) of \(verb.name)") }
  }
}

extension Expectation {
  /// The parts that are given, without `objects`, `map` and `lint`, which concern the state and go with every verb.
  fileprivate var parts: [String] {
    let given: [(String, Bool)] = [
      ("outcome", outcome != nil), ("exitCode", exitCode != nil), ("http", http != nil),
      ("body", body != nil),
      ("verdict", verdict != nil), ("verdicts", egressVerdict != nil || ingressVerdict != nil),
      ("drop", drop != nil), ("rule", rule != nil), ("match", match != nil), ("backend", backend != nil),
      ("backendOf", backendOf != nil), ("distribution", distribution != nil), ("path", !path.isEmpty),
      ("wire", !wire.isEmpty), ("flows", !flows.isEmpty), ("matrix", matrix != nil),
      ("view", view != nil),
    ]
    return given.filter(\.1).map(\.0)
  }
}
