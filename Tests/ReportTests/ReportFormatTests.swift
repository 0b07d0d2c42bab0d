import Cluster
import Foundation
import Runner
import Testing

@testable import Report

struct ReportFormatTests {
  static var outcome: Outcome {
    var scenario = ScenarioOutcome(name: "a <b> & \"c\"", file: "x.yaml")
    var failed = StepOutcome(name: "failed\u{1b}[31m", verb: "probe", location: .none)
    failed.result = .fail
    failed.messages = ["outcome: expected ok, got timeout", "second"]
    failed.got.outcome = "timeout"
    failed.got.exitCode = 28
    failed.expected = [("outcome", "ok")]
    var passed = StepOutcome(name: "passed", verb: "apply", location: .none)
    passed.got.text = "from/to  a\nb        .\n"
    scenario.steps = [passed, failed]
    scenario.result = .fail
    return Outcome(seed: 7, kernel: KernelStatus(ran: false, reason: "no CAP_BPF"), scenarios: [scenario])
  }

  @Test("JSON is one document of the schema that is promised")
  func json() throws {
    let text = JSONReport.text(Self.outcome)
    let document = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    #expect(document["schema"] as? String == "ciliate.run/v1")
    #expect(document["seed"] as? Int == 7)
    let kernel = try #require(document["kernel"] as? [String: Any])
    #expect(kernel["ran"] as? Bool == false)
    #expect(kernel["reason"] as? String == "no CAP_BPF")
    let scenarios = try #require(document["scenarios"] as? [[String: Any]])
    let steps = try #require(scenarios.first?["steps"] as? [[String: Any]])
    #expect(steps.map { $0["result"] as? String } == ["pass", "fail"])
    let got = try #require(steps.last?["got"] as? [String: Any])
    #expect(got["exitCode"] as? Int == 28)
    #expect(got["http"] is NSNull)
    #expect((document["totals"] as? [String: Any])?["fail"] as? Int == 1)
  }

  @Test("JUnit is XML, with the failure's messages, and without control characters")
  func junit() throws {
    let text = JUnitReport.text(Self.outcome)
    #expect(
      text.contains(
        "<testsuite name=\"a &lt;b&gt; &amp; &quot;c&quot;\" tests=\"2\" failures=\"1\" errors=\"0\""))
    #expect(text.contains("outcome: expected ok, got timeout; second"))
    #expect(!text.contains("\u{1b}"))
    #expect(text.hasSuffix("</testsuites>\n"))
  }

  @Test("Text names the failed step, why, and that the kernel did not run")
  func text() {
    let text = TextReport(walks: .first).text(Self.outcome)
    #expect(text.contains("timeout, exit code 28"))
    #expect(text.contains("! outcome: expected ok, got timeout"))
    #expect(text.contains("kernel: not run: no CAP_BPF"))
    #expect(text.contains("   from/to  a\n   b        .\n"))
    #expect(text.contains("1 scenarios: 1 fail"))
  }

  @Test("Colour is only where it is asked for")
  func colour() {
    #expect(TextStyle.plain.result(.fail) == "fail")
    #expect(TextStyle.coloured.result(.fail) == "\u{1b}[31mfail\u{1b}[0m")
  }
}
