import Capture
import Cluster
import Conformance
import Datapath
import MapABI
public import Runner

/// An outcome as `ciliate.run/v1`.
public enum JSONReport {
  public static func text(_ outcome: Outcome) -> String {
    var text = ""
    document(outcome).write(into: &text)
    return text + "\n"
  }

  private static func document(_ outcome: Outcome) -> JSONValue {
    .members(
      ("schema", .string("ciliate.run/v1")),
      ("seed", .integer(outcome.seed)),
      ("kernel", kernel(outcome.kernel)),
      ("scenarios", .array(outcome.scenarios.map(scenario))),
      ("journeys", .array(outcome.scenarios.flatMap { s in s.journeys.map { journey($0, of: s) } })),
      (
        "divergences",
        .array(outcome.scenarios.flatMap { s in s.agreement.divergences.map { divergence($0, of: s) } })
      ),
      ("totals", totals(outcome)))
  }

  static func kernel(_ status: KernelStatus) -> JSONValue {
    .members(
      ("ran", .bool(status.ran)), ("reason", .text(status.reason)), ("datapath", .string(status.datapath)))
  }

  static func scenario(_ scenario: ScenarioOutcome) -> JSONValue {
    .members(
      ("name", .string(scenario.name)), ("file", .string(scenario.file)),
      ("result", .string(scenario.result.rawValue)),
      ("steps", .array(scenario.steps.map(step))),
      (
        "findings",
        .array(
          scenario.findings.map { finding in
            .members(
              ("id", .string(finding.id)), ("severity", .string(finding.severity.rawValue)),
              ("location", .string("\(finding.location)")), ("message", .string(finding.message)))
          })
      ),
      ("agreement", agreement(scenario.agreement)))
  }

  static func step(_ step: StepOutcome) -> JSONValue {
    .members(
      ("name", .string(step.name)), ("verb", .string(step.verb)), ("result", .string(step.result.rawValue)),
      ("expected", .object(step.expected.map { .init(name: $0.field, value: .string($0.value)) })),
      ("got", observation(step.got)),
      ("journeys", .array(step.journeys.map { .integer($0) })),
      ("messages", .array(step.messages.map(JSONValue.string))))
  }

  static func observation(_ got: Observation) -> JSONValue {
    .members(
      ("outcome", .text(got.outcome)), ("verdict", .text(got.verdict)),
      ("verdicts", .members(("egress", .text(got.egress)), ("ingress", .text(got.ingress)))),
      ("exitCode", .integer(got.exitCode)), ("http", .integer(got.http)),
      ("drop", got.drop.map(drop) ?? .null), ("rule", .text(got.rule)), ("backend", .text(got.backend)),
      ("text", .text(got.text)))
  }

  private static func drop(_ place: DropPlace) -> JSONValue {
    .members(
      ("reason", .string(MapReasons.name(place.reason))), ("code", .integer(place.reason)),
      ("node", .string(place.node)), ("device", .string(place.device)), ("hook", .string(place.hook)),
      ("stage", .string(place.stage)), ("direction", .string(place.direction)))
  }

  static func journey(_ journey: Journey, of scenario: ScenarioOutcome) -> JSONValue {
    let disposition: JSONValue
    switch journey.disposition {
    case .inFlight: disposition = .members(("kind", .string("in-flight")))
    case .delivered(let to): disposition = .members(("kind", .string("delivered")), ("to", .string(to)))
    case .dropped(let place): disposition = .members(("kind", .string("dropped")), ("drop", drop(place)))
    case .answered: disposition = .members(("kind", .string("answered")))
    case .lost(let loss):
      disposition = .members(("kind", .string("lost")), ("reason", .string(loss.rawValue)))
    }
    return .members(
      ("scenario", .string(scenario.name)), ("id", .integer(journey.id)),
      ("parent", .integer(journey.parent)), ("summary", .string(journey.summary)),
      ("passages", .array(journey.passages.map { passage($0, scenario.names) })),
      ("disposition", disposition))
  }

  private static func passage(_ passage: Passage, _ names: NameBook) -> JSONValue {
    switch passage {
    case .hook(let hop):
      let text = StepText(names: names, node: hop.node)
      return .members(
        ("time", .string("\(hop.time.unixNanoseconds)")), ("node", .string(hop.node)),
        ("device", .string(names.devices["\(hop.node)/\(hop.attachment.ifindex)"] ?? hop.device)),
        ("hook", .string(hop.hook.rawValue)), ("verdict", .string(verdict(hop.result.verdict))),
        ("drop", hop.result.drop.map { .integer($0.rawValue) } ?? .null),
        ("steps", .array(hop.result.steps.compactMap(text.text).map(JSONValue.string))))
    case .kernel(let step):
      return .members(
        ("time", .string("\(step.time.unixNanoseconds)")), ("node", .string(step.node)),
        ("device", .string(step.device)), ("kernel", .string("\(step.action)")))
    case .proxy(let step):
      return .members(
        ("time", .string("\(step.time.unixNanoseconds)")), ("node", .string(step.node)),
        ("listener", .string(step.listener)), ("proxy", .string(step.action.words)))
    }
  }

  private static func verdict(_ verdict: Verdict) -> String {
    switch verdict {
    case .pass: "pass"
    case .drop: "drop"
    case .redirect: "redirect"
    case .transmit: "transmit"
    case .other(let code): "\(code)"
    }
  }

  static func agreement(_ agreement: Agreement) -> JSONValue {
    .members(
      ("compared", .integer(agreement.compared)), ("agreeing", .integer(agreement.agreeing)),
      (
        "hooks",
        .array(
          agreement.hooks.map {
            .members(
              ("hook", .string($0.hook)), ("compared", .integer($0.compared)),
              ("agreeing", .integer($0.agreeing)))
          })
      ),
      (
        "notRun",
        .array(
          agreement.notRun.map { .members(("reason", .string($0.reason)), ("hops", .integer($0.count))) })
      ),
      (
        "notObserved",
        .array(
          agreement.notObserved.map {
            .members(("field", .string($0.field.rawValue)), ("hops", .integer($0.count)))
          })
      ))
  }

  static func divergence(_ divergence: Divergence, of scenario: ScenarioOutcome) -> JSONValue {
    .members(
      ("scenario", .string(scenario.name)), ("time", .string("\(divergence.time.unixNanoseconds)")),
      ("node", .string(divergence.node)), ("device", .string(divergence.device)),
      ("hook", .string(divergence.hook)), ("field", .string(divergence.field.rawValue)),
      ("expected", .string(divergence.expected)), ("found", .string(divergence.found)),
      ("details", .array(divergence.details.map(JSONValue.string))))
  }

  private static func totals(_ outcome: Outcome) -> JSONValue {
    .object(
      [.init(name: "scenarios", value: .integer(outcome.scenarios.count))]
        + ResultWord.allCases.map { word in
          .init(name: word.rawValue, value: .integer(outcome.scenarios.count { $0.result == word }))
        }
        + [
          .init(name: "hops", value: .integer(outcome.scenarios.reduce(0) { $0 + $1.agreement.compared })),
          .init(
            name: "agreeing", value: .integer(outcome.scenarios.reduce(0) { $0 + $1.agreement.agreeing })),
        ])
  }
}
