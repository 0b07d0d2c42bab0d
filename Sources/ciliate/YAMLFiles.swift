import Manifests
import Runner

/// Which files paths stand for: a file for itself, a folder for the files of one sort in it and below, in order of
/// their names.
enum YAMLFiles {
  enum Sort {
    /// A line `kind: Scenario`.
    case scenario
    /// An object of another kind: no scenario or lab, no Helm values.
    case manifest

    /// What `text` is, if it is either.
    init?(_ text: String) {
      let lines = text.split(whereSeparator: \.isNewline)
      let kinds = lines.filter { $0.hasPrefix("kind:") }
      // Objects on one line, and JSON.
      let isFlow =
        lines.contains { $0.hasPrefix("{") } && (text.contains("kind:") || text.contains("\"kind\""))
      if kinds.isEmpty && !isFlow || kinds.contains("kind: Lab") { return nil }
      self = kinds.contains { $0 == "kind: Scenario" } ? .scenario : .manifest
    }

    var name: String { self == .scenario ? "scenario" : "manifest" }
  }

  static func find(_ sort: Sort, _ paths: [String]) throws(FileError) -> [String] {
    var files: [String] = []
    for path in paths {
      guard Folder.exists(path) else {
        files.append(path)
        continue
      }
      let found = all(sort, in: path.hasSuffix("/") ? String(path.dropLast()) : path, depth: 0)
      guard !found.isEmpty else {
        throw FileError(path: path, message: "the folder holds no \(sort.name) file")
      }
      files += found
    }
    return files
  }

  private static func all(_ sort: Sort, in folder: String, depth: Int) -> [String] {
    guard depth < 16 else { return [] }
    var files: [String] = []
    for name in Folder.names(in: folder) where !name.hasPrefix(".") {
      let path = "\(folder)/\(name)"
      if Folder.exists(path) {
        files += all(sort, in: path, depth: depth + 1)
      } else if [".yaml", ".yml", ".json"].contains(where: name.hasSuffix), let text = try? readText(path),
        Sort(text) == sort
      {
        files.append(path)
      }
    }
    return files
  }
}
