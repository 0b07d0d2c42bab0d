import ArgumentParser
import Cluster
import Manifests
import Runner

/// The manifests that a question about policies is asked of, and how Cilium was installed.
struct PolicyInput {
  var cluster: ClusterState
  var settings: Settings
  /// Whether something in the files means more than the model knows.
  var isIncomplete: Bool

  /// Reads manifests and Helm values, and complains about what was found in them.
  ///
  /// A policy that the agent refuses has no effect in a cluster either, and is left out; what cannot be applied at
  /// all is bad input.
  static func read(_ paths: [String], values files: [String], profile: Profile) throws -> PolicyInput {
    let manifests = try ManifestFiles.read(paths, profile: profile)
    let (settings, settingFindings) = try settings(files, profile: profile)
    let findings = manifests.findings + settingFindings
    for finding in findings { complain("\(finding)") }
    if findings.contains(where: { $0.severity == .error && $0.authority != .agent }) { throw ExitCode(2) }
    return PolicyInput(
      cluster: ClusterState(manifests.objects), settings: settings,
      isIncomplete: findings.contains { $0.severity == .unmodelled })
  }

  /// What Helm values files make of Cilium's settings.
  static func settings(_ files: [String], profile: Profile) throws -> (Settings, [Finding]) {
    var values: [YAMLValue] = []
    for file in files {
      do {
        values += try YAMLReader(file: file).documents(try orComplain { try readText(file) })
      } catch let error as YAMLSyntaxError {
        complain("\(error.finding)")
        throw ExitCode(2)
      }
    }
    return HelmValues(profile: profile).settings(values)
  }
}

/// Manifest files as commands take them: named one by one, or by their folders.
enum ManifestFiles {
  static func read(_ paths: [String], profile: Profile = .latest) throws -> ManifestSet {
    var all = ManifestSet()
    for file in try orComplain({ try YAMLFiles.find(.manifest, paths) }) {
      all.append(ManifestReader(profile: profile).read(try orComplain { try readText(file) }, file: file))
    }
    // Those within a file are there already.
    all.findings += ManifestReader.duplicates(in: all.objects).filter { !all.findings.contains($0) }
    return all
  }
}

/// Turns an error into a complaint and exit code 2.
func orComplain<Value>(_ body: () throws -> Value) throws -> Value {
  do {
    return try body()
  } catch {
    complain("\(error)")
    throw ExitCode(2)
  }
}

extension Profile: ExpressibleByArgument {}
