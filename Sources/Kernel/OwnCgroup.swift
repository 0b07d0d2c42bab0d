import CLibbpf
import Glibc

/// A cgroup of our own in the unified hierarchy; removed when it goes out of scope.
struct OwnCgroup: ~Copyable {
  let path: String
  private let descriptor: Descriptor
  var raw: Int32 { descriptor.raw }

  /// Makes one below the cgroup that the process is in, so that a single thread can move into it.
  static func create() throws(KernelError) -> OwnCgroup {
    guard let root = mountPoint() else {
      throw KernelError(.unavailable, call: "find cgroup2", detail: "no cgroup2 file system is mounted")
    }
    let parent = root + ownPath()
    try sweep(parent)
    let path = "\(parent)/ciliate-\(getpid())-\(ciliate_gettid())"
    guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw .system("mkdir", errno, path) }
    do throws(KernelError) {
      return OwnCgroup(path: path, descriptor: try Descriptor.open(path, O_RDONLY | O_DIRECTORY))
    } catch {
      rmdir(path)
      throw error
    }
  }

  private init(path: String, descriptor: consuming Descriptor) {
    self.path = path
    self.descriptor = descriptor
  }

  deinit { rmdir(path) }

  /// Moves the calling thread in. Where the hierarchy does not allow single threads, the whole process moves.
  func enter() throws(KernelError) {
    if Self.write("threaded", to: path + "/cgroup.type") == 0,
      Self.write("\(ciliate_gettid())", to: path + "/cgroup.threads") == 0
    {
      return
    }
    let result = Self.write("\(getpid())", to: path + "/cgroup.procs")
    guard result == 0 else { throw .system("write", result, path + "/cgroup.procs") }
  }

  /// Moves the calling thread back to where the process is.
  func leave() throws(KernelError) {
    let parent = path.prefix(upTo: path.lastIndex(of: "/") ?? path.endIndex)
    if Self.write("\(ciliate_gettid())", to: parent + "/cgroup.threads") == 0 { return }
    let result = Self.write("\(getpid())", to: parent + "/cgroup.procs")
    guard result == 0 else { throw .system("write", result, parent + "/cgroup.procs") }
  }

  private static func write(_ text: String, to path: some StringProtocol) -> Int32 {
    let file = open(String(path), O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return -errno }
    defer { close(file) }
    return Glibc.write(file, text, text.utf8.count) < 0 ? -errno : 0
  }

  /// Removes cgroups that a killed process has left behind.
  private static func sweep(_ parent: String) throws(KernelError) {
    guard let folder = opendir(parent) else { throw .system("opendir", errno, parent) }
    defer { closedir(folder) }
    while let entry = readdir(folder) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      let parts = name.split(separator: "-")
      guard parts.count == 3, parts[0] == "ciliate", let process = pid_t(parts[1]) else { continue }
      if kill(process, 0) != 0 && errno == ESRCH { rmdir("\(parent)/\(name)") }
    }
  }

  /// Where the unified hierarchy is mounted.
  private static func mountPoint() -> String? {
    for line in TextFile.lines("/proc/self/mounts") {
      let fields = line.split(separator: " ")
      if fields.count > 2, fields[2] == "cgroup2" { return String(fields[1]) }
    }
    return nil
  }

  /// The cgroup that the process is in, below the mount point; empty for the root.
  private static func ownPath() -> String {
    for line in TextFile.lines("/proc/self/cgroup") where line.hasPrefix("0::") {
      let path = line.dropFirst(3)
      return path == "/" ? "" : String(path)
    }
    return ""
  }
}

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
}
