import Cluster
import Testing

@testable import Scenario

@Suite("Bad scenarios")
struct BadScenarioTests {
  @Test func emptyOnes() {
    #expect(findings("")[0].hasPrefix("s.yaml:1:1: error: the file is empty"))
    #expect(findings(scenario("", steps: "  []"))[0].contains("has no steps"))
    #expect(
      findings("apiVersion: ciliate.dev/v1alpha1\nkind: Scenario\nmetadata: {name: x}\nspec: {}\n")[0]
        .contains("\"steps\" is missing"))
    #expect(findings("a: [")[0].contains("[yaml-syntax]"))
    #expect(
      findings("kind: Pod\napiVersion: v1\n").contains { $0.contains("expected \"Scenario\", found \"Pod\"") }
    )
  }

  @Test func misspellingsNameTheNearest() {
    #expect(
      findings(scenario("sede: 5")) == [
        "s.yaml:5:3: error: spec: unknown field \"sede\"; did you mean \"seed\"? [unknown-field]"
      ])
    #expect(
      findings(scenario("", steps: "- porbe: {from: a, to: b}")) == [
        "s.yaml:6:5: error: spec.steps[0]: unknown field \"porbe\"; did you mean \"probe\"? [unknown-field]"
      ])
    #expect(
      findings(scenario("", steps: "- probe: {from: a, to: b}\n  expect: {verdict: alowed}")) == [
        "s.yaml:7:23: error: spec.steps[0].expect.verdict: unknown value \"alowed\"; did you mean \"allowed\"?"
          + " [invalid-value]"
      ])
  }

  @Test(arguments: [
    ("- {name: x}", "a step needs a verb"),
    ("- {time: {advance: 1s}, view: x}", "one verb, found time and view"),
    ("- 5", "expected a mapping"), ("- probe: {to: b}", "\"from\" is missing"),
    ("- probe: {from: a}", "\"to\" is missing"), ("- probe: {from: 10.0.0.1, to: b}", "cannot send"),
    ("- probe: {from: a/b/c, to: b}", "is no place"), ("- probe: {from: a, to: 'http://'}", "is no URL"),
    ("- probe: {from: a, to: b, port: 80/TPC}", "is no port"),
    ("- probe: {from: a, to: b, port: 0}", "is no port"),
    ("- probe: {from: a, to: b, port: 99999/TCP}", "is no port"),
    ("- probe: {from: a, to: 'http://b/', port: 81}", "the URL asks for port 80/TCP"),
    ("- probe: {from: a, to: b, timeout: soon}", "is no duration"),
    ("- probe: {from: a, to: b, count: 0}", "out of range"),
    ("- probe: {from: a, to: {pod: x, node: y}}", "found 2"),
    ("- scale: {pod: x, replicas: 2}", "unknown field \"pod\""),
    ("- scale: {deployment: x, replicas: -1}", "out of range"),
    ("- label: {pod: x, labels: {'a b': c}}", "may only hold"), ("- patch: {pod: x}", "changes nothing"),
    ("- delete: {pod: x, service: y}", "found 2"), ("- link: {between: [a]}", "between two nodes"),
    ("- link: {between: [a, b], drop: tcp/x}", "names no packets"),
    ("- link: {between: [a, b], loss: 2}", "is no fraction"),
    ("- agent: {state: down}", "\"node\" is missing"),
    ("- agent: {node: a, state: dwon}", "did you mean \"down\""),
    ("- time: {advance: -1s}", "is no duration"),
    ("- inject: {node: a, interface: b}", "expected one of frame and hex"),
    ("- inject: {node: a, interface: b, frame: abc}", "an odd number"),
    ("- inject: {node: a, interface: b, frame: xy}", "is no hexadecimal digit"),
    ("- inject: {node: a, interface: b, frame: {ipv5: {}}}", "did you mean \"ipv4\""),
    ("- inject: {node: a, interface: b, frame: {ipv4: {tll: 1}}}", "did you mean \"ttl\""),
    ("- capture: {}", "expected start or stop"), ("- dns: {example.com: nowhere}", "is no IP address"),
    ("- matrix: {from: [a], to: [b]}", "\"port\" is missing"),
    ("- {name: a, view: x}\n- {name: a, view: x}", "two steps are named \"a\""),
    ("- probe: {from: a, to: b}\n  expect: {matrix: 'a b'}", "expected from/to"),
    ("- probe: {from: a, to: b}\n  expect: {matrix: \"from/to a\\nb . X\"}", "has 2 cells; expected 1"),
    ("- probe: {from: a, to: b}\n  expect: {path: ['n/lxc(x:y']}", "is no passage"),
    ("- probe: {from: a, to: b}\n  expect: {wire: {vni: 16777216}}", "out of range"),
  ])
  func steps(_ text: String, _ part: String) {
    let found = findings(scenario("", steps: text))
    #expect(found.contains { $0.contains(part) && $0.hasPrefix("s.yaml:") }, "\(found)")
  }

  @Test(arguments: [
    ("cluster: {nodes: [{name: a}, {name: a}]}", "two nodes are named"),
    ("cluster: {nodes: [{name: A}]}", "may only hold"),
    ("cluster: {nodes: [{nme: a}]}", "unknown field \"nme\""),
    ("cluster: {kind: k.yaml, nodes: []}", "exclude each other"), ("cluster: {id: 512}", "out of range"),
    ("cluster: {}\nclusters: []", "exclude each other"),
    ("cilium: {profile: 2}", "expected 1.18, 1.19, 1.20"),
    ("cilium: {profile: 1.17}", "did you mean \"1.18\""),
    (
      "cluster: {nodes: [{name: a}], underlay: {subnets: [{cidr: 10.0.0.0/8, nodes: [b]}]}}",
      "no node is named"
    ),
    ("external: [{name: w, ips: [x]}]", "is no IP address"), ("seed: -1", "a whole number from 0"),
    ("kernel: maybe", "expected auto, required, off"), ("dns: {ttl: x}", "is no duration"),
    ("external: [{name: w, ips: []}, {name: w, ips: []}]", "two external hosts"),
  ])
  func worlds(_ text: String, _ part: String) {
    let found = findings(scenario(text))
    #expect(found.contains { $0.contains(part) }, "\(found)")
  }

  /// Values of every shape in every place: whatever comes out, nothing traps, and every finding has a place.
  @Test func wrongShapesNeverTrap() {
    let values = [
      "5", "[]", "{}", "''", "x", "null", "[[]]", "{a: b}", "true", "-9223372036854775808", "1.5",
    ]
    let verbs = Step.Verb.names
    let keys = [
      "cilium", "cluster", "clusters", "external", "dns", "seed", "kernel", "defaults", "manifests",
      "artifacts",
    ]
    for value in values {
      for verb in verbs {
        let result = ScenarioReader(file: "s").read(
          scenario("", steps: "- {\(verb): \(value), expect: \(value)}"))
        #expect(result.findings.allSatisfy { $0.location.isKnown })
      }
      for key in keys {
        let result = ScenarioReader(file: "s").read(scenario("\(key): \(value)"))
        #expect(result.findings.allSatisfy { $0.location.isKnown })
      }
    }
  }

  @Test(arguments: [
    ("1s", 1_000_000_000), ("500ms", 500_000_000), ("1h2m3.5s", 3_723_500_000_000), ("0", 0),
    ("3", 3_000_000_000),
    ("1.5us", 1500), ("", nil), ("s", nil), ("1x", nil), ("-1s", nil), ("1s2", nil), ("99999999999h", nil),
    ("1.s.", nil),
  ])
  func durations(_ text: String, _ nanoseconds: UInt64?) {
    #expect(VirtualDuration(text)?.nanoseconds == nanoseconds)
  }

  @Test(arguments: [
    ("0.25", 250_000), ("25%", 250_000), ("1", 1_000_000), ("0.000001", 1), ("2.5%", 25_000), ("", nil),
    ("%", nil),
    (".5", 500_000), ("-1", nil), ("1e3", nil), (".", nil), ("9999999999999999999", nil),
  ])
  func fractions(_ text: String, _ millionths: Int?) {
    #expect(Fraction.millionths(text) == millionths)
  }

  @Test(arguments: [
    ("a.yaml", "*.yaml", true), ("a.yml", "*.yaml", false), (".a.yaml", "*.yaml", false), ("ab", "a?", true),
    ("b", "[a-c]", true), ("d", "[a-c]", false), ("d", "[!a-c]", true), ("[", "[", true),
    ("abcbc", "a*bc", true),
    ("", "*", true), ("x", "", false),
  ])
  func globs(_ name: String, _ pattern: String, _ isMatch: Bool) {
    #expect(Glob.matches(name, pattern) == isMatch)
  }
}
