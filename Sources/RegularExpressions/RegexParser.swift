/// Reads RE2's syntax.
struct RegexParser {
  typealias Failure = RegularExpression.SyntaxError

  private let text: [Unicode.Scalar]
  private var position = 0
  private var depth = 0
  private var flags = Flags()

  private struct Flags {
    var ignoresCase = false
    var dotTakesNewline = false
    var isMultiline = false
  }

  init(_ source: String) { text = Array(source.unicodeScalars) }

  mutating func parse() throws(Failure) -> RegexNode {
    let node = try choice()
    guard position == text.count else { throw failure("unexpected ')'") }
    return node
  }

  private func failure(_ message: String) -> Failure { Failure(message: message, position: position) }

  private var next: Unicode.Scalar? { position < text.count ? text[position] : nil }

  private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    guard next == scalar else { return false }
    position += 1
    return true
  }

  private mutating func choice() throws(Failure) -> RegexNode {
    depth += 1
    defer { depth -= 1 }
    guard depth <= 250 else { throw failure("expression nests too deeply") }
    let outer = flags
    var branches = [try sequence()]
    while take("|") { branches.append(try sequence()) }
    flags = outer
    return branches.count == 1 ? branches[0] : .choice(branches)
  }

  private mutating func sequence() throws(Failure) -> RegexNode {
    var nodes: [RegexNode] = []
    while let scalar = next, scalar != "|", scalar != ")" {
      guard let node = try atom() else { continue }
      nodes.append(try repetition(of: node))
    }
    return nodes.count == 1 ? nodes[0] : .sequence(nodes)
  }

  private mutating func repetition(of atom: RegexNode) throws(Failure) -> RegexNode {
    var node = atom
    var isRepeated = false
    while let bounds = try bounds() {
      if isRepeated { throw failure("invalid nested repetition operator") }
      isRepeated = true
      // A lazy operator matches the same whole texts.
      _ = take("?")
      node = .repeat(node, min: bounds.min, max: bounds.max)
    }
    return node
  }

  private mutating func bounds() throws(Failure) -> (min: Int, max: Int?)? {
    if take("*") { return (0, nil) }
    if take("+") { return (1, nil) }
    if take("?") { return (0, 1) }
    let start = position
    guard take("{"), let low = number() else {
      position = start
      return nil
    }
    var high: Int? = low
    if take(",") { high = number() }
    guard take("}") else {
      // Anything but bounds is an ordinary brace.
      position = start
      return nil
    }
    guard low <= 1000, (high ?? 0) <= 1000, low <= high ?? low else {
      throw failure("invalid repeat count")
    }
    return (low, high)
  }

  private mutating func number() -> Int? {
    var value: Int?
    while let scalar = next, RegexClass.digit.contains(scalar.value) {
      value = min((value ?? 0) * 10 + Int(scalar.value) - 48, 1_000_000)
      position += 1
    }
    return value
  }

  /// One item; nil for what only sets flags.
  private mutating func atom() throws(Failure) -> RegexNode? {
    guard let scalar = next else { return nil }
    if "*+?".unicodeScalars.contains(scalar) {
      throw failure("missing argument to repetition operator")
    }
    position += 1
    switch scalar {
    case "(": return try group()
    case "[": return .any(try bracketed())
    case ".": return .any(flags.dotTakesNewline ? .everything : .line)
    case "^": return .assertion(flags.isMultiline ? .lineStart : .textStart)
    case "$": return .assertion(flags.isMultiline ? .lineEnd : .textEnd)
    case "\\": return try escaped()
    default: return literal(scalar.value)
    }
  }

  private func literal(_ scalar: UInt32) -> RegexNode {
    var characters = RegexClass(ranges: [scalar...scalar])
    if flags.ignoresCase { characters.foldCase() }
    return .any(characters)
  }

  private mutating func group() throws(Failure) -> RegexNode? {
    let start = position
    let outer = flags
    if take("?") {
      if take("P") {
        guard take("<") else { throw failure("invalid named capture") }
        try skipName()
      } else if take("<") {
        try skipName()
      } else if try setFlags() {
        return nil
      }
    }
    let node = try choice()
    guard take(")") else {
      position = start
      throw failure("missing closing )")
    }
    flags = outer
    return node
  }

  private mutating func skipName() throws(Failure) {
    let start = position
    while let scalar = next, RegexClass.word.contains(scalar.value) { position += 1 }
    guard position > start, take(">") else { throw failure("invalid named capture") }
  }

  /// Reads flags up to `)` or `:`; true when they are all there is to the group.
  private mutating func setFlags() throws(Failure) -> Bool {
    var value = true
    while let scalar = next {
      position += 1
      switch scalar {
      case "i": flags.ignoresCase = value
      case "s": flags.dotTakesNewline = value
      case "m": flags.isMultiline = value
      case "U": break
      case "-": value = false
      case ":": return false
      case ")": return true
      default: throw failure("invalid or unsupported group syntax")
      }
    }
    throw failure("missing closing )")
  }

  private mutating func escaped() throws(Failure) -> RegexNode {
    guard let scalar = next else { throw failure("trailing backslash") }
    switch scalar {
    case "A": return advance(.assertion(.textStart))
    case "z": return advance(.assertion(.textEnd))
    case "b": return advance(.assertion(.wordBoundary))
    case "B": return advance(.assertion(.noWordBoundary))
    case "Q":
      position += 1
      return quoted()
    default: break
    }
    if let characters = try classEscape() { return .any(characters) }
    return literal(try characterEscape())
  }

  private mutating func advance(_ node: RegexNode) -> RegexNode {
    position += 1
    return node
  }

  private mutating func quoted() -> RegexNode {
    var nodes: [RegexNode] = []
    while let scalar = next {
      position += 1
      if scalar == "\\", take("E") { break }
      nodes.append(literal(scalar.value))
    }
    return .sequence(nodes)
  }

  /// `\d` and its kind, after the backslash.
  private mutating func classEscape() throws(Failure) -> RegexClass? {
    guard let scalar = next else { return nil }
    var characters: RegexClass
    switch scalar {
    case "d", "D": characters = .digit
    case "w", "W": characters = .word
    case "s", "S": characters = .space
    case "p", "P": throw failure("Unicode classes are not supported here")
    default: return nil
    }
    position += 1
    characters.isNegated = scalar < "a"
    return characters
  }

  /// One character after a backslash.
  private mutating func characterEscape() throws(Failure) -> UInt32 {
    guard let scalar = next else { throw failure("trailing backslash") }
    position += 1
    switch scalar {
    case "n": return 10
    case "t": return 9
    case "r": return 13
    case "f": return 12
    case "v": return 11
    case "a": return 7
    case "x": return try hexadecimal()
    case "0": return 0
    default:
      guard scalar.isASCII, !RegexClass.word.contains(scalar.value) || scalar == "_" else {
        position -= 1
        throw failure("invalid escape sequence")
      }
      return scalar.value
    }
  }

  private mutating func hexadecimal() throws(Failure) -> UInt32 {
    let isBraced = take("{")
    var value: UInt32 = 0
    var digits = 0
    while let scalar = next, let digit = scalar.hexadecimalDigit, isBraced ? digits < 6 : digits < 2 {
      value = value << 4 | digit
      digits += 1
      position += 1
    }
    guard isBraced ? take("}") && digits > 0 : digits == 2, value <= 0x10ffff else {
      throw failure("invalid escape sequence")
    }
    return value
  }

  private mutating func bracketed() throws(Failure) -> RegexClass {
    var result = RegexClass()
    let isNegated = take("^")
    var isFirst = true
    while isFirst || next != "]" {
      guard let scalar = next else { throw failure("missing closing ]") }
      isFirst = false
      if scalar == "[", position + 1 < text.count, text[position + 1] == ":" {
        result.ranges += try named().positiveRanges
        continue
      }
      if scalar == "\\" {
        position += 1
        if let characters = try classEscape() {
          result.ranges += characters.positiveRanges
          continue
        }
        position -= 1
      }
      let first = try bracketedCharacter()
      var last = first
      let isRange = next == "-" && position + 1 < text.count && text[position + 1] != "]"
      if isRange {
        position += 1
        last = try bracketedCharacter()
        guard first <= last else { throw failure("invalid character class range") }
      }
      result.add(first, last)
    }
    position += 1
    if flags.ignoresCase { result.foldCase() }
    result.isNegated = isNegated
    return result
  }

  private mutating func bracketedCharacter() throws(Failure) -> UInt32 {
    guard let scalar = next else { throw failure("missing closing ]") }
    position += 1
    return scalar == "\\" ? try characterEscape() : scalar.value
  }

  /// `[:alpha:]` and its kind, at the inner bracket.
  private mutating func named() throws(Failure) -> RegexClass {
    var name = ""
    var end = position + 2
    while end < text.count, text[end] != ":" {
      name.unicodeScalars.append(text[end])
      end += 1
    }
    let isNegated = name.first == "^"
    let ranges: [String: [ClosedRange<UInt32>]] = [
      "alpha": [65...90, 97...122], "digit": [48...57], "alnum": [48...57, 65...90, 97...122],
      "upper": [65...90], "lower": [97...122], "space": [9...13, 32...32],
      "xdigit": [48...57, 65...70, 97...102],
      "word": RegexClass.word.ranges, "punct": [33...47, 58...64, 91...96, 123...126],
      "blank": [9...9, 32...32],
      "print": [32...126], "graph": [33...126], "cntrl": [0...31, 127...127], "ascii": [0...127],
    ]
    guard end + 1 < text.count, text[end + 1] == "]",
      let found = ranges[isNegated ? String(name.dropFirst()) : name]
    else { throw failure("invalid character class range") }
    position = end + 2
    return RegexClass(ranges: found, isNegated: isNegated)
  }
}

extension Unicode.Scalar {
  fileprivate var hexadecimalDigit: UInt32? {
    switch value {
    case 48...57: value - 48
    case 65...70: value - 55
    case 97...102: value - 87
    default: nil
    }
  }
}
