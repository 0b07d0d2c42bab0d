import Cluster

/// Where findings of one reading are gathered.
public final class FindingLog {
  public private(set) var findings: [Finding] = []
  public private(set) var errorCount = 0

  public init() {}

  public func add(_ finding: Finding) {
    findings.append(finding)
    if finding.severity == .error { errorCount += 1 }
  }

  public func add(_ findings: some Sequence<Finding>) {
    for finding in findings { add(finding) }
  }
}

/// A value being decoded: knows its path and where to complain.
///
/// Decoding methods answer nil for what is wrong, having said so in the log; so one reading finds many mistakes.
public struct Cursor {
  public let value: YAMLValue
  /// `spec.ports[0].port`.
  public let path: Path
  public let log: FindingLog
  /// Who would refuse what is wrong here.
  public var authority: Finding.Authority?

  public init(_ value: YAMLValue, path: Path = .root, log: FindingLog, authority: Finding.Authority? = nil) {
    self.value = value
    self.path = path
    self.log = log
    self.authority = authority
  }

  public indirect enum Path: CustomStringConvertible {
    case root
    case key(Path, String)
    case index(Path, Int)

    public var description: String {
      switch self {
      case .root: ""
      case .key(.root, let key): key
      case .key(let path, let key): "\(path).\(key)"
      case .index(let path, let index): "\(path)[\(index)]"
      }
    }
  }

  public var location: SourceLocation { value.location }

  /// Adds a finding about this value; its path stands before the message.
  public func report(
    _ id: String, _ message: String, severity: Finding.Severity = .error, at place: SourceLocation? = nil,
    authority: Finding.Authority? = nil
  ) {
    let path = path.description
    log.add(
      Finding(
        id: id, severity: severity, at: place ?? location, path.isEmpty ? message : "\(path): \(message)",
        authority: severity == .error ? authority ?? self.authority : nil))
  }

  public func wrongType(_ expected: String, hint: String = "") {
    report("wrong-type", "expected \(expected), found \(value.kindText)\(hint)")
  }

  // MARK: Scalars

  public func string() -> String? {
    if case .string(let string) = value.content { return string }
    if let letter = booleanLetter() { return letter }
    switch value.content {
    case .integer, .decimal, .bool: wrongType("a string", hint: "; write it in quotes: \(quoted(value.text))")
    default: wrongType("a string")
    }
    return nil
  }

  /// A plain y or n, which YAML 1.1 reads as a boolean and nearly everybody means as a letter. kubectl would
  /// refuse it; files made by other tools have it all the same, so it is taken, with a warning.
  private func booleanLetter() -> String? {
    guard case .bool = value.content, value.text.utf8.count == 1 else { return nil }
    if authority != nil {
      report(
        "boolean-letter", "kubectl reads a plain \(value.text) as a boolean; write it in quotes",
        severity: .warning)
    }
    return value.text
  }

  /// A string that may not be empty.
  public func nonEmptyString() -> String? {
    guard let string = string() else { return nil }
    if string.isEmpty {
      report("invalid-value", "may not be empty")
      return nil
    }
    return string
  }

  /// The text of any scalar: for values that Helm and kubectl take in several types.
  public func text() -> String? {
    switch value.content {
    case .string(let string): return string
    case .integer, .decimal, .bool: return value.text
    default:
      wrongType("a string")
      return nil
    }
  }

  public func bool() -> Bool? {
    if case .bool(let bool) = value.content { return bool }
    wrongType("true or false")
    return nil
  }

  public func integer(_ range: ClosedRange<Int>) -> Int? {
    guard case .integer(let number) = value.content else {
      wrongType("a whole number")
      return nil
    }
    guard let integer = Int(exactly: number), range.contains(integer) else {
      report(
        "invalid-value", "\(value.text) is out of range; expected \(range.lowerBound) to \(range.upperBound)")
      return nil
    }
    return integer
  }

  public func number<Number: FixedWidthInteger>(
    _ type: Number.Type, min: Number = .min, max: Number = .max
  ) -> Number? {
    integer((Int(exactly: min) ?? .min)...(Int(exactly: max) ?? .max)).flatMap { Number(exactly: $0) }
  }

  /// One of an enumeration's raw values.
  public func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ type: Choice.Type, where isAllowed: (Choice) -> Bool = { _ in true }
  ) -> Choice? {
    guard let text = text() else { return nil }
    if let choice = Choice(rawValue: text), isAllowed(choice) { return choice }
    let allowed = Choice.allCases.filter(isAllowed).map(\.rawValue)
    report("invalid-value", "unknown value \(quoted(text)); \(suggestion(text, allowed))")
    return nil
  }

  // MARK: Collections

  /// The items of a list.
  public func items() -> [Cursor]? {
    guard case .sequence(let items) = value.content else {
      wrongType("a list")
      return nil
    }
    return items.enumerated().map { child($1, .index(path, $0)) }
  }

  /// The items of a list that decode.
  public func list<Item>(_ decode: (Cursor) -> Item?) -> [Item]? {
    items()?.compactMap(decode)
  }

  /// The members of a mapping with free keys; null values included.
  public func members() -> [(key: Located<String>, value: Cursor)]? {
    guard case .mapping(let members) = value.content else {
      wrongType("a mapping")
      return nil
    }
    return members.map { (Located($0.key, at: $0.keyLocation), child($0.value, .key(path, $0.key))) }
  }

  /// Decodes a mapping with known fields; those that `decode` did not ask for are errors.
  public func fields<Result>(_ decode: (inout Fields) -> Result?) -> Result? {
    guard case .mapping(let members) = value.content else {
      wrongType("a mapping")
      return nil
    }
    var fields = Fields(cursor: self, members: members)
    let result = decode(&fields)
    fields.reportUnknown()
    return result
  }

  func child(_ value: YAMLValue, _ path: Path) -> Cursor {
    Cursor(value, path: path, log: log, authority: authority)
  }
}

/// `did you mean "x"?`, or what was expected instead.
public func suggestion(_ word: String, _ candidates: [String]) -> String {
  if let nearest = nearestSpelling(to: word, in: candidates) { return "did you mean \(quoted(nearest))?" }
  guard candidates.count <= 20 else { return "nothing of that name is known" }
  return "expected \(candidates.joined(separator: ", "))"
}
