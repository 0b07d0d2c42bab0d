import CLinuxFiles
import Glibc

/// A file that appears under its name only when it is complete: written under a temporary name in the same folder,
/// then renamed. Dropped without `commit`, it leaves nothing behind. What is no regular file (a pipe, a device) is
/// written as it is.
public struct OutputFile: ~Copyable {
  public let path: String
  /// Nil for what is written under its own name.
  private let temporary: String?
  private let descriptor: Int32
  private var committed = false
  /// Octets written, and octets for which there is space on the disk.
  private var size = 0
  private var reserved = 0

  /// Space that is reserved at once. Where the file system can do it, a long file is written in half the time that
  /// taking each block by itself needs, and a full disk is told early.
  private static let reservation = 64 << 20

  public init(path: String) throws(CaptureError) {
    self.path = path
    var status = stat()
    if stat(path, &status) == 0, ![S_IFREG, S_IFDIR].contains(status.st_mode & S_IFMT) {
      temporary = nil
      descriptor = open(path, O_WRONLY | O_CLOEXEC)
      reserved = .max
    } else {
      let name = "\(path).part-\(getpid())"
      temporary = name
      descriptor = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o644)
    }
    guard descriptor >= 0 else { throw CaptureError(file: path, reason: systemReason("cannot write", errno)) }
  }

  deinit {
    close(descriptor)
    if !committed, let temporary { unlink(temporary) }
  }

  public mutating func write(_ bytes: [UInt8]) throws(CaptureError) {
    let result = bytes.withUnsafeBytes { octets in
      Result { () throws(CaptureError) in try write(octets) }
    }
    try result.get()
  }

  /// The same for octets that lie in memory somewhere.
  public mutating func write(_ octets: UnsafeRawBufferPointer) throws(CaptureError) {
    guard let base = octets.baseAddress else { return }
    if size > 0, size + octets.count > reserved { reserve() }
    var start = 0
    while start < octets.count {
      let written = Glibc.write(descriptor, base + start, octets.count - start)
      if written < 0 {
        if errno == EINTR { continue }
        throw CaptureError(file: path, reason: systemReason("cannot write", errno))
      }
      start += written
    }
    size += octets.count
  }

  /// Reserves space for more; a file whose first `write` was its last needs none.
  private mutating func reserve() {
    guard reserved < .max else { return }
    // Where that is not possible, it is not tried again.
    let fails = linux_reserve(descriptor, off_t(size), off_t(Self.reservation)) != 0
    reserved = fails ? .max : size + Self.reservation
  }

  /// Gives the file its name, replacing what had it before.
  public mutating func commit() throws(CaptureError) {
    guard let temporary else { return }
    // Gives back what is reserved behind the end.
    if reserved > size, reserved < .max { _ = ftruncate(descriptor, off_t(size)) }
    var status = stat()
    // A file in the way changes its name with this one and is removed: to rename over it makes ext4 write all of the
    // new file to the disk first.
    if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, linux_exchange(temporary, path) == 0 {
      unlink(temporary)
    } else if rename(temporary, path) != 0 {
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
