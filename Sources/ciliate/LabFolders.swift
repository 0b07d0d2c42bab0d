import Glibc
import Runner

/// Where labs lie.
enum LabFolders {
  /// `scenarios/labs` in the working folder or above it; else in a folder above the binary (a build inside the
  /// package); else `share/ciliate/labs` beside the binary's `bin`.
  static func find() -> String? {
    let binary = executable.map(parents) ?? []
    let places =
      parents(workingFolder + "/.").map { "\($0)/scenarios/labs" } + binary.map { "\($0)/scenarios/labs" }
      + binary.dropFirst().prefix(1).map { "\($0)/share/ciliate/labs" }
    return places.first { !Lab.all(in: $0).labs.isEmpty }
  }

  /// The folders above a path, the nearest first.
  private static func parents(_ path: String) -> [String] {
    var parts = path.split(separator: "/")
    var folders: [String] = []
    while !parts.isEmpty {
      parts.removeLast()
      folders.append(parts.reduce("") { $0 + "/" + $1 })
    }
    return folders
  }

  private static var workingFolder: String {
    guard let path = getcwd(nil, 0) else { return "" }
    defer { free(path) }
    return String(cString: path)
  }

  private static var executable: String? {
    guard let path = realpath("/proc/self/exe", nil) else { return nil }
    defer { free(path) }
    return String(cString: path)
  }
}
