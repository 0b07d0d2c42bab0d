import ArgumentParser
import Capture
import Cluster
import Intent
import Report
import Scenario
import Wire

/// `ciliate matrix`: who can reach what, and by which rule.
struct MatrixCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "matrix", abstract: "Who can reach what, and by which rule.",
    discussion: """
      Every workload of the manifests against every other: . allowed, X denied, 7 through a proxy; then the rule \
      behind each. Unless ports are named, a target is asked about those that it declares, and - stands for the \
      others. Policies alone are asked: whether anybody listens on a port is another question. With --before, \
      what differs between two sets of manifests. Exit codes: 0 shown, 1 something in the manifests is not \
      modelled, 2 bad input, 3 (with --before) something changes.
      """)

  enum Output: String, ExpressibleByArgument, CaseIterable { case text, json }
  enum Follow: String, ExpressibleByArgument, CaseIterable { case cilium, kubernetes }
  enum Family: String, ExpressibleByArgument, CaseIterable { case ipv4, ipv6 }

  @Argument(help: "Manifest files, or folders of them.")
  var manifests: [String]

  @Option(parsing: .upToNextOption, help: "The manifests before a change: shows what it opens and cuts off.")
  var before: [String] = []

  @Option(
    parsing: .upToNextOption,
    help: "Ports like 80/TCP or ICMP; by default all that the workloads declare.")
  var port: [String] = []

  @Option(parsing: .upToNextOption, help: "Sources by name, * for any characters; by default all.")
  var from: [String] = []

  @Option(parsing: .upToNextOption, help: "Targets by name, * for any characters; by default all.")
  var to: [String] = []

  @Option(parsing: .upToNextOption, help: "Addresses outside of the cluster, as sources and targets.")
  var world: [String] = []

  @Flag(help: "Nodes as sources and targets.")
  var nodes = false

  @Option(parsing: .upToNextOption, help: "Helm values files of Cilium.")
  var values: [String] = []

  @Option(help: "The release of Cilium: 1.18, 1.19, 1.20.")
  var profile: Profile = .latest

  @Option(help: "The address family: ipv4, ipv6.")
  var family: Family = .ipv4

  @Option(help: "Where Cilium and the Kubernetes text differ: cilium, kubernetes.")
  var follow: Follow = .cilium

  @Flag(inversion: .prefixedNo, help: "The rules behind the cells.")
  var why = true

  @Option(name: .shortAndLong, help: "Output format.")
  var output: Output = .text

  func run() throws {
    let now = try PolicyInput.read(manifests, values: values, profile: profile)
    let then = before.isEmpty ? nil : try PolicyInput.read(before, values: values, profile: profile)
    let outside = try outside()
    let transports = try transports([now, then].compactMap { $0 }.map(\.cluster))
    let matrix = try matrix(now, outside, transports)
    var code: Int32 = now.isIncomplete || then?.isIncomplete ?? false ? 1 : 0
    if let then {
      let report = MatrixChangeReport(
        before: try self.matrix(then, outside, transports), in: then.cluster, after: matrix, in: now.cluster,
        onlyDeclared: port.isEmpty)
      write(report.text, report.json)
      if !report.isUnchanged { code = 3 }
    } else {
      let report = MatrixReport(matrix, cluster: now.cluster, onlyDeclared: port.isEmpty)
      write({ report.text(explains: why) }, report.json)
    }
    if code != 0 { throw ExitCode(code) }
  }

  private func write(_ text: () -> String, _ json: @autoclosure () -> JSONValue) {
    var output = TextOutput(descriptor: 1)
    switch self.output {
    case .text: output.put(text: text())
    case .json:
      var text = ""
      json().write(into: &text)
      output.put(text: text + "\n")
    }
    output.flush()
  }

  private func matrix(
    _ input: PolicyInput, _ outside: [Subject], _ transports: [Transport]
  ) throws -> Matrix {
    var everyone = Subject.workloads(in: input.cluster)
    if nodes { everyone += input.cluster.nodes.map(Subject.node) }
    everyone += outside
    func chosen(_ patterns: [String]) throws -> [Subject] {
      let result =
        patterns.isEmpty
        ? everyone : everyone.filter { subject in patterns.contains { Self.matches(subject, $0) } }
      if result.isEmpty {
        complain(
          patterns.isEmpty
            ? "the manifests hold no workload" : "no workload is named \(patterns.joined(separator: ", "))")
        throw ExitCode(2)
      }
      return result
    }
    let intent = Intent(
      input.cluster, settings: input.settings,
      options: IntentOptions(follow: follow == .cilium ? .cilium : .kubernetes))
    return intent.matrix(
      from: try chosen(from), to: try chosen(to), on: transports, family: family == .ipv4 ? .ipv4 : .ipv6)
  }

  private static func matches(_ subject: Subject, _ pattern: String) -> Bool {
    matchesGlob("\(subject)", pattern) || matchesGlob("\(subject)", "default/\(pattern)")
  }

  private func outside() throws -> [Subject] {
    try world.map { text in
      guard let address = IPAddress(text) else {
        complain("--world: \"\(text)\" is no address; expected one like 203.0.113.7")
        throw ExitCode(2)
      }
      return .world(address)
    }
  }

  private func transports(_ clusters: [ClusterState]) throws -> [Transport] {
    if !port.isEmpty {
      return try port.map { text in
        guard let port = ProbePort(text) else {
          complain("--port: \"\(text)\" is no port; expected one like 80/TCP, 53/UDP or ICMP")
          throw ExitCode(2)
        }
        return Transport(port, family: family == .ipv4 ? .ipv4 : .ipv6)
      }
    }
    var declared: Set<Transport> = []
    for subject in clusters.flatMap(Subject.workloads) {
      for port in subject.ports { declared.insert(Transport(port.transport, port.number)) }
    }
    let ports = declared.sorted { ($0.number(.ipv4), $0.port) < ($1.number(.ipv4), $1.port) }
    return ports.isEmpty ? [.tcp(80)] : ports
  }
}

extension Transport {
  /// What a probe's port stands for; ICMP is an echo request.
  init(_ port: ProbePort, family: AddressFamily) {
    switch port.transport {
    case .tcp: self = .tcp(port.number)
    case .udp: self = .udp(port.number)
    case .sctp: self = .sctp(port.number)
    case .icmp, .icmpv6: self = .icmp(type: family == .ipv4 ? 8 : 128)
    }
  }
}
