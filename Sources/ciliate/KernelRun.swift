import Cluster
import Conformance
import Kernel
import Runner
import Scenario

/// Runs scenarios on the model, and beside it in the kernel where there is one.
struct KernelRun {
  /// `builtin`, or a folder of Cilium's compiled objects.
  var datapath: String

  /// The programs to compare with; nil, with the reason, where they cannot be had.
  func open() -> (DatapathBuilds?, KernelStatus) {
    var status = KernelStatus(ran: false, reason: nil, datapath: datapath)
    if let reason = Doctor.examine().reason {
      status.reason = reason
      return (nil, status)
    }
    do {
      let builds = try datapath == "builtin" ? .builtin() : DatapathBuilds.load(datapath)
      status.ran = true
      return (builds, status)
    } catch {
      status.reason = "\(error)"
      return (nil, status)
    }
  }

  /// - Parameter build: nil for the model alone.
  func run(
    _ scenario: LoadedScenario, _ findings: [Finding], _ build: DatapathBuilds.Build?, seed: UInt64?,
    explains: Bool = false
  ) -> ScenarioOutcome {
    guard let build else {
      return ScenarioRunner.run(
        scenario, findings: findings, seed: seed, explains: explains, observer: NoObserver())
    }
    if build.folder != datapath { complain("\(scenario.scenario.name): datapath \(build.folder)") }
    // The model alone is quick: it tells what the kernel will have to load.
    let forecast = ProgramForecast()
    _ = ScenarioRunner.run(scenario, findings: findings, seed: seed, observer: forecast)
    let replay = Replay(
      KernelCluster(objects: build.objects, forecast: forecast), foreign: build.objects.isForeign)
    return ScenarioRunner.run(scenario, findings: findings, seed: seed, explains: explains, observer: replay)
  }
}
