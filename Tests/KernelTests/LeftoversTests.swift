import Glibc
import Testing

@testable import Kernel

extension KernelSuite {
  /// Cgroups are the one thing that a killed process cannot take with it.
  @Suite struct LeftoversTests {
    /// Folders of processes that are no more, in the cgroup that ours are made in.
    private static func ownerless() -> [String] {
      guard let parent = OwnCgroup.place() else { return ["no cgroup2"] }
      return names(parent).filter { name in
        let parts = name.split(separator: "-")
        guard parts.count == 3, parts[0] == "ciliate", let process = pid_t(parts[1]) else { return false }
        return kill(process, 0) != 0 && errno == ESRCH
      }
    }

    private static func names(_ folder: String) -> [String] {
      guard let folder = opendir(folder) else { return [] }
      defer { closedir(folder) }
      var names: [String] = []
      while let entry = readdir(folder) {
        names.append(
          withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        )
      }
      return names
    }

    @Test("A process that is killed leaves no cgroup, whatever kills it", .needsKernel)
    func killed() async {
      await #expect(processExitsWith: .signal(SIGKILL)) {
        let sockets = try SocketRunner.create()
        kill(getpid(), SIGKILL)
        _ = consume sockets
      }
      await #expect(processExitsWith: .signal(SIGINT)) {
        let sockets = try SocketRunner.create()
        kill(getpid(), SIGINT)
        _ = consume sockets
      }
      // The undertaker waits for the process, and the process's parent for neither.
      for _ in 0..<30 where !Self.ownerless().isEmpty { usleep(50_000) }
      #expect(Self.ownerless() == [])
    }

    @Test("The next run removes what a killed one has left, and nothing of the living", .needsKernel)
    func sweep() throws {
      let living = try OwnCgroup.create()
      let parent = try #require(OwnCgroup.place())
      // No process has this number: it is above the highest that Linux gives.
      let dead = "\(parent)/ciliate-\((1 << 22) + 1)-7"
      try #require(mkdir(dead, 0o755) == 0)
      defer { rmdir(dead) }
      Leftovers.sweep()
      #expect(access(dead, F_OK) != 0)
      #expect(access(living.path, F_OK) == 0)
    }

    @Test("The folder is gone when its holder is", .needsKernel)
    func holder() throws {
      let own = try OwnCgroup.create()
      let path = own.path
      #expect(access(path, F_OK) == 0)
      _ = consume own
      #expect(access(path, F_OK) != 0)
    }
  }
}
