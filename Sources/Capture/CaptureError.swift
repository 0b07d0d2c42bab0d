/// Why a capture could not be read or written; the text names the file, and the offset where there is one.
public struct CaptureError: Error, Hashable, Sendable {
  /// The file as the user named it; `-` is standard input.
  public var file: String
  /// Octets from the start of the (decompressed) file; nil when the whole file is meant.
  public var offset: UInt64?
  public var reason: String

  public init(file: String, offset: UInt64? = nil, reason: String) {
    self.file = file
    self.offset = offset
    self.reason = reason
  }
}

extension CaptureError: CustomStringConvertible {
  public var description: String {
    offset.map { "\(file): offset \($0): \(reason)" } ?? "\(file): \(reason)"
  }
}
