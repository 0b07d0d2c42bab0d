import Cluster
import ControlPlane

extension ControlPlaneFinding {
  /// The same in the form that files' findings have.
  var asClusterFinding: Cluster.Finding {
    let severity: Cluster.Finding.Severity =
      switch self.severity {
      case .warning: .warning
      case .error: .error
      case .unmodelled: .unmodelled
      }
    let subject = object.map { "\($0): " } ?? ""
    return Cluster.Finding(id: "control-plane", severity: severity, at: location, subject + message)
  }
}
