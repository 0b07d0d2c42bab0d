import Foundation

/// Files by pattern: `*`, `?` and `[a-z]` within a name, `**` for any number of folders. Names in order of their
/// octets; hidden ones only where the pattern begins with a dot too.
struct Glob {
  /// No more than this many files, and folders this deep, are looked at.
  private static let mostFiles = 10_000
  private static let deepest = 16

  /// A folder, `""` for the working one.
  let base: String

  /// The files that a pattern names, relative paths joined to the base; a folder stands for the manifests in it.
  func files(_ pattern: String) -> [String] {
    if pattern.hasPrefix("/") {
      return Glob(base: "/").expand(Glob.parts(pattern), from: "/", depth: 0)
    }
    return expand(Glob.parts(pattern), from: base, depth: 0)
  }

  private static func parts(_ pattern: String) -> [String] {
    pattern.split(separator: "/").map(String.init).filter { $0 != "." }
  }

  private func join(_ folder: String, _ name: String) -> String {
    if folder.isEmpty { return name }
    return folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
  }

  private func expand(_ parts: [String], from folder: String, depth: Int) -> [String] {
    guard let part = parts.first else { return leaf(folder) }
    guard depth < Glob.deepest else { return [] }
    let rest = Array(parts.dropFirst())
    if part == "**" {
      var found = expand(rest, from: folder, depth: depth + 1)
      for name in names(in: folder) where !name.hasPrefix(".") && isFolder(join(folder, name)) {
        found += expand(parts, from: join(folder, name), depth: depth + 1)
        if found.count > Glob.mostFiles { break }
      }
      var seen: Set<String> = []
      return found.filter { seen.insert($0).inserted }
    }
    guard part.contains(where: { "*?[".contains($0) }) else {
      return expand(rest, from: join(folder, part), depth: depth + 1)
    }
    var found: [String] = []
    for name in names(in: folder) where Glob.matches(name, part) {
      found += expand(rest, from: join(folder, name), depth: depth + 1)
      if found.count > Glob.mostFiles { break }
    }
    return found
  }

  private func leaf(_ path: String) -> [String] {
    guard isFolder(path) else { return FileManager.default.fileExists(atPath: path) ? [path] : [] }
    return names(in: path).filter { name in
      [".yaml", ".yml", ".json"].contains { name.hasSuffix($0) } && !name.hasPrefix(".")
    }.map { join(path, $0) }.filter { !isFolder($0) }
  }

  private func isFolder(_ path: String) -> Bool {
    var isDirectory: ObjCBool = false
    return FileManager.default.fileExists(atPath: path.isEmpty ? "." : path, isDirectory: &isDirectory)
      && isDirectory.boolValue
  }

  private func names(in folder: String) -> [String] {
    let names = try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)
    return (names ?? []).sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
  }

  /// Whether a name matches a pattern without slashes.
  static func matches(_ name: String, _ pattern: String) -> Bool {
    if name.hasPrefix("."), !pattern.hasPrefix(".") { return false }
    return matches(Array(name), Array(pattern))
  }

  /// Whether text matches a glob, a leading dot and slashes being like any character.
  static func matches(_ text: [Character], _ pattern: [Character]) -> Bool {
    var position = 0
    var index = 0
    var star: (index: Int, position: Int)?
    while position < text.count {
      if index < pattern.count, pattern[index] == "*" {
        star = (index, position)
        index += 1
      } else if let next = step(text[position], pattern, index) {
        position += 1
        index = next
      } else if let last = star {
        star = (last.index, last.position + 1)
        position = last.position + 1
        index = last.index + 1
      } else {
        return false
      }
    }
    while index < pattern.count, pattern[index] == "*" { index += 1 }
    return index == pattern.count
  }

  /// The index after the element of the pattern that matches one character; nil when it does not.
  private static func step(_ character: Character, _ pattern: [Character], _ index: Int) -> Int? {
    guard index < pattern.count else { return nil }
    switch pattern[index] {
    case "?": return index + 1
    case "[":
      guard let close = pattern[(index + 1)...].dropFirst().firstIndex(of: "]") else {
        return character == "[" ? index + 1 : nil
      }
      let isNegated = pattern[index + 1] == "!" && close > index + 2
      var position = index + (isNegated ? 2 : 1)
      var isIn = false
      while position < close {
        if position + 2 < close, pattern[position + 1] == "-" {
          isIn = isIn || (pattern[position] <= character && character <= pattern[position + 2])
          position += 3
        } else {
          isIn = isIn || pattern[position] == character
          position += 1
        }
      }
      return isIn != isNegated ? close + 1 : nil
    default: return pattern[index] == character ? index + 1 : nil
    }
  }
}

/// Whether text matches a glob of `*`, `?` and `[a-z]`.
public func matchesGlob(_ text: String, _ pattern: String) -> Bool {
  Glob.matches(Array(text), Array(pattern))
}

/// A pattern that a path alone matches.
public func globEscaped(_ path: String) -> String {
  path.map { "*?[".contains($0) ? "[\($0)]" : String($0) }.joined()
}
