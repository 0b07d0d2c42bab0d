/// A JSON value, as far as the names files need it: numbers are kept as text, objects in their order.
///
/// Deep nesting is refused (RFC 8259 section 9 allows a limit), so that hostile text cannot exhaust the stack.
public enum JSONValue: Hashable, Sendable {
  case null
  case bool(Bool)
  case number(String)
  case string(String)
  case array([JSONValue])
  case object([Member])

  public struct Member: Hashable, Sendable {
    public var name: String
    public var value: JSONValue

    public init(name: String, value: JSONValue) {
      self.name = name
      self.value = value
    }
  }

  /// What is wrong, and at which octet.
  public struct ParseError: Error, Hashable, Sendable {
    public var offset: Int
    public var reason: String
  }

  public init(parsing octets: [UInt8]) throws(ParseError) {
    var parser = JSONParser(octets: octets)
    self = try parser.document()
  }

  /// A member of an object; nil for anything else.
  public subscript(name: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.last { $0.name == name }?.value
  }

  public var string: String? { if case .string(let text) = self { text } else { nil } }
  public var array: [JSONValue]? { if case .array(let values) = self { values } else { nil } }
  public var members: [Member] { if case .object(let members) = self { members } else { [] } }

  /// A number, or a string that is one.
  public var unsigned: UInt64? {
    switch self {
    case .number(let text), .string(let text): UInt64(text)
    default: nil
    }
  }
}

/// Reads RFC 8259, from octets.
private struct JSONParser {
  let octets: [UInt8]
  var at = 0

  static let deepest = 64

  mutating func document() throws(JSONValue.ParseError) -> JSONValue {
    let value = try value(depth: 0)
    skipSpace()
    guard at == octets.count else { throw fail("text after the value") }
    return value
  }

  private func fail(_ reason: String) -> JSONValue.ParseError { .init(offset: at, reason: reason) }
  private var next: UInt8? { at < octets.count ? octets[at] : nil }

  private mutating func skipSpace() {
    while let octet = next, octet == 0x20 || octet == 0x0a || octet == 0x0d || octet == 0x09 { at += 1 }
  }

  private mutating func value(depth: Int) throws(JSONValue.ParseError) -> JSONValue {
    guard depth < Self.deepest else { throw fail("nested deeper than \(Self.deepest)") }
    skipSpace()
    switch next {
    case UInt8(ascii: "{")?: return try object(depth)
    case UInt8(ascii: "[")?: return try array(depth)
    case UInt8(ascii: "\"")?: return .string(try string())
    case UInt8(ascii: "t")?: return try word("true", .bool(true))
    case UInt8(ascii: "f")?: return try word("false", .bool(false))
    case UInt8(ascii: "n")?: return try word("null", .null)
    case UInt8(ascii: "-")?, .some(UInt8(ascii: "0")...UInt8(ascii: "9")): return number()
    case nil: throw fail("ends where a value is expected")
    default: throw fail("no JSON value")
    }
  }

  private mutating func word(_ text: String, _ value: JSONValue) throws(JSONValue.ParseError) -> JSONValue {
    guard octets[at...].starts(with: text.utf8) else { throw fail("expected \(text)") }
    at += text.utf8.count
    return value
  }

  private mutating func number() -> JSONValue {
    let start = at
    while let octet = next,
      octet >= 0x2b && octet <= 0x39 && octet != 0x2c && octet != 0x2f || octet | 0x20 == 0x65
    {
      at += 1
    }
    return .number(String(decoding: octets[start..<at], as: UTF8.self))
  }

  private mutating func array(_ depth: Int) throws(JSONValue.ParseError) -> JSONValue {
    at += 1
    var values: [JSONValue] = []
    skipSpace()
    if next == UInt8(ascii: "]") {
      at += 1
      return .array([])
    }
    while true {
      values.append(try value(depth: depth + 1))
      skipSpace()
      switch next {
      case UInt8(ascii: ",")?: at += 1
      case UInt8(ascii: "]")?:
        at += 1
        return .array(values)
      default: throw fail("expected , or ]")
      }
    }
  }

  private mutating func object(_ depth: Int) throws(JSONValue.ParseError) -> JSONValue {
    at += 1
    var members: [JSONValue.Member] = []
    skipSpace()
    if next == UInt8(ascii: "}") {
      at += 1
      return .object([])
    }
    while true {
      skipSpace()
      guard next == UInt8(ascii: "\"") else { throw fail("expected a name") }
      let name = try string()
      skipSpace()
      guard next == UInt8(ascii: ":") else { throw fail("expected :") }
      at += 1
      members.append(.init(name: name, value: try value(depth: depth + 1)))
      skipSpace()
      switch next {
      case UInt8(ascii: ",")?: at += 1
      case UInt8(ascii: "}")?:
        at += 1
        return .object(members)
      default: throw fail("expected , or }")
      }
    }
  }

  private mutating func string() throws(JSONValue.ParseError) -> String {
    at += 1
    var units: [UInt8] = []
    while let octet = next {
      at += 1
      switch octet {
      case UInt8(ascii: "\""): return String(decoding: units, as: UTF8.self)
      case UInt8(ascii: "\\"): try escape(&units)
      case 0..<0x20: throw fail("control character in a string")
      default: units.append(octet)
      }
    }
    throw fail("ends inside a string")
  }

  private mutating func escape(_ units: inout [UInt8]) throws(JSONValue.ParseError) {
    guard let octet = next else { throw fail("ends inside a string") }
    at += 1
    switch octet {
    case UInt8(ascii: "n"): units.append(0x0a)
    case UInt8(ascii: "t"): units.append(0x09)
    case UInt8(ascii: "r"): units.append(0x0d)
    case UInt8(ascii: "b"): units.append(0x08)
    case UInt8(ascii: "f"): units.append(0x0c)
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): units.append(octet)
    case UInt8(ascii: "u"):
      var unit = UInt32(try fourHexDigits())
      if unit >> 10 == 0x36, octets[at...].starts(with: [0x5c, 0x75]) {
        at += 2
        let low = UInt32(try fourHexDigits())
        // A pair makes one scalar; anything else is no text.
        unit = low >> 10 == 0x37 ? 0x10000 + (unit & 0x3ff) << 10 + low & 0x3ff : 0xfffd
      }
      units += Array(String(Unicode.Scalar(unit) ?? "\u{fffd}").utf8)
    default: throw fail("unknown escape in a string")
    }
  }

  private mutating func fourHexDigits() throws(JSONValue.ParseError) -> UInt16 {
    guard at + 4 <= octets.count else { throw fail("ends inside a string") }
    var value: UInt16 = 0
    for octet in octets[at..<(at + 4)] {
      guard let digit = Character(Unicode.Scalar(octet)).hexDigitValue, octet < 0x80 else {
        throw fail("expected four hexadecimal digits")
      }
      value = value << 4 | UInt16(digit)
    }
    at += 4
    return value
  }
}
