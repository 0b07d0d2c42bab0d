import Foundation
import Manifests
import Testing

@testable import Scenario

@Suite("The schema of scenario files")
struct ScenarioSchemaTests {
  @Test func itIsJSONAndComplete() throws {
    let object = try JSONSerialization.jsonObject(with: Data(ScenarioSchema.text.utf8))
    let root = try #require(object as? [String: Any])
    let definitions = try #require(root["$defs"] as? [String: Any])
    let references = ScenarioSchema.text.matches(of: /"#\/\$defs\/(\w+)"/).map { String($0.1) }
    #expect(!references.isEmpty)
    #expect(references.allSatisfy { definitions[$0] != nil })
  }

  /// The reader knows every field that the schema names, and the schema every field that the reader knows.
  @Test func readerAndSchemaKnowTheSameFields() throws {
    let places: [(String, (String) -> String)] = [
      ("spec", { scenario("\($0): {}") }), ("cluster", { scenario("cluster: {\($0): {}}") }),
      ("meshedCluster", { scenario("clusters: [{\($0): {}}]") }),
      ("node", { scenario("cluster: {nodes: [{\($0): {}}]}") }),
      ("step", { scenario("", steps: "- {\($0): {}}") }),
      ("probe", { scenario("", steps: "- probe: {\($0): {}}") }),
      ("expect", { scenario("", steps: "- {view: x, expect: {\($0): {}}}") }),
    ]
    for (name, text) in places {
      let schema = try #require(ScenarioSchema.definitions.first { $0.0 == name }?.1)
      guard case .object(let properties, _) = schema else {
        Issue.record("\(name) is an object")
        continue
      }
      let names = properties.map(\.name)
      for field in names where field != "steps" {
        let found = findings(text(field)).filter { $0.contains("unknown field \"\(field)\"") }
        #expect(found.isEmpty, "\(name).\(field)")
      }
      let known = findings(text("qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq")).joined()
      if let list = known.firstMatch(of: /; expected ([^\[(]*) \[unknown-field\]/)?.1 {
        let read = list.split(separator: ", ").map(String.init)
        #expect(Set(read).isSubset(of: Set(names)), "\(name): \(Set(read).subtracting(names).sorted())")
      } else {
        #expect(name == "step" || name == "expect", "\(name) tells its fields: \(known)")
      }
    }
  }
}
