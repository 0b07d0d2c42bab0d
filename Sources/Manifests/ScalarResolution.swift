extension YAMLValue.Content {
  /// What a plain (unquoted) scalar means to Go's YAML reader, which Kubernetes' tools and Helm share: YAML 1.1,
  /// so that `no` is a boolean and `0777` is octal.
  ///
  /// Source: sigs.k8s.io/yaml/goyaml.v2 `resolve.go`.
  static func resolving(plain text: String) -> Self {
    switch text {
    case "", "~", "null", "Null", "NULL": return .null
    case "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON": return .bool(true)
    case "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF": return .bool(false)
    case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", ".nan", ".NaN", ".NAN":
      return .decimal
    default: break
    }
    guard let first = text.utf8.first, "+-.0123456789".utf8.contains(first) else { return .string(text) }
    if let integer = integer(text) { return .integer(integer) }
    return isDecimal(text) ? .decimal : .string(text)
  }

  /// Decimal, `0x`, `0o` or leading-zero octal, `0b`; underscores are skipped.
  private static func integer(_ text: String) -> Int64? {
    var digits = text.filter { $0 != "_" }
    var isNegative = false
    if digits.hasPrefix("-") || digits.hasPrefix("+") {
      isNegative = digits.removeFirst() == "-"
    }
    var radix = 10
    if digits.hasPrefix("0x") || digits.hasPrefix("0X") {
      radix = 16
      digits.removeFirst(2)
    } else if digits.hasPrefix("0b") || digits.hasPrefix("0B") {
      radix = 2
      digits.removeFirst(2)
    } else if digits.hasPrefix("0o") || digits.hasPrefix("0O") {
      radix = 8
      digits.removeFirst(2)
    } else if digits.hasPrefix("0"), digits.utf8.count > 1 {
      radix = 8
      digits.removeFirst()
    }
    guard let first = digits.first, first.isHexDigit else { return nil }
    return Int64((isNegative ? "-" : "") + digits, radix: radix)
  }

  /// `[-+]?(digits[.digits]|.digits)[e[-+]digits]`, as the reader's expression for floats.
  private static func isDecimal(_ text: String) -> Bool {
    var rest = text[...].utf8
    func digits() -> Int {
      let count = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }.count
      rest = rest.dropFirst(count)
      return count
    }
    if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
      rest = rest.dropFirst()
    }
    let whole = digits()
    var fraction = 0
    if rest.first == UInt8(ascii: ".") {
      rest = rest.dropFirst()
      fraction = digits()
    }
    guard whole + fraction > 0 else { return false }
    if let mark = rest.first, mark == UInt8(ascii: "e") || mark == UInt8(ascii: "E") {
      rest = rest.dropFirst()
      if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
        rest = rest.dropFirst()
      }
      guard digits() > 0 else { return false }
    }
    return rest.isEmpty
  }
}
