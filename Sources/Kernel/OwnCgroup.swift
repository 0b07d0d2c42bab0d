import CLibbpf
import Glibc

/// A cgroup of our own in the unified hierarchy; removed when it goes out of scope, or when the process ends.
struct OwnCgroup: ~Copyable {
  let path: String
  private let descriptor: Descriptor
  private let undertaker: Undertaker
  var raw: Int32 { descriptor.raw }

  /// Makes one below the cgroup that the process is in, so that a single thread can move into it.
  static func create() throws(KernelError) -> OwnCgroup {
    guard let parent = place() else {
      throw KernelError(.unavailable, call: "find cgroup2", detail: "no cgroup2 file system is mounted")
    }
    try sweep(parent)
    let path = try make("\(parent)/ciliate-\(getpid())-\(ciliate_gettid())")
    do throws(KernelError) {
      return OwnCgroup(
        path: path, descriptor: try Descriptor.open(path, O_RDONLY | O_DIRECTORY),
        undertaker: try Undertaker.watch(over: path))
    } catch {
      rmdir(path)
      throw error
    }
  }

  /// A folder of its own for each: programs of two nodes must not see each other's sockets.
  private static func make(_ name: String) throws(KernelError) -> String {
    for number in 0..<65_536 {
      let path = "\(name).\(number)"
      if mkdir(path, 0o755) == 0 { return path }
      if errno != EEXIST { throw .system("mkdir", errno, path) }
    }
    throw .system("mkdir", EEXIST, name)
  }

  private init(path: String, descriptor: consuming Descriptor, undertaker: consuming Undertaker) {
    self.path = path
    self.descriptor = descriptor
    self.undertaker = undertaker
  }

  deinit { rmdir(path) }

  /// Moves the calling thread in. Where the hierarchy does not allow single threads, the whole process moves.
  func enter() throws(KernelError) {
    if TextFile.write("threaded", to: path + "/cgroup.type") == 0,
      TextFile.write("\(ciliate_gettid())", to: path + "/cgroup.threads") == 0
    {
      return
    }
    let result = TextFile.write("\(getpid())", to: path + "/cgroup.procs")
    guard result == 0 else { throw .system("write", result, path + "/cgroup.procs") }
  }

  /// Moves the calling thread back to where the process is.
  func leave() throws(KernelError) {
    let parent = path.prefix(upTo: path.lastIndex(of: "/") ?? path.endIndex)
    if TextFile.write("\(ciliate_gettid())", to: parent + "/cgroup.threads") == 0 { return }
    let result = TextFile.write("\(getpid())", to: parent + "/cgroup.procs")
    guard result == 0 else { throw .system("write", result, parent + "/cgroup.procs") }
  }

  /// The cgroup that ours are made in: the one that the process is in.
  static func place() -> String? { mountPoint().map { $0 + ownPath() } }

  /// Removes cgroups that killed processes have left behind where ours would be made.
  static func sweep() {
    if let parent = place() { try? sweep(parent) }
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
