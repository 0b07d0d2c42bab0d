import Cluster
import Runner
import Scenario
import TestSupport
import Testing

/// Random rules for requests, queries and ports, sent through proxies: every probe is judged by the oracle that reads the
/// manifests, and must agree with it.
struct L7PropertyTests {
  private static let paths = ["/", "/a", "/a/b", "/b", "/a/12"]
  private static let patterns = ["/a.*", "/a/[0-9]+", "/(a|b)", "/.?", "", "/a/b"]
  private static let methods = ["GET", "POST", "PUT"]

  private static func pick<Element>(_ list: [Element], _ random: inout SplitMix64) -> Element {
    list[Int.random(in: 0..<list.count, using: &random)]
  }

  private static func request(_ random: inout SplitMix64) -> String {
    var fields: [String] = []
    if Bool.random(using: &random) { fields.append("path: \"\(pick(patterns, &random))\"") }
    if Int.random(in: 0..<3, using: &random) == 0 {
      fields.append("method: \"\(pick(["GET", "POST|PUT", "P.*"], &random))\"")
    }
    if Int.random(in: 0..<4, using: &random) == 0 {
      fields.append("headers: [\"\(pick(["X-A", "X-A: 1"], &random))\"]")
    }
    if Int.random(in: 0..<5, using: &random) == 0 {
      fields.append("headerMatches: [{name: X-A, value: \"2\"}]")
    }
    return "{\(fields.joined(separator: ", "))}"
  }

  private static func entry(_ direction: String, _ random: inout SplitMix64) -> String {
    let peer = pick(
      [
        "", "\(direction)Endpoints: [{matchLabels: {app: a}}], ",
        "\(direction)Endpoints: [{matchLabels: {app: b}}], ",
        "\(direction)Entities: [cluster], ",
      ], &random)
    let ports = pick(
      [
        "{port: \"80\", protocol: TCP}", "{port: \"64\", endPort: 127, protocol: TCP}",
        "{port: \"80\", protocol: TCP}, {port: \"9090\", protocol: TCP}",
      ], &random)
    let rules =
      Int.random(in: 0..<4, using: &random) == 0
      ? ""
      : ", rules: {http: [\((0...Int.random(in: 0..<2, using: &random)).map { _ in request(&random) }.joined(separator: ", "))]}"
    if peer.isEmpty == false, Int.random(in: 0..<6, using: &random) == 0 { return "{\(peer.dropLast(2))}" }
    return "{\(peer)toPorts: [{ports: [\(ports)]\(rules)}]}"
  }

  /// Policies about both ends; a deny now and then, default deny off now and then.
  private static func policies(_ seed: Int, _ random: inout SplitMix64) -> String {
    (0...Int.random(in: 0..<3, using: &random)).map { index in
      let direction = Bool.random(using: &random) ? ("ingress", "from") : ("egress", "to")
      let subject = pick(["a", "b"], &random)
      let rules = (0...Int.random(in: 0..<2, using: &random)).map { _ in entry(direction.1, &random) }
      let lax =
        Int.random(in: 0..<4, using: &random) == 0 ? "enableDefaultDeny: {\(direction.0): false}, " : ""
      let deny =
        Int.random(in: 0..<6, using: &random) == 0
        ? ", \(direction.0)Deny: [{\(direction.1)Endpoints: [{matchLabels: {app: a}}], toPorts: [{ports: [{port: \"80\", protocol: TCP}]}]}]"
        : ""
      return """
        apiVersion: cilium.io/v2
        kind: CiliumNetworkPolicy
        metadata: {name: p\(index)}
        spec: {endpointSelector: {matchLabels: {app: \(subject)}}, \(lax)\(direction.0): [\(rules.joined(separator: ", "))]\(deny)}
        """
    }.joined(separator: "\n---\n")
  }

  static func scenario(_ seed: Int) -> String {
    var random = SplitMix64(seed: UInt64(seed))
    func pod(_ name: String, _ app: String, _ node: String) -> String {
      """
      apiVersion: v1
      kind: Pod
      metadata: {name: \(name), labels: {app: \(app)}, annotations: {ciliate.dev/listen: "80/TCP,9090/TCP"}}
      spec: {nodeName: \(node), containers: [{name: x, image: example.com/x}]}
      """
    }
    let manifests = [
      pod("a1", "a", "n1"), pod("a2", "a", "n2"), pod("b1", "b", "n1"), pod("b2", "b", "n2"),
      policies(seed, &random),
    ].joined(separator: "\n---\n")
    var steps =
      "    - apply: |\n" + manifests.split(separator: "\n").map { "        \($0)" }.joined(separator: "\n")
    for _ in 0..<10 {
      let from = pick(["a1", "a2", "b1"], &random)
      let to = pick(["b2", "a2", "b1"].filter { $0 != from }, &random)
      let header = pick(["", ", headers: {X-A: \"1\"}", ", headers: {X-A: \"2\"}"], &random)
      steps +=
        "\n    - probe: {from: \(from), to: \(to), port: \(pick(["80", "9090"], &random))/TCP, http: {method: \(pick(methods, &random)), path: \(pick(paths, &random))\(header)}}"
    }
    return """
      apiVersion: ciliate.dev/v1alpha1
      kind: Scenario
      metadata: {name: random-\(seed)}
      spec:
        cilium: {values: [{kubeProxyReplacement: true, socketLB: {hostNamespaceOnly: true}}]}
        cluster: {nodes: [{name: n1}, {name: n2}]}
        steps:
      \(steps)
      """
  }

  @Test("Intent and model agree on random rules", arguments: 0..<60)
  func agree(_ seed: Int) throws {
    let (scenario, findings) = ScenarioLoader.load(
      text: Self.scenario(seed), file: "\(PackageFolder.path)/scenarios/policy/x.yaml")
    let loaded = try #require(scenario, "\(findings.map(\.description)) \(Self.scenario(seed))")
    let outcome = ScenarioRunner.run(loaded, findings: findings, seed: nil, observer: NoObserver())
    for step in outcome.steps where step.result != .pass {
      Issue.record("\(step.name): \(step.messages) \(step.got)\n\(Self.scenario(seed))")
    }
  }
}
