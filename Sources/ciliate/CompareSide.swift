import Conformance
import Datapath
import Explore
import Kernel
import Scenario

/// One side of `ciliate compare` by its name.
struct CompareSide {
  let name: String
  private let builds: DatapathBuilds?

  /// Throws what is wrong with a folder of objects.
  init(_ name: String) throws {
    self.name = name
    switch name {
    case "model": builds = nil
    case "builtin": builds = try .builtin()
    default: builds = try .load(name)
    }
  }

  var needsKernel: Bool { builds != nil }
  /// Whether source positions say nothing.
  var isForeign: Bool { builds?.builds.contains { $0.objects.isForeign } ?? false }

  /// The side for hops without a scenario: of several builds the first.
  func contender() throws -> Contender {
    guard let objects = builds?.builds.first?.objects else { return .model(Model()) }
    return .kernel(KernelCluster(objects: objects))
  }

  /// The side for the nodes of a scenario.
  func contender(for scenario: LoadedScenario) throws -> Contender {
    guard let builds else { return .model(Model()) }
    guard let build = try builds.fitting(scenario) else { return .model(Model()) }
    let forecast = KernelRun(datapath: name).forecast(scenario, [], build.objects.profile)
    return .kernel(KernelCluster(objects: build.objects, forecast: forecast, pool: build.pool))
  }

  /// The instructions of each object file; empty for the model and for several builds, of which none stands for all.
  func sizes() throws -> [String: Int] {
    guard let builds, builds.builds.count == 1 else { return [:] }
    return try builds.builds[0].objects.sizes()
  }
}
