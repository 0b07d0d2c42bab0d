import Cluster
import Foundation

/// A file that could not be read as text.
public struct FileError: Error, Equatable, CustomStringConvertible {
  public var path: String
  public var message: String

  public init(path: String, message: String) {
    self.path = path
    self.message = message
  }

  public var description: String { "\(path): \(message)" }

  public var finding: Finding {
    Finding(
      id: "unreadable-file", severity: .error, at: SourceLocation(file: path, line: 1, column: 1), message)
  }
}

/// The text of a file.
///
/// - Throws: when it does not exist, is a directory, may not be read, or is not UTF-8.
public func readText(_ path: String) throws(FileError) -> String {
  guard let data = FileManager.default.contents(atPath: path) else {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw FileError(path: path, message: "no such file")
    }
    throw FileError(path: path, message: isDirectory.boolValue ? "is a directory" : "may not be read")
  }
  guard let text = String(validating: data, as: UTF8.self) else {
    throw FileError(path: path, message: "is not UTF-8 text")
  }
  return text.hasPrefix("\u{feff}") ? String(text.dropFirst()) : text
}
