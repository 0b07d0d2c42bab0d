import Cluster
import Testing

@testable import Manifests

@Suite("Bad manifests")
struct BadInputTests {
  @Test func unknownKindsAndVersions() {
    #expect(
      findings("apiVersion: v1\nkind: Podd\nmetadata: {name: a}\n") == [
        "m.yaml:2:7: error: unknown kind \"Podd\"; did you mean \"Pod\"? (refused by the API server) [unknown-kind]"
      ])
    #expect(
      findings("apiVersion: apps/v1beta1\nkind: Deployment\nmetadata: {name: a}\n")[0].contains(
        "expected apiVersion apps/v1"))
    #expect(
      findings("apiVersion: cilium.io/v2\nkind: CiliumNetworkPolcy\n")[0].contains("\"CiliumNetworkPolicy\""))
    #expect(findings("kind: Pod\n")[0].contains("the field \"apiVersion\" is missing"))
    #expect(findings("- a\n")[0].hasPrefix("m.yaml:1:1: error: expected an object"))
    #expect(findings("just text\n")[0].contains("found the string \"just text\""))
    #expect(findings("") == [])
    #expect(findings("---\n---\n") == [])
  }

  @Test func whatIsNotModelledSaysSo() {
    let result = read(
      """
      apiVersion: cilium.io/v2
      kind: CiliumLoadBalancerIPPool
      metadata: {name: p}
      ---
      apiVersion: example.com/v1
      kind: Widget
      metadata: {name: w}
      ---
      apiVersion: v1
      kind: Pod
      metadata: {name: p}
      spec: {containers: [{name: c}], hostAliases: [{ip: 1.2.3.4}]}
      """)
    #expect(result.findings.map(\.severity) == [.unmodelled, .unmodelled, .unmodelled])
    #expect(result.findings.map(\.location.line) == [1, 5, 12])
    #expect(result.objects.count == 1)
  }

  @Test func unknownFieldsNameTheNearest() {
    #expect(
      findings("apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  lables: {a: b}\nspec: {containers: []}\n")
        == [
          "m.yaml:5:3: error: metadata: unknown field \"lables\"; did you mean \"labels\"?"
            + " (refused by the API server) [unknown-field]"
        ])
    let nested = findings(
      "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: c\n    port: [80]\n")
    #expect(nested.count == 1)
    #expect(
      nested[0].hasPrefix(
        "m.yaml:7:5: error: spec.containers[0]: unknown field \"port\"; did you mean \"ports\""))
  }

  @Test func manyMistakesInOneReading() {
    let found = findings(
      """
      apiVersion: v1
      kind: Service
      metadata: {name: Bad_Name}
      spec:
        type: ClusterIp
        selector: {app: "no spaces"}
        ports:
        - {port: 99999}
        - {port: "80"}
        - {port: 80, targetPort: "8080"}
      """)
    #expect(found.map { $0.split(separator: ":")[1] } == ["3", "5", "6", "8", "9", "10"])
    #expect(found[1].contains("did you mean \"ClusterIP\""))
    #expect(found[4].contains("expected a whole number, found the string \"80\""))
    #expect(found[5].contains("a number is written without quotes: 8080"))
  }

  @Test(arguments: [
    ("apiVersion: v1\nkind: Pod\nmetadata: {labels: {a: b}}\nspec: {containers: []}", "missing-field", 3),
    (
      "apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {'-x': b}}\nspec: {containers: []}",
      "invalid-label", 3
    ),
    (
      "apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {x: 5}}\nspec: {containers: []}", "wrong-type",
      3
    ),
    (
      "apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {x: yes}}\nspec: {containers: []}",
      "wrong-type", 3
    ),
    ("apiVersion: v1\nkind: Pod\nmetadata: {name: a}", "missing-field", 1),
    ("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: {name: a}}", "wrong-type", 4),
    (
      "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: []}\nstatus: {podIP: x}",
      "invalid-value", 5
    ),
    ("apiVersion: v1\nkind: Pod\nmetadata: 5\nspec: {containers: []}", "wrong-type", 3),
    (
      "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {selector: {matchLabels: {a: b}},\n"
        + "  template: {metadata: {labels: {a: c}}, spec: {containers: []}}}", "selector-mismatch", 4
    ),
    (
      "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {replicas: -1, selector: {}, template: "
        + "{spec: {containers: []}}}", "invalid-value", 4
    ),
    (
      "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a}\nspec: {podSelector:\n"
        + "  {matchExpressions: [{key: a, operator: Exists, values: [b]}]}}", "invalid-selector", 5
    ),
    (
      "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a}\nspec: {podSelector: {}, ingress:\n"
        + "  [{from: [{}]}]}", "missing-field", 5
    ),
    (
      "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a}\nspec: {podSelector: {}, ingress:\n"
        + "  [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/8]}}]}]}", "invalid-value", 5
    ),
    (
      "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a}\nspec: {podSelector: {}, ingress:\n"
        + "  [{ports: [{port: 80, endPort: 79}]}]}", "invalid-value", 5
    ),
    ("kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnodes: [{role: workr}]", "invalid-value", 3),
    ("kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnetworkng: {}", "unknown-field", 3),
    (
      "apiVersion: cilium.io/v2\nkind: CiliumIdentity\nmetadata: {name: abc}\nsecurity-labels: {}",
      "invalid-value", 1
    ),
  ])
  func eachHasAnIdAndAPlace(_ text: String, _ id: String, _ line: Int) {
    let result = read(text)
    #expect(result.objects.isEmpty && result.kindConfigurations.isEmpty)
    #expect(
      result.findings.contains { $0.id == id && $0.location.line == line && $0.severity == .error },
      "\(result.findings.map(\.description))")
  }

  @Test func aPlainLetterIsTakenWithAWarning() {
    let result = read("apiVersion: v1\nkind: Namespace\nmetadata: {name: y, labels: {x: n}}\n")
    #expect(result.objects.map(\.reference.description) == ["Namespace y"])
    #expect(result.findings.map(\.severity) == [.warning, .warning])
  }

  @Test func duplicatesNameTheFirst() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: []}\n"
    #expect(
      findings(pod + "---\n" + pod) == [
        "m.yaml:6:1: error: Pod default/a is defined twice; first at m.yaml:1:1 [duplicate-object]"
      ])
  }

  @Test func unreadableFiles() {
    #expect(throws: FileError(path: "/nonexistent/x.yaml", message: "no such file")) {
      try readText("/nonexistent/x.yaml")
    }
    #expect(throws: FileError(path: "/", message: "is a directory")) { try readText("/") }
  }

  @Test func controlCharactersAreEscapedInMessages() {
    #expect(findings("apiVersion: v1\nkind: \"a\\e[31mb\"\n")[0].contains("\"a\\u{1b}[31mb\""))
  }
}
