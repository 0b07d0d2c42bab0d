import Cluster
import ControlPlane
import Manifests
public import Scenario

extension FuzzWorld {
  /// Each node of a scenario's cluster as its agent renders it, after what the first `steps` steps apply.
  public static func nodes(of loaded: LoadedScenario, applying steps: Int = 0) -> [FuzzWorld] {
    guard let cluster = loaded.clusters.first else { return [] }
    var state = cluster.state
    for step in 0..<steps {
      for object in loaded.stepManifests[step]?.objects ?? [] { state.apply(object) }
    }
    var plane = ControlPlane(settings: cluster.settings, network: cluster.network)
    _ = plane.reconcile(state)
    return plane.nodes.map { FuzzWorld("\(loaded.scenario.name), \($0.name)", plane, node: $0.name) }
  }
}
