import Foundation
import TestSupport
import Testing

/// The commands about policies: `matrix`, `probe` and `lint`.
@Suite(.enabled(if: Command.ciliate != nil, "no ciliate beside the tests"))
struct PolicyCommandTests {
  private static let pods = """
    {apiVersion: v1, kind: Pod, metadata: {name: client, labels: {app: client}}, spec: {containers: [{name: c, image: i}]}}
    ---
    {apiVersion: v1, kind: Pod, metadata: {name: web, labels: {app: web}}, spec: {containers: [{name: c, image: i, ports: [{name: http, containerPort: 80}]}]}}
    ---
    {apiVersion: apps/v1, kind: Deployment, metadata: {name: db}, spec: {selector: {matchLabels: {app: db}}, template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c, image: i, ports: [{containerPort: 5432}]}]}}}}

    """

  private static let policy = """
    apiVersion: cilium.io/v2
    kind: CiliumNetworkPolicy
    metadata: {name: web}
    spec:
      endpointSelector: {matchLabels: {app: web}}
      ingress:
        - fromEndpoints: [{matchLabels: {app: client}}]
          toPorts: [{ports: [{port: http, protocol: TCP}]}]

    """

  private func withFiles(
    policy: String = PolicyCommandTests.policy, _ body: (_ folder: String) throws -> Void
  ) throws {
    try withFolder { folder in
      try FileManager.default.createDirectory(atPath: "\(folder)/after", withIntermediateDirectories: true)
      try FileManager.default.createDirectory(atPath: "\(folder)/before", withIntermediateDirectories: true)
      for side in ["before", "after"] {
        try Self.pods.write(toFile: "\(folder)/\(side)/pods.yaml", atomically: true, encoding: .utf8)
      }
      try policy.write(toFile: "\(folder)/after/policy.yaml", atomically: true, encoding: .utf8)
      try body(folder)
    }
  }

  // MARK: matrix

