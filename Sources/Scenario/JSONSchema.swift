import Manifests

/// A JSON Schema, as far as our own formats need it.
indirect enum JSONSchema: Sendable {
  case string
  case integer(ClosedRange<Int>?)
  case boolean
  case any
  case null
  case constant(String)
  case choice([String])
  case list(JSONSchema)
  /// Free keys.
  case map(JSONSchema)
  case object([(name: String, schema: JSONSchema)], required: [String])
  case anyOf([JSONSchema])
  /// One of the definitions.
  case named(String)

  static func oneOrMore(_ item: JSONSchema) -> JSONSchema { .anyOf([item, .list(item)]) }

  static func choice<Choice: RawRepresentable<String> & CaseIterable>(_ type: Choice.Type) -> JSONSchema {
    .choice(Choice.allCases.map(\.rawValue))
  }

  /// The schema as indented JSON, keys in the order given.
  func text(_ indentation: String = "") -> String { JSONSchema.text(members, indentation) }

  private var members: [(String, JSON)] {
    switch self {
    case .string: [("type", .string("string"))]
    case .integer(let range):
      [("type", .string("integer"))]
        + (range.map { [("minimum", .number($0.lowerBound)), ("maximum", .number($0.upperBound))] } ?? [])
    case .boolean: [("type", .string("boolean"))]
    case .null: [("type", .string("null"))]
    case .any: []
    case .constant(let text): [("const", .string(text))]
    case .choice(let words): [("enum", .list(words.map(JSON.string)))]
    case .list(let item): [("type", .string("array")), ("items", .schema(item))]
    case .map(let value): [("type", .string("object")), ("additionalProperties", .schema(value))]
    case .object(let properties, let required):
      [
        ("type", .string("object")),
        ("properties", .members(properties.map { ($0.name, .schema($0.schema)) })),
        ("required", .list(required.map(JSON.string))), ("additionalProperties", .bool(false)),
      ]
    case .anyOf(let schemas): [("anyOf", .list(schemas.map(JSON.schema)))]
    case .named(let name): [("$ref", .string("#/$defs/\(name)"))]
    }
  }

  fileprivate enum JSON {
    case string(String)
    case number(Int)
    case bool(Bool)
    case list([JSON])
    case members([(String, JSON)])
    case schema(JSONSchema)

    func text(_ indentation: String) -> String {
      switch self {
      case .string(let text): return JSONSchema.quote(text)
      case .number(let number): return "\(number)"
      case .bool(let bool): return "\(bool)"
      case .members(let members): return JSONSchema.text(members, indentation)
      case .schema(let schema): return schema.text(indentation)
      case .list(let items):
        if items.isEmpty { return "[]" }
        let inner = indentation + "  "
        return "[\n" + items.map { inner + $0.text(inner) }.joined(separator: ",\n") + "\n\(indentation)]"
      }
    }
  }

  private static func text(_ members: [(String, JSON)], _ indentation: String) -> String {
    if members.isEmpty { return "{}" }
    let inner = indentation + "  "
    let lines = members.map { "\(inner)\(quote($0)): \($1.text(inner))" }
    return "{\n" + lines.joined(separator: ",\n") + "\n\(indentation)}"
  }

  /// The names in our formats hold nothing that JSON would have escaped but quotes and backslashes.
  private static func quote(_ text: String) -> String {
    "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }

  /// A whole document: the root with its title and definitions.
  static func document(title: String, root: JSONSchema, definitions: [(String, JSONSchema)]) -> String {
    let head: [(String, JSON)] = [
      ("$schema", .string("https://json-schema.org/draft/2020-12/schema")), ("title", .string(title)),
    ]
    let tail: [(String, JSON)] = [("$defs", .members(definitions.map { ($0, .schema($1)) }))]
    return text(head + root.members + tail, "") + "\n"
  }
}
