import Manifests
import Runner

/// Which scenario files paths stand for.
enum ScenarioFiles {
  /// A file stands for itself; a folder for the scenario files in it and below, in order of their names: those
  /// whose text has a line `kind: Scenario`.
  static func find(_ paths: [String]) throws(FileError) -> [String] {
    var files: [String] = []
    for path in paths {
      guard Folder.exists(path) else {
        files.append(path)
        continue
      }
      let found = scenarios(in: path.hasSuffix("/") ? String(path.dropLast()) : path, depth: 0)
      guard !found.isEmpty else { throw FileError(path: path, message: "the folder holds no scenario file") }
      files += found
    }
    return files
  }

  private static func scenarios(in folder: String, depth: Int) -> [String] {
    guard depth < 16 else { return [] }
    var files: [String] = []
    for name in Folder.names(in: folder) where !name.hasPrefix(".") {
      let path = "\(folder)/\(name)"
      if Folder.exists(path) {
        files += scenarios(in: path, depth: depth + 1)
      } else if name.hasSuffix(".yaml") || name.hasSuffix(".yml"), isScenario(path) {
        files.append(path)
      }
    }
    return files
  }

  private static func isScenario(_ path: String) -> Bool {
    guard let text = try? readText(path) else { return false }
    return text.split(separator: "\n").contains { $0 == "kind: Scenario" }
  }
}