  @Test("The table can be put into a scenario, and each cell has its reason")
  func matrix() throws {
    try withFiles { folder in
      let run = try Command.ciliate("matrix", "\(folder)/after")
      #expect(run.code == 0 && run.complaints.isEmpty, "\(run.complaints)")
      #expect(
        run.output.hasPrefix(
          """
          80/TCP
          from/to         default/client  default/db  default/web
          default/client  .               -           .
          default/db      .               -           X
          default/web     .               -           .

          5432/TCP
          """))
      #expect(
        run.output.contains(
          """
            X  default/db → default/web  80/TCP
               ingress: default deny by CiliumNetworkPolicy default/web (\(folder)/after/policy.yaml:1:1), and no rule matches
          """))
      #expect(
        run.output.contains(
          """
            .  default/client → default/web  80/TCP
               ingress: CiliumNetworkPolicy default/web ingress[0].fromEndpoints[0] toPorts[0].ports[0] (\(folder)/after/policy.yaml:7:23)
          """))
    }
  }

  @Test("Ports, sources and targets can be chosen; addresses of the world, too")
  func choice() throws {
    try withFiles { folder in
      let run = try Command.ciliate(
        "matrix", "\(folder)/after", "--port", "ICMP", "--from", "web", "--from", "203*", "--to", "web",
        "--world", "203.0.113.9", "--no-why")
      #expect(run.code == 0)
      #expect(
        run.output == """
          ICMP type 8
          from/to      default/web
          default/web  .
          203.0.113.9  X


          """)
    }
  }

  @Test("As JSON: lines of symbols, and the decision of each cell")
  func matrixJSON() throws {
    try withFiles { folder in
      let run = try Command.ciliate("matrix", "\(folder)/after", "--port", "80/TCP", "-o", "json")
      let value = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
      let document = try #require(value)
      #expect(document["schema"] as? String == "ciliate.matrix/v1")
      let port = try #require((document["ports"] as? [[String: Any]])?.first)
      #expect(port["verdicts"] as? [String] == ["...", "..X", "..."])
      let decided = try #require(port["decided"] as? [[Int]])
      let decisions = try #require(document["decisions"] as? [[String: Any]])
      let denied = decisions[decided[1][2]]
      #expect(denied["verdict"] as? String == "denied" && denied["reason"] as? String == "defaultDeny")
      let rule = try #require(decisions[decided[0][2]]["rule"] as? [String: Any])
      #expect(rule["path"] as? String == "ingress[0].fromEndpoints[0]")
      #expect((rule["location"] as? [String: Any])?["line"] as? Int == 7)
    }
  }

  @Test("Before and after: what is cut off, with the rules on both sides, and 3")
  func change() throws {
    try withFiles { folder in
      let run = try Command.ciliate("matrix", "\(folder)/after", "--before", "\(folder)/before")
      #expect(run.code == 3)
      #expect(
        run.output == """
          cut off: 1
            default/db → default/web  80/TCP
               before: . ingress: no policy selects either end for this
               after:  X ingress: default deny by CiliumNetworkPolicy default/web (\(folder)/after/policy.yaml:1:1), and no rule matches
          1 of 12 conversations change

          """)
      let back = try Command.ciliate(
        "matrix", "\(folder)/before", "--before", "\(folder)/after", "-o", "json")
      #expect(back.code == 3)
      #expect(back.output.contains(#""change":"opened""#))
      let same = try Command.ciliate("matrix", "\(folder)/after", "--before", "\(folder)/after")
      #expect(same.code == 0)
      #expect(same.output == "0 of 12 conversations change\n")
    }
  }

  @Test("Hundreds of workloads: columns by number")
  func many() throws {
    try withFolder { folder in
      let pods = (0..<20).map { number in
        "{apiVersion: v1, kind: Pod, metadata: {name: p\(number), labels: {n: '\(number)'}}, "
          + "spec: {containers: [{name: c, image: i}]}}"
      }
      try pods.joined(separator: "\n---\n").write(
        toFile: "\(folder)/pods.yaml", atomically: true, encoding: .utf8)
      try Self.policy.replacing("app: web", with: "n: '3'").replacing("port: http", with: "port: '80'").write(
        toFile: "\(folder)/policy.yaml", atomically: true, encoding: .utf8)
      let run = try Command.ciliate("matrix", folder, "--no-why")
      #expect(run.code == 0)
      let lines = run.output.split(separator: "\n")
      // In order of their names p3 is the 14th: p0, p1, p10 … p19, p2, p3.
      #expect(lines.contains { $0.hasSuffix("default/p0   .............X......") }, "\(run.output)")
    }
  }

  // MARK: probe

  @Test("Which policies select, which rule decided, which would have; and the walk")
  func probe() throws {
    try withFiles { folder in
      let run = try Command.ciliate(
        "probe", "\(folder)/after", "--from", "workload/db", "--to", "web", "--port", "80", "--explain",
        "--kernel", "off")
      #expect(run.code == 0, "\(run.complaints)")
      #expect(run.output.contains("denied, dropped 133 POLICY_DENIED"))
      #expect(
        run.output.contains(
          "selected for ingress by: CiliumNetworkPolicy default/web (\(folder)/after/policy.yaml:1:1)"))
      #expect(
        run.output.contains(
          "would have: CiliumNetworkPolicy default/web ingress[0].fromEndpoints[0] (\(folder)/after/policy.yaml:7:23): "
            + "it needs app=client, and it is db"), "\(run.output)")
      #expect(run.output.contains("policy ingress of "))
      #expect(run.output.contains("kernel: not run: switched off"))
    }
  }

  @Test("The expected verdict, or 1")
  func expectation() throws {
    try withFiles { folder in
      func code(_ from: String, _ expected: String) throws -> Int32 {
        try Command.ciliate(
          "probe", "\(folder)/after", "--from", from, "--to", "web", "--port", "80", "--expect", expected,
          "--kernel", "off", "--walk", "none"
        ).code
      }
      let codes = [
        try code("client", "allowed"), try code("client", "denied"), try code("workload/db", "denied"),
      ]
      #expect(codes == [0, 1, 0])
    }
  }

  @Test("As JSON: the rule with file and line, and the journeys")
  func probeJSON() throws {
    try withFiles { folder in
      let run = try Command.ciliate(
        "probe", "\(folder)/after", "--from", "client", "--to", "web", "--port", "80/TCP", "-o", "json",
        "--kernel", "off")
      let value = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
      let document = try #require(value)
      #expect(document["schema"] as? String == "ciliate.probe/v1")
      let explanation = try #require((document["explanations"] as? [[String: Any]])?.first)
      let ingress = try #require(explanation["ingress"] as? [String: Any])
      #expect(ingress["verdict"] as? String == "allowed" && ingress["match"] as? String == "L3-L4")
      let location = (ingress["rule"] as? [String: Any])?["location"] as? [String: Any]
      #expect(location?["file"] as? String == "\(folder)/after/policy.yaml" && location?["line"] as? Int == 7)
      #expect((document["journeys"] as? [Any])?.isEmpty == false)
    }
  }

  @Test("A probe to the world needs no host that somebody declared")
  func world() throws {
    try withFiles { folder in
      let run = try Command.ciliate(
        "probe", "\(folder)/after", "--from", "client", "--to", "203.0.113.7", "--port", "443", "--kernel",
        "off", "--walk", "none")
      #expect(run.code == 0)
      #expect(run.output.contains("ok, exit code 0, allowed"))
    }
  }

  @Test(
    "What the README shows is what the commands say",
    arguments: [
      "matrix workloads.yaml policies.yaml proposed.yaml --before workloads.yaml policies.yaml",
      "probe workloads.yaml policies.yaml --from workload/shop/web --to workload/shop/db --port 5432 --explain",
    ])
  func readme(_ line: String) throws {
    let text = try String(contentsOfFile: "\(PackageFolder.path)/README.md", encoding: .utf8)
    let shown = try #require(text.split(separator: "$ ciliate \(line)\n").dropFirst().first)
    let folder = "scenarios/policy/who-reaches-what"
    let arguments = line.split(separator: " ").map { word in
      word.hasSuffix(".yaml") ? "\(folder)/\(word)" : String(word)
    }
    let run = try Command.run(try #require(Command.ciliate), arguments)
    let said = run.output.replacingOccurrences(of: folder + "/", with: "")
    for line in shown.split(separator: "\n").prefix(while: { $0 != "```" }) where line != "…" {
      #expect(said.contains(line), "\(said)")
    }
  }

  // MARK: lint

  @Test("What is found stands on a line of its own, with place, severity and who refuses")
  func lint() throws {
    try withFiles(policy: Self.policy.replacing("protocol: TCP", with: "protocol: TPC")) { folder in
      let run = try Command.ciliate("lint", folder)
      #expect(run.code == 1)
      let lines = run.output.split(separator: "\n")
      #expect(
        lines.contains { line in
          line.hasPrefix("\(folder)/after/policy.yaml:8:") && line.contains("error:")
            && line.contains("(refused by the API server)") && line.hasSuffix("[invalid-value]")
        }, "\(run.output)")
      let sarif = try Command.ciliate("lint", folder, "-o", "sarif")
      #expect(sarif.code == 1)
      #expect(sarif.output.contains(#""version":"2.1.0""#) && sarif.output.contains(#""startLine":8"#))
      let json = try Command.ciliate("lint", folder, "-o", "json")
      #expect(json.output.hasPrefix(#"{"schema":"ciliate.lint/v1","findings":["#))
    }
  }

  @Test("Kinds of peers in one rule: the agent refuses what the API server takes")
  func combined() throws {
    let policy = Self.policy.replacing("      toPorts", with: "      fromEntities: [world]\n      toPorts")
    try withFiles(policy: policy) { folder in
      let run = try Command.ciliate("lint", "\(folder)/after")
      #expect(run.code == 1)
      #expect(run.output.contains("policy.yaml:7:") && run.output.contains("(refused by the Cilium agent)"))
      #expect(run.output.contains("[combined-peers]"))
      // Such a policy has no effect, and says so; everything passes.
      let matrix = try Command.ciliate("matrix", "\(folder)/after", "--port", "80/TCP", "--no-why")
      #expect(matrix.code == 0 && matrix.complaints.contains("[combined-peers]"))
      #expect(!matrix.output.contains("X"))
    }
  }

  @Test("Nothing found: 0, and nothing printed; every id is listed")
  func clean() throws {
    try withFiles { folder in
      let run = try Command.ciliate("lint", "\(folder)/after")
      #expect(run.code == 0 && run.output.isEmpty && run.complaints.isEmpty, "\(run.output)")
      let list = try Command.ciliate("lint", "--list")
      #expect(list.code == 0 && list.output.contains("| `combined-peers`"))
    }
  }

  @Test("Findings that depend on how Cilium was installed")
  func values() throws {
    let policy = Self.policy.replacing(
      "protocol: TCP}]}]", with: "protocol: TCP}], rules: {http: [{path: /x}]}}]")
    try withFiles(policy: policy) { folder in
      try "l7Proxy: false\n".write(toFile: "\(folder)/values", atomically: true, encoding: .utf8)
      #expect(try Command.ciliate("lint", "\(folder)/after").code == 0)
      let run = try Command.ciliate("lint", "\(folder)/after", "--values", "\(folder)/values")
      #expect(run.code == 1 && run.output.contains("[l7-disabled]"))
    }
  }

  // MARK: Bad input

  @Test(
    "Bad usage: 2, with a reason and no output",
    arguments: [
      ["matrix"], ["matrix", "no/such/folder"], ["matrix", "POD", "--port", "http/80"],
      ["matrix", "POD", "--world", "somewhere"], ["matrix", "POD", "--from", "nobody"],
      ["matrix", "POD", "--before", "no/such/folder"], ["matrix", "BAD"],
      ["matrix", "POD", "--family", "ipv5"],
      ["probe", "POD"], ["probe", "POD", "--from", "a//b", "--to", "client"],
      ["probe", "POD", "--from", "svc/x", "--to", "client"],
      ["probe", "POD", "--from", "client", "--to", "a/b/c/d"],
      ["probe", "POD", "--from", "client", "--to", "client", "--port", "70000"],
      ["probe", "POD", "--from", "client", "--to", "client", "--http", "nopath"],
      ["probe", "POD", "--from", "client", "--to", "client", "--header", "X: 1"],
      ["probe", "POD", "--from", "client", "--to", "client", "--expect", "maybe"],
      ["probe", "BAD", "--from", "client", "--to", "client"],
      ["probe", "no/such", "--from", "a", "--to", "b"],
      ["lint"], ["lint", "no/such/file.yaml"], ["lint", "POD", "--profile", "1.2"],
      ["lint", "POD", "--values", "no/such/file"],
    ])
  func usage(_ arguments: [String]) throws {
    try withFolder { folder in
      try Self.pods.write(toFile: "\(folder)/pod.yaml", atomically: true, encoding: .utf8)
      try "{a: [".write(toFile: "\(folder)/bad.yaml", atomically: true, encoding: .utf8)
      let named = arguments.map { argument in
        switch argument {
        case "POD": "\(folder)/pod.yaml"
        case "BAD": "\(folder)/bad.yaml"
        default: argument
        }
      }
      let run = try Command.run(try #require(Command.ciliate), named)
      #expect(run.code == 2, "\(run.output)\(run.complaints)")
      #expect(run.output.isEmpty)
      #expect(!run.complaints.isEmpty)
    }
  }

  @Test("A datapath that is not there: 2, as any input that cannot be read")
  func required() throws {
    try withFiles { folder in
      let run = try Command.ciliate(
        "probe", "\(folder)/after", "--from", "client", "--to", "web", "--port", "80", "--kernel", "required",
        "--datapath", "no/such/folder")
      #expect(run.code == 2 && run.complaints.contains("no/such/folder"))
    }
  }

  @Test("Two runs leave the same octets")
  func determinism() throws {
    try withFiles { folder in
      for arguments in [
        ["matrix", "\(folder)/after"], ["matrix", "\(folder)/after", "-o", "json"],
        [
          "probe", "\(folder)/after", "--from", "client", "--to", "web", "--port", "80", "--explain",
          "--kernel",
          "off", "-o", "json",
        ], ["lint", folder, "-o", "sarif"],
      ] {
        let program = try #require(Command.ciliate)
        let (first, second) = (try Command.run(program, arguments), try Command.run(program, arguments))
        #expect(first.output == second.output && !first.output.isEmpty)
      }
    }
  }
}
