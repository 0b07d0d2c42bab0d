import Cluster

/// A YAML value with the place of every part, resolved as Kubernetes' tools resolve it.
public struct YAMLValue: Equatable, Sendable {
  public enum Content: Equatable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    /// A number with a fraction, an exponent, or beyond 64 bits; its text tells it.
    case decimal
    case string(String)
    case sequence([YAMLValue])
    case mapping([Member])
  }

  /// A key of a mapping and its value.
  public struct Member: Equatable, Sendable {
    public var key: String
    public var keyLocation: SourceLocation
    public var value: YAMLValue

    public init(key: String, keyLocation: SourceLocation, value: YAMLValue) {
      self.key = key
      self.keyLocation = keyLocation
      self.value = value
    }
  }

  public var content: Content
  /// What a scalar was written as; empty for sequences and mappings.
  public var text: String
  public var location: SourceLocation

  public init(_ content: Content, text: String = "", location: SourceLocation = .none) {
    self.content = content
    self.text = text
    self.location = location
  }

  public var isNull: Bool { content == .null }

  /// The member of a mapping; nil when there is none, or this is no mapping.
  public subscript(key: String) -> YAMLValue? {
    guard case .mapping(let members) = content else { return nil }
    return members.first { $0.key == key }?.value
  }

  /// What it is, for messages: `the number 80`, `a list`.
  public var kindText: String {
    switch content {
    case .null: "nothing"
    case .bool: "the boolean \(text)"
    case .integer, .decimal: "the number \(text)"
    case .string(let string): "the string \(quoted(string))"
    case .sequence: "a list"
    case .mapping: "a mapping"
    }
  }
}

/// Text in double quotes, on one line, shortened, control characters escaped.
public func quoted(_ text: some StringProtocol) -> String {
  var result = "\""
  for (index, scalar) in text.unicodeScalars.enumerated() {
    if index == 80 { return result + "…\"" }
    switch scalar {
    case "\"": result += "\\\""
    case "\\": result += "\\\\"
    case "\n": result += "\\n"
    case "\t": result += "\\t"
    case _ where scalar.properties.generalCategory == .control:
      result += "\\u{\(String(scalar.value, radix: 16))}"
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}
