import Cluster
import Conformance
import Datapath
import Kernel
import Runner
import Scenario

/// Runs scenarios on the model, and beside it in the kernel where there is one.
struct KernelRun {
  /// `builtin`, or a folder of Cilium's compiled objects.
  var datapath: String
  var seed: UInt64?
  var checkMaps = RunCommand.MapCheck.conversation
  /// Whether probes come with what policies say of them.
  var explains = false

  /// The programs to compare with; nil, with the reason, where this machine has no kernel for them.
  ///
  /// Throws when a datapath was brought along and cannot be used as it is.
  func open(_ doctor: Doctor) throws -> (DatapathBuilds?, KernelStatus) {
    var status = KernelStatus(ran: false, reason: nil, datapath: datapath)
    if let reason = doctor.reason {
      status.reason = reason
      return (nil, status)
    }
    Leftovers.sweep()
    let builds = try datapath == "builtin" ? .builtin() : DatapathBuilds.load(datapath)
    status.ran = true
    return (builds, status)
  }

  /// What the kernel will have to load: the model alone is quick, and tells it.
  func forecast(
    _ scenario: LoadedScenario, _ findings: [Finding], _ profile: DatapathProfile
  ) -> ProgramForecast {
    let forecast = ProgramForecast()
    _ = ScenarioRunner.run(scenario, findings: findings, seed: seed, profile: profile, observer: forecast)
    return forecast
  }

  /// - Parameters:
  ///   - build: nil for the model alone.
  ///   - known: what the kernel will have to load, where that was found out before.
  func run(
    _ scenario: LoadedScenario, _ findings: [Finding], _ build: DatapathBuilds.Build?,
    forecast known: ProgramForecast? = nil
  ) -> ScenarioOutcome {
    guard let build else { return run(scenario, findings, .current, NoObserver()) }
    if build.folder != datapath { complain("\(scenario.scenario.name): datapath \(build.folder)") }
    let profile = build.objects.profile
    let forecast = known ?? forecast(scenario, findings, profile)
    let kernel = KernelCluster(objects: build.objects, forecast: forecast, pool: build.pool)
    let foreign = build.objects.isForeign
    return switch checkMaps {
    case .hop: run(scenario, findings, profile, Replay(kernel, foreign: foreign, profile: profile))
    case .conversation:
      run(scenario, findings, profile, ConversationReplay(kernel, foreign: foreign, profile: profile))
    }
  }

  private func run<Observer: ScenarioObserver & ~Copyable>(
    _ scenario: LoadedScenario, _ findings: [Finding], _ profile: DatapathProfile,
    _ observer: consuming Observer
  ) -> ScenarioOutcome {
    ScenarioRunner.run(
      scenario, findings: findings, seed: seed, profile: profile, explains: explains, observer: observer)
  }
}
