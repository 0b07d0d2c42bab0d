import Cluster
import Manifests

/// A scenario with everything that its file names.
public struct LoadedScenario: Equatable, Sendable {
  public struct LoadedCluster: Equatable, Sendable {
    public var settings: Settings
    public var network: ClusterNetwork
    /// The nodes, with their addresses, and the objects of the manifests.
    public var state: ClusterState
    /// The manifests' documents, for patches.
    public var manifests: ManifestSet

    public init(settings: Settings, network: ClusterNetwork, state: ClusterState, manifests: ManifestSet) {
      self.settings = settings
      self.network = network
      self.state = state
      self.manifests = manifests
    }
  }

  public var scenario: ScenarioFile
  /// At least one.
  public var clusters: [LoadedCluster]
  /// The manifests of `apply` and `delete` steps, by the step's position.
  public var stepManifests: [Int: ManifestSet]
  /// The settings of the first cluster after `config` steps, by the step's position.
  public var stepSettings: [Int: Settings]

  public init(
    scenario: ScenarioFile, clusters: [LoadedCluster], stepManifests: [Int: ManifestSet] = [:],
    stepSettings: [Int: Settings] = [:]
  ) {
    self.scenario = scenario
    self.clusters = clusters
    self.stepManifests = stepManifests
    self.stepSettings = stepSettings
  }
}
