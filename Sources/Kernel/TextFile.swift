import Glibc

/// Small files of /proc, /sys and cgroups.
enum TextFile {
  /// The lines of a file of /proc; none if it cannot be read.
  static func lines(_ path: String) -> [Substring] {
    guard let file = fopen(path, "r") else { return [] }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = fread(&part, 1, part.count, file)
      if count <= 0 { break }
      bytes += part[0..<count]
    }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
  }

  /// Writes a file of /proc or of a cgroup: 0, or the negated error number.
  static func write(_ text: String, to path: some StringProtocol) -> Int32 {
    let file = open(String(path), O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return -errno }
    defer { close(file) }
    return Glibc.write(file, text, text.utf8.count) < 0 ? -errno : 0
  }
}
