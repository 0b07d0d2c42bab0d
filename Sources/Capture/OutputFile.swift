import Glibc

/// A file that appears under its name only when it is complete: written under a temporary name in the same folder,
/// then renamed. Dropped without `commit`, it leaves nothing behind.
public struct OutputFile: ~Copyable {
  public let path: String
  private let temporary: String
  private let descriptor: Int32
  private var committed = false

  public init(path: String) throws(CaptureError) {
    self.path = path
    temporary = "\(path).part-\(getpid())"
    descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o644)
    guard descriptor >= 0 else { throw CaptureError(file: path, reason: systemReason("cannot write", errno)) }
  }

  deinit {
    close(descriptor)
    if !committed { unlink(temporary) }
  }

  public func write(_ bytes: [UInt8]) throws(CaptureError) {
    var start = 0
    while start < bytes.count {
      let written = bytes.withUnsafeBytes {
        Glibc.write(descriptor, $0.baseAddress! + start, $0.count - start)
      }
      if written < 0 {
        if errno == EINTR { continue }
        throw CaptureError(file: path, reason: systemReason("cannot write", errno))
      }
      start += written
    }
  }

  /// Gives the file its name, replacing what had it before.
  public mutating func commit() throws(CaptureError) {
    guard rename(temporary, path) == 0 else {
      throw CaptureError(file: path, reason: systemReason("cannot rename to this name", errno))
    }
    committed = true
  }

  /// Writes a whole file at once.
  public static func write(_ bytes: [UInt8], to path: String) throws(CaptureError) {
    var file = try OutputFile(path: path)
    try file.write(bytes)
    try file.commit()
  }
}

/// "cannot write: No space left on device".
func systemReason(_ what: String, _ code: Int32) -> String {
  "\(what): \(strerror(code).map { String(cString: $0) } ?? "error \(code)")"
}
