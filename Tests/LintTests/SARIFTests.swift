import Cluster
import Foundation
import Lint
import Testing

@Suite struct SARIFTests {
  @Test func findingsBecomeResults() throws {
    let findings = [
      Finding(
        id: "empty-rule", severity: .warning, at: SourceLocation(file: "a \"b\".yaml", line: 3, column: 5),
        "is\tempty \\ ü"),
      Finding(id: "bad-expression", severity: .error, at: .none, "no", authority: .agent),
    ]
    let text = SARIF(findings).text
    let log = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    let run = try #require((log["runs"] as? [[String: Any]])?.first)
    let results = try #require(run["results"] as? [[String: Any]])
    #expect(results.map { $0["ruleId"] as? String } == ["empty-rule", "bad-expression"])
    #expect(results.map { $0["level"] as? String } == ["warning", "error"])
    #expect((results[0]["message"] as? [String: String])?["text"] == "is\tempty \\ ü")
    #expect((results[1]["message"] as? [String: String])?["text"] == "no (refused by the Cilium agent)")
    #expect(text.contains(#""uri":"a \"b\".yaml"},"region":{"startLine":3,"startColumn":5}"#))
    #expect(results[1]["locations"] == nil)
    #expect(text == SARIF(findings).text)
    #expect(SARIF([]).text.contains(#""results":[]"#))
  }
}
