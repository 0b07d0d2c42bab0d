import CLibbpf
import Glibc

/// A shell that waits for the end of this process, whatever kind of end it is, and then removes an empty folder.
///
/// A signal leaves a process no time to tidy up; what it holds by descriptors goes with it, a cgroup does not.
struct Undertaker: ~Copyable {
  private let process: pid_t
  /// The shell reads from the other end, and reads nothing until this one is closed.
  private let pipe: Int32

  /// A cgroup may be in use for a moment after the end of the last thread in it.
  private static let script =
    "read -r end; for try in 1 2 3 4 5 6 7 8 9 10; do rmdir \"$0\" 2>/dev/null; [ -d \"$0\" ] || exit; "
    + "sleep 0.05; done"

  static func watch(over folder: String) throws(KernelError) -> Undertaker {
    var end: Int32 = -1
    let process = ciliate_spawn_reader(script, folder, &end)
    guard process > 0 else { throw .system("posix_spawn", process, "/bin/sh") }
    return Undertaker(process: process, pipe: end)
  }

  deinit {
    close(pipe)
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 && errno == EINTR {}
  }
}
