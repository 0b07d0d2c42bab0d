/// A place in a file that the user wrote.
///
/// Lines and columns count from 1, columns in characters. `file` is the path as the user gave it, so that what
/// is printed does not depend on the working machine.
public struct SourceLocation: Hashable, Sendable {
  public var file: String
  public var line: Int
  public var column: Int

  public init(file: String, line: Int, column: Int) {
    self.file = file
    self.line = line
    self.column = column
  }

  /// The place of a value that no file holds: one made by a controller, or in a test.
  public static let none = SourceLocation(file: "", line: 0, column: 0)

  public var isKnown: Bool { line > 0 }
}

extension SourceLocation: Comparable {
  public static func < (a: Self, b: Self) -> Bool {
    (a.file, a.line, a.column) < (b.file, b.line, b.column)
  }
}

extension SourceLocation: CustomStringConvertible {
  /// `file:line:column`, or `-` for no place.
  public var description: String { isKnown ? "\(file):\(line):\(column)" : "-" }
}

/// A value and the place where it was written.
public struct Located<Value> {
  public var value: Value
  public var location: SourceLocation

  public init(_ value: Value, at location: SourceLocation = .none) {
    self.value = value
    self.location = location
  }

  /// The same place with another value.
  public func map<Other>(_ transform: (Value) -> Other) -> Located<Other> {
    Located<Other>(transform(value), at: location)
  }
}

extension Located: Sendable where Value: Sendable {}
extension Located: Equatable where Value: Equatable {}
extension Located: Hashable where Value: Hashable {}
