import ArgumentParser
import Capture
import Cluster
import Conformance
import Kernel
import Runner
import Scenario

/// `ciliate record`: a brought-along datapath's answers, kept as data.
struct RecordCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "record", abstract: "Keep what a brought-along datapath makes of the hops of scenarios.",
    discussion: """
      Writes NAME.hops for each scenario: every hop that is unlike those before it, with its input, the maps it ran \
      in, and the answer. Tests replay them without the objects. Exit codes: 0 recorded, 2 bad input, 3 the model \
      differs from an answer (recorded all the same), 4 the kernel or the objects cannot run the scenario.
      """)

  @Argument(help: "Scenario files, or folders of them.")
  var paths: [String]

  @Option(help: "A folder of Cilium's compiled objects, or a folder of such folders.")
  var datapath: String

  @Option(help: "The folder to write into.")
  var to: String

  func run() throws {
    if let reason = Doctor.examine().reason { try stop("the kernel is needed: \(reason)", 4) }
    var builds: DatapathBuilds
    do { builds = try .load(datapath) } catch {
      complain("\(error)")
      throw ExitCode(error is UnknownOptions ? 4 : 2)
    }
    var scenarios: [LoadedScenario] = []
    for file in try orStop({ try YAMLFiles.find(.scenario, paths) }) {
      let (scenario, findings) = ScenarioLoader.load(file)
      guard let scenario else {
        for finding in findings where finding.severity == .error { complain("\(finding)") }
        throw ExitCode(2)
      }
      scenarios.append(scenario)
    }
    if let reason = Folder.make(to) { try stop("\(to): \(reason)", 2) }
    var code: Int32 = 0
    for scenario in scenarios { code = max(code, try record(scenario, builds)) }
    if code != 0 { throw ExitCode(code) }
  }

  private func record(_ scenario: LoadedScenario, _ builds: DatapathBuilds) throws -> Int32 {
    let name = scenario.scenario.name
    guard let build = try builds.fitting(scenario) else { return 4 }
    let recording = RecordingText(build.objects.profile, scenario: name)
    let recorder = Recorder(KernelCluster(objects: build.objects), build.objects.profile, into: recording)
    let outcome = ScenarioRunner.run(
      scenario, findings: [], seed: nil, profile: build.objects.profile, observer: recorder)
    let agreement = outcome.agreement
    for entry in agreement.notRun { complain("\(name): not run: \(entry.count) hops: \(entry.reason)") }
    for divergence in agreement.divergences.prefix(20) {
      complain(
        "\(name): differs: \(divergence.node)/\(divergence.device):\(divergence.hook): "
          + "\(divergence.field.rawValue): model \(divergence.expected), recorded \(divergence.found)")
    }
    if agreement.ranNothing { return 4 }
    let file = "\(to)/\(Artifacts.fileName(name)).hops"
    try OutputFile.write(Array(recording.text.utf8), to: file)
    var output = TextOutput(descriptor: 1)
    output.put(line: "\(file): \(recording.hops) of \(agreement.compared) hops recorded")
    output.flush()
    return agreement.divergences.isEmpty ? 0 : 3
  }

  private func orStop<Value>(_ body: () throws -> Value) throws -> Value {
    do { return try body() } catch {
      complain("\(error)")
      throw ExitCode(2)
    }
  }

  private func stop(_ message: String, _ code: Int32) throws {
    complain(message)
    throw ExitCode(code)
  }
}
