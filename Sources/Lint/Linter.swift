import Cluster
import Intent
import Manifests

/// Looks for what is refused late and for what is legal and seldom meant.
public struct Linter {
  let cluster: ClusterState
  let settings: Settings
  var found: [Finding] = []

  /// The findings of a set of manifests, those of reading them included, in the order of the files.
  public static func findings(in manifests: ManifestSet, settings: Settings = Settings()) -> [Finding] {
    let own = findings(in: ClusterState(manifests.objects), settings: settings)
    return (manifests.findings + own).inOrder
  }

  /// The findings of the policies of a cluster.
  ///
  /// What depends on pods is looked for only where there are any: a policy by itself selects nothing yet.
  public static func findings(in cluster: ClusterState, settings: Settings = Settings()) -> [Finding] {
    var linter = Linter(cluster: cluster, settings: settings)
    linter.lintCiliumPolicies()
    linter.lintNetworkPolicies()
    linter.lintReach()
    return linter.found.inOrder
  }

  private init(cluster: ClusterState, settings: Settings) {
    self.cluster = cluster
    self.settings = settings
  }

  mutating func add(_ rule: LintRule, _ location: SourceLocation, _ message: String) {
    found.append(
      Finding(
        id: rule.rawValue, severity: rule.severity, at: location, message,
        authority: rule.isRefusal ? .agent : nil))
  }
}

extension [Finding] {
  /// By place, then id and words; each once.
  fileprivate var inOrder: [Finding] {
    var result: [Finding] = []
    let sorted = sorted {
      ($0.location, $0.id, $0.message) < ($1.location, $1.id, $1.message)
    }
    for finding in sorted where result.last != finding { result.append(finding) }
    return result
  }
}

extension SourceLocation {
  func or(_ other: SourceLocation) -> SourceLocation { isKnown ? self : other }
}
