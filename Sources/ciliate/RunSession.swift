import ArgumentParser
import Capture
import Cluster
import Conformance
import Datapath
import Glibc
import Kernel
import Report
import Runner
import Scenario

/// One run of `ciliate run`.
struct RunSession {
  let command: RunCommand

  init(_ command: RunCommand) { self.command = command }

  /// Runs everything and prints the report; gives the exit code.
  func run() throws -> Int32 {
    let files: [String]
    do {
      files = try YAMLFiles.find(.scenario, command.paths)
    } catch {
      complain("\(error)")
      return 2
    }
    var badInput = false
    var loaded: [(LoadedScenario, [Finding])] = []
    for file in files {
      let (scenario, findings) = ScenarioLoader.load(file)
      for finding in findings where scenario == nil && finding.severity == .error { complain("\(finding)") }
      if let scenario { loaded.append((scenario, findings)) } else { badInput = true }
    }
    if badInput { return 2 }

    let wanted = loaded.map { choice($0.0) }
    var status = KernelStatus(ran: false, reason: "switched off", datapath: command.datapath)
    var builds: DatapathBuilds?
    let kernel = KernelRun(
      datapath: command.datapath, seed: command.seed, checkMaps: command.checkMaps)
    var firstForecast: ProgramForecast?
    if let first = wanted.firstIndex(where: { $0 != .off }) {
      // While the model runs the first scenario, another thread looks at what this machine can do. Which version a
      // brought-along build follows is not known yet.
      let examination = Doctor.Examination(Doctor.packets)
      if command.datapath == "builtin" {
        firstForecast = kernel.forecast(loaded[first].0, loaded[first].1, .current)
      }
      do { (builds, status) = try kernel.open(examination.finish()) } catch {
        complain("\(error)")
        return error is UnknownOptions ? 4 : 2
      }
    }
    if builds == nil, wanted.contains(.required) {
      complain("kernel required: \(status.reason ?? "not available")")
      return 4
    }
    var outcome = Runner.Outcome(
      seed: command.seed ?? loaded.first?.0.scenario.seed ?? 1, kernel: status, scenarios: [])
    for ((scenario, findings), choice) in zip(loaded, wanted) {
      let build = choice == .off ? nil : try builds?.fitting(scenario)
      outcome.scenarios.append(
        kernel.run(scenario, findings, build, forecast: build == nil ? nil : firstForecast))
      if build != nil { firstForecast = nil }
    }
    try write(outcome)
    for scenario in outcome.scenarios where wanted.contains(.required) && scenario.agreement.ranNothing {
      complain(
        "\(scenario.name): no hop could be run: \(scenario.agreement.notRun.first?.reason ?? "")")
    }
    return Self.exitCode(
      outcome, isKernelRequired: wanted.contains(.required), isForeign: command.datapath != "builtin")
  }

  private func choice(_ scenario: LoadedScenario) -> ScenarioFile.KernelUse {
    switch command.kernel {
    case .auto: .auto
    case .required: .required
    case .off: .off
    case nil: scenario.scenario.kernel
    }
  }

  private func write(_ outcome: Runner.Outcome) throws {
    if let folder = command.pcap { try Artifacts.writeCaptures(outcome, to: folder) }
    if let file = command.junitFile { try OutputFile.write(Array(JUnitReport.text(outcome).utf8), to: file) }
    let text: String
    switch command.output {
    case .json: text = JSONReport.text(outcome)
    case .text:
      let walks: TextReport.Walks =
        switch command.walk {
        case .none?: .none
        case .all?: .all
        case .first?: .first
        case nil: outcome.scenarios.count == 1 ? .first : .none
        }
      text = TextReport(walks: walks, showsMaps: command.maps, style: isColoured ? .coloured : .plain).text(
        outcome)
    }
    var output = TextOutput(descriptor: 1)
    output.put(text: text)
    output.flush()
  }

  private var isColoured: Bool {
    switch command.color {
    case .always: true
    case .never: false
    case .auto: isatty(1) == 1 && getenv("NO_COLOR") == nil
    }
  }

  /// 4 before 3 before 1, as the contract says; skipped alone is 0.
  ///
  /// Where the kernel is required, our own programs must run every hop. A brought-along build need not: what it
  /// was not compiled for is counted; but it must run something.
  static func exitCode(_ outcome: Runner.Outcome, isKernelRequired: Bool, isForeign: Bool) -> Int32 {
    let agreements = outcome.scenarios.map(\.agreement)
    if isKernelRequired, !outcome.kernel.ran || agreements.allSatisfy(\.ranNothing) { return 4 }
    if agreements.contains(where: { !$0.divergences.isEmpty }) { return 3 }
    if isKernelRequired, agreements.contains(where: { isForeign ? $0.failed > 0 : !$0.notRun.isEmpty }) {
      return 3
    }
    return outcome.scenarios.contains { $0.result > .skipped } ? 1 : 0
  }
}

extension ProgramForecast: ScenarioObserver {
  public var agreement: Agreement { Agreement() }
}

/// What a run leaves behind.
enum Artifacts {
  /// `NAME.pcapng` with every device, and `NAME-NODE.pcap` of each node's native device.
  static func writeCaptures(_ outcome: Runner.Outcome, to folder: String) throws(CaptureError) {
    if mkdir(folder, 0o755) != 0, errno != EEXIST {
      throw CaptureError(file: folder, reason: "cannot make the folder: \(String(cString: strerror(errno)))")
    }
    for scenario in outcome.scenarios {
      let capture = JourneyCapture(
        scenario.journeys, comment: "scenario \(scenario.name), seed \(outcome.seed)")
      let base = "\(folder)/\(fileName(scenario.name))"
      try OutputFile.write(capture.pcapng, to: "\(base).pcapng")
      for named in scenario.captures {
        try OutputFile.write(named.pcap, to: "\(base)-\(fileName(named.name)).pcap")
      }
      for underlay in capture.underlays {
        try OutputFile.write(underlay.pcap, to: "\(base)-\(fileName(underlay.node)).pcap")
      }
    }
  }

  /// A name without anything that a path could stumble over.
  static func fileName(_ name: String) -> String {
    String(name.map { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" || $0 == "." ? $0 : "-" })
  }
}
