import Testing

@testable import Cluster

@Suite("Labels and selectors")
struct LabelsTests {
  @Test func orderIsOfKeysAndTheLastOfAKeyWins() {
    let labels = Labels([("b", "1"), ("a", "2"), ("b", "3"), ("a-c", "4")])
    #expect(labels.description == "a=2,a-c=4,b=3")
    #expect(labels["b"] == "3")
    #expect(labels["c"] == nil)
  }

  @Test func subscriptInsertsReplacesAndRemoves() {
    var labels: Labels = ["m": "1"]
    labels["a"] = "0"
    labels["z"] = "2"
    labels["m"] = "3"
    #expect(labels.description == "a=0,m=3,z=2")
    labels["m"] = nil
    labels["absent"] = nil
    #expect(labels.keys == ["a", "z"])
    #expect(labels.merging(["z": "9", "b": ""]).description == "a=0,b=,z=9")
  }

  @Test(arguments: [
    ("app", true), ("app.kubernetes.io/name", true), ("io.kubernetes.pod.namespace", true), ("A_b.c-9", true),
    ("", false), ("/x", false), ("a/b/c", false), ("Upper.Case/x", false), ("-a", false), ("a-", false),
    ("a b", false), ("k8s:app", false), ("a..b/x", false), (String(repeating: "a", count: 63), true),
    (String(repeating: "a", count: 64), false), ("ä", false),
  ])
  func keys(_ key: String, _ isValid: Bool) {
    #expect((LabelSyntax.problem(key: key) == nil) == isValid)
  }

  @Test(arguments: [
    ("", true), ("web", true), ("1.2_3-x", true), ("-x", false), ("x.", false), ("a/b", false),
    (String(repeating: "a", count: 64), false),
  ])
  func values(_ value: String, _ isValid: Bool) {
    #expect((LabelSyntax.problem(value: value) == nil) == isValid)
  }

  @Test(arguments: [
    ("http", true), ("8080", false), ("http--x", false), ("-a", false), ("serve-80-tcp", true),
    ("Http", false),
    ("a-very-long-name", false),
  ])
  func portNames(_ name: String, _ isValid: Bool) {
    #expect((LabelSyntax.problem(portName: name) == nil) == isValid)
  }

  @Test(arguments: [
    ("web", true), ("a.b-c.d", true), ("a..b", false), ("Web", false), (".a", false), ("a_b", false),
    (String(repeating: "a", count: 254), false),
  ])
  func names(_ name: String, _ isValid: Bool) {
    #expect((LabelSyntax.problem(subdomain: name) == nil) == isValid)
  }

  @Test(arguments: [
    (LabelSelector.Operator.in, ["a", "b"], true, false), (.notIn, ["a"], false, true),
    (.notIn, ["z"], true, true), (.in, ["z"], false, false), (.exists, [], true, false),
    (.doesNotExist, [], false, true),
  ])
  func expressions(_ op: LabelSelector.Operator, _ values: [String], _ present: Bool, _ absent: Bool) {
    let selector = LabelSelector(matchExpressions: [.init(key: "k", op: op, values: values)])
    #expect(selector.matches(["k": "a", "x": "y"]) == present)
    #expect(selector.matches(["x": "y"]) == absent)
  }

  @Test func everyRequirementMustHold() {
    let selector = LabelSelector(
      matchLabels: ["app": "web"], matchExpressions: [.init(key: "tier", op: .notIn, values: ["db"])])
    #expect(selector.matches(["app": "web"]))
    #expect(!selector.matches(["app": "web", "tier": "db"]))
    #expect(!selector.matches(["app": "api"]))
    #expect(LabelSelector().matches([:]))
    #expect(selector.description == "app=web,tier notin (db)")
    #expect(LabelSelector().description == "<all>")
  }
}
