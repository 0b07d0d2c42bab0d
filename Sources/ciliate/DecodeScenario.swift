import Capture
import Cluster
import Manifests
import Runner
import Scenario

/// A Ciliate scenario as the source of names and of expectations for captures. It is run on the model alone.
struct DecodeScenario {
  private let path: String
  let outcome: ScenarioOutcome

  /// Whether a path names a scenario: a folder, or a YAML file; the other sources are JSON, tables and captures.
  static func isNamed(by path: String) -> Bool {
    path.hasSuffix(".yaml") || path.hasSuffix(".yml") || Folder.exists(path)
  }

  /// Runs the scenario; an error when there is none, more than one, or one that cannot be read.
  init(path: String) throws(CaptureError) {
    self.path = path
    let files: [String]
    do { files = try YAMLFiles.find(.scenario, [path]) } catch {
      throw CaptureError(file: path, reason: error.message)
    }
    guard files.count == 1 else {
      throw CaptureError(
        file: path, reason: "holds \(files.count) scenarios, name one: \(files.joined(separator: ", "))")
    }
    let (loaded, findings) = ScenarioLoader.load(files[0])
    guard let loaded else {
      // A finding names its file.
      let errors = findings.filter { $0.severity == .error }.map { "\($0)" }
      throw CaptureError(file: path, reason: "no scenario to be read: " + errors.joined(separator: "; "))
    }
    outcome = ScenarioRunner.run(loaded, findings: findings, seed: nil, observer: NoObserver())
  }

  /// What has to be said of the scenario itself, for its expectation to be believed.
  var remark: String? {
    switch outcome.result {
    case .pass, .skipped: nil
    case let result: "\(path): the scenario itself ends with \(result.rawValue)"
    }
  }
}
