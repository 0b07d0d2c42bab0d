import ArgumentParser
import Capture
import Cluster
import Kernel
import Manifests
import Report
import Runner
import Scenario
import Wire

/// `ciliate probe`: one conversation, from the manifests alone.
struct ProbeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "probe", abstract: "One conversation: what comes of it, by which rule, and its walk.",
    discussion: """
      For example: ciliate probe manifests/ --from default/client --to svc/default/web --port 80 --explain. Without \
      Node objects or a kind configuration there are two nodes. Exit codes: 0 tried (and as expected with \
      --expect), 1 not as expected, not modelled, or manifests and packets disagree, 2 bad input, 3 model and kernel \
      differ, 4 the kernel was required and cannot be had.
      """)

  enum Output: String, ExpressibleByArgument, CaseIterable { case text, json }

  @Argument(help: "Manifest files, or folders of them.")
  var manifests: [String]

  @Option(help: "Who sends: pod, ns/pod, workload/ns/name, node/NAME, or an address outside of the cluster.")
  var from: String

  @Option(help: "To whom: the same, svc/ns/name, an address, or a URL.")
  var to: String

  @Option(help: "A port like 80, 80/TCP or ICMP.")
  var port: String?

  @Option(help: "The port's protocol: TCP, UDP, SCTP, ICMP, ICMPv6.")
  var proto: String?

  @Option(help: "An HTTP request: PATH, or METHOD PATH.")
  var http: String?

  @Option(parsing: .upToNextOption, help: "Headers of the HTTP request, like \"X-Name: value\".")
  var header: [String] = []

  @Flag(help: "Which policies select the ends, which rule decided, which would have.")
  var explain = false

  @Option(help: "The verdict to be expected: allowed, denied, redirected.")
  var expect: PolicyVerdict?

  @Option(parsing: .upToNextOption, help: "Helm values files of Cilium.")
  var values: [String] = []

  @Option(help: "The release of Cilium: 1.18, 1.19, 1.20.")
  var profile: Profile = .latest

  @Option(help: "Whether hops are compared with the kernel: auto, required, off.")
  var kernel: RunCommand.KernelChoice = .auto

  @Option(help: "The kernel's programs: builtin, or a folder of Cilium's compiled objects.")
  var datapath = "builtin"

  @Option(help: "Which packets are walked through: none, first or all.")
  var walk: RunCommand.WalkChoice = .first

  @Option(name: .shortAndLong, help: "Output format.")
  var output: Output = .text

  func run() throws {
    let (loaded, findings) = ScenarioLoader.load(try scenario())
    for finding in findings where loaded == nil || finding.severity != .warning { complain("\(finding)") }
    guard let loaded else { throw ExitCode(2) }

    let runner = KernelRun(datapath: datapath, explains: true)
    var status = KernelStatus(ran: false, reason: "switched off", datapath: datapath)
    var builds: DatapathBuilds?
    if kernel != .off {
      do { (builds, status) = try runner.open(Doctor.examine()) } catch {
        complain("\(error)")
        throw ExitCode(error is UnknownOptions ? 4 : 2)
      }
    }
    if builds == nil, kernel == .required {
      complain("kernel required: \(status.reason ?? "not available")")
      throw ExitCode(4)
    }
    let result = runner.run(loaded, findings, try builds?.fitting(loaded))
    let outcome = Runner.Outcome(seed: loaded.scenario.seed, kernel: status, scenarios: [result])
    write(outcome, loaded)
    let code = RunSession.exitCode(
      outcome, isKernelRequired: kernel == .required, isForeign: datapath != "builtin")
    if code != 0 { throw ExitCode(code) }
  }

  private func write(_ outcome: Runner.Outcome, _ loaded: LoadedScenario) {
    let report = ProbeReport(outcome) { policy in
      loaded.clusters.first?.state[policy]?.location ?? .none
    }
    var out = TextOutput(descriptor: 1)
    switch output {
    case .text:
      let walks: TextReport.Walks =
        switch walk {
        case .none: .none
        case .first: .first
        case .all: .all
        }
      out.put(text: report.text(explains: explain, TextReport(walks: walks)))
    case .json:
      var text = ""
      report.json.write(into: &text)
      out.put(text: text + "\n")
    }
    out.flush()
  }

  // MARK: The scenario

  private func scenario() throws -> ScenarioFile {
    let files = try orComplain { try YAMLFiles.find(.manifest, manifests) }
    var scenario = ScenarioFile(file: "probe")
    scenario.name = "probe"
    scenario.cilium.profile = profile
    scenario.cilium.values = values.map { .file(Located(globEscaped($0))) }
    scenario.manifests = files.map { Located(globEscaped($0)) }
    let known = try ManifestFiles.read(manifests, profile: profile)
    let cluster = ClusterState(known.objects)
    if cluster.nodes.isEmpty, known.kindConfigurations.isEmpty {
      var plan = ClusterPlan()
      plan.nodes = Self.nodes(for: cluster)
      scenario.clusters = [plan]
    }
    let probe = try probe(&scenario, known)
    var step = Step(
      name: "\(from) → \(to)\(probe.port.map { " \($0)" } ?? "")", verb: .probe(probe))
    if let expect {
      var expectation = Expectation()
      expectation.verdict = Located(expect)
      step.expect = expectation
    }
    scenario.steps = [step]
    return scenario
  }

  /// Two nodes, or those that pods name.
  private static func nodes(for cluster: ClusterState) -> [Node] {
    var names = Set(cluster.pods.compactMap(\.spec.nodeName))
    names.formUnion(cluster.workloads.compactMap(\.template.spec.nodeName))
    for name in ["node-1", "node-2"] where names.count < 2 { names.insert(name) }
    return names.sorted().map { Node(metadata: Metadata(name: $0)) }
  }

  private func probe(_ scenario: inout ScenarioFile, _ known: ManifestSet) throws -> Probe {
    guard let target = ProbeTarget(to) else {
      throw bad(
        "--to: \"\(to)\" is no place; expected pod, ns/pod, svc/ns/name, node/NAME, an address or a URL")
    }
    guard let place = ProbeTarget(from) else {
      throw bad("--from: \"\(from)\" is no place; expected pod, ns/pod, node/NAME or an address")
    }
    var source = ProbeSource(place)
    if case .address(let address) = place {
      scenario.external.append(ExternalHost(name: "\(address)", addresses: [address]))
      source = .external("\(address)")
    }
    guard let source else {
      throw bad("--from: \(from) cannot send; expected a pod, node/NAME or an address")
    }
    var probe = Probe(from: source, to: target, port: try probePort())
    probe.http = try request()
    if case .url = target {
      // It names its port itself.
    } else if probe.http != nil, probe.port == nil {
      probe.port = ProbePort(80)
    }
    if let (address, port) = Self.address(of: target, probe), !Self.isInCluster(address, known) {
      // Somebody who answers: it is the policies that are asked about.
      var host = ExternalHost(name: "\(address)", addresses: [address])
      if let port, let transport = TransportProtocol(rawValue: port.transport.rawValue) {
        host.servers = [.init(port: port.number, transport: transport)]
      }
      scenario.external.append(host)
    }
    return probe
  }

  private static func address(of target: ProbeTarget, _ probe: Probe) -> (IPAddress, ProbePort?)? {
    switch target {
    case .address(let address): (address, probe.port)
    case .url(let url): IPAddress(url.host).map { ($0, probe.port ?? ProbePort(url.effectivePort)) }
    default: nil
    }
  }

  private static func isInCluster(_ address: IPAddress, _ known: ManifestSet) -> Bool {
    let cluster = ClusterState(known.objects)
    var networks = ClusterNetwork.kindPodCIDRs + ClusterNetwork.kindServiceCIDRs
    networks += ClusterNetwork.kindPodCIDRsIPv6 + ClusterNetwork.kindServiceCIDRsIPv6
    networks += known.kindConfigurations.flatMap { $0.network.podCIDRs + $0.network.serviceCIDRs }
    networks += cluster.nodes.flatMap(\.podCIDRs)
    return networks.contains { $0.contains(address) }
      || cluster.nodes.contains { $0.addresses.contains(address) }
      || cluster.pods.contains { $0.podIPs.contains(address) }
  }

  private func probePort() throws -> ProbePort? {
    let text = [port, proto].compactMap { $0 }.joined(separator: "/")
    guard !text.isEmpty else { return nil }
    guard let parsed = ProbePort(text) else {
      throw bad("--port: \"\(text)\" is no port; expected one like 80/TCP, 53/UDP or ICMP")
    }
    return parsed
  }

  private func request() throws -> Probe.HTTPRequest? {
    guard let http else {
      if !header.isEmpty { throw bad("--header needs --http") }
      return nil
    }
    var request = Probe.HTTPRequest()
    let words = http.split(separator: " ")
    switch words.count {
    case 1: request.path = String(words[0])
    case 2:
      request.method = String(words[0])
      request.path = String(words[1])
    default: throw bad("--http: expected PATH or METHOD PATH, found \"\(http)\"")
    }
    guard request.path.hasPrefix("/") else {
      throw bad("--http: the path \"\(request.path)\" does not begin with /")
    }
    for line in header {
      guard let colon = line.firstIndex(of: ":") else { throw bad("--header: \"\(line)\" has no colon") }
      let value = line[line.index(after: colon)...]
      request.headers[String(line[..<colon])] = String(value.drop { $0 == " " })
    }
    return request
  }

  private func bad(_ message: String) -> ExitCode {
    complain(message)
    return ExitCode(2)
  }
}

extension PolicyVerdict: ExpressibleByArgument {}
