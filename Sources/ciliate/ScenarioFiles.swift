import Glibc
import Manifests

/// Which scenario files paths stand for.
enum ScenarioFiles {
  /// A file stands for itself; a folder for the scenario files in it and below, in order of their names: those
  /// whose text has a line `kind: Scenario`.
  static func find(_ paths: [String]) throws(FileError) -> [String] {
    var files: [String] = []
    for path in paths {
      guard isFolder(path) else {
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
    for name in names(in: folder) where !name.hasPrefix(".") {
      let path = "\(folder)/\(name)"
      if isFolder(path) {
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

  private static func isFolder(_ path: String) -> Bool {
    var info = stat()
    return stat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFDIR
  }

  private static func names(in folder: String) -> [String] {
    guard let directory = opendir(folder) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }
}
