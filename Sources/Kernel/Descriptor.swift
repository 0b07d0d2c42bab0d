import Glibc

/// An open file descriptor, closed when it goes out of scope.
struct Descriptor: ~Copyable, Sendable {
  let raw: Int32

  /// Takes over a descriptor.
  init(_ raw: Int32) { self.raw = raw }

  /// Takes over the result of a call that gives a descriptor or a negated error number.
  init(_ call: String, _ result: Int32, _ detail: @autoclosure () -> String = "") throws(KernelError) {
    guard result >= 0 else { throw .system(call, result, detail()) }
    raw = result
  }

  /// A second descriptor of the same thing.
  static func duplicate(_ raw: Int32) throws(KernelError) -> Descriptor {
    let copy = fcntl(raw, F_DUPFD_CLOEXEC, 3)
    guard copy >= 0 else { throw .system("fcntl(F_DUPFD_CLOEXEC)", errno) }
    return Descriptor(copy)
  }

  static func open(_ path: String, _ flags: Int32) throws(KernelError) -> Descriptor {
    let raw = Glibc.open(path, flags | O_CLOEXEC)
    guard raw >= 0 else { throw .system("open", errno, path) }
    return Descriptor(raw)
  }

  deinit { close(raw) }
}
