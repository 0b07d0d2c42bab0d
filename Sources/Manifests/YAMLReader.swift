import Cluster
import Yams

/// Reads YAML text into located values, one per document.
///
/// Duplicate keys are errors; `<<` merges; anchors and aliases are followed as far as the limits go. Nothing that
/// the text holds can make it trap, or take more than `limits`.
public struct YAMLReader {
  public struct Limits: Sendable {
    public var octets = 64 << 20
    public var depth = 100
    /// Values of one document, those that aliases repeat counted each time.
    public var values = 5_000_000

    public init() {}
  }

  /// How far the text is from the beginning of the file, and of its lines, when it stands inside another.
  public struct Offset: Sendable {
    public var lines: Int
    public var columns: Int

    public init(lines: Int = 0, columns: Int = 0) {
      self.lines = lines
      self.columns = columns
    }
  }

  public var file: String
  public var limits: Limits
  public var offset: Offset

  public init(file: String, limits: Limits = Limits(), offset: Offset = Offset()) {
    self.file = file
    self.limits = limits
    self.offset = offset
  }

  /// The documents of a stream, in order; an empty document is a null value.
  public func documents(_ text: String) throws(YAMLSyntaxError) -> [YAMLValue] {
    guard text.utf8.count <= limits.octets else {
      throw error(1, 1, "the file has \(text.utf8.count) octets; at most \(limits.octets) are read")
    }
    try AliasScan(text).check(file)
    var documents: [YAMLValue] = []
    do {
      let parser = try Yams.Parser(yaml: text, resolver: .basic)
      while let root = try parser.nextRoot() {
        var budget = limits.values
        documents.append(try value(root, depth: 0, budget: &budget))
      }
    } catch let error as YAMLSyntaxError {
      throw error
    } catch let error as YamlError {
      throw translate(error, text)
    } catch {
      throw self.error(1, 1, "\(error)")
    }
    return documents
  }

  private func value(_ node: Yams.Node, depth: Int, budget: inout Int) throws(YAMLSyntaxError) -> YAMLValue {
    let location = location(node.mark)
    budget -= 1
    guard budget > 0 else {
      throw YAMLSyntaxError(location, "more than \(limits.values) values (with aliases followed)")
    }
    guard depth <= limits.depth else {
      throw YAMLSyntaxError(location, "nested more than \(limits.depth) deep")
    }
    switch node {
    case .scalar(let scalar):
      return YAMLValue(content(scalar), text: scalar.string, location: location)
    case .sequence(let sequence):
      var items: [YAMLValue] = []
      items.reserveCapacity(sequence.count)
      for item in sequence { items.append(try value(item, depth: depth + 1, budget: &budget)) }
      return YAMLValue(.sequence(items), location: location)
    case .mapping(let mapping):
      return YAMLValue(.mapping(try members(mapping, depth, &budget)), location: location)
    case .alias:
      throw YAMLSyntaxError(location, "an alias that nothing defines")
    }
  }

  private func members(
    _ mapping: Yams.Node.Mapping, _ depth: Int, _ budget: inout Int
  ) throws(YAMLSyntaxError) -> [YAMLValue.Member] {
    var members: [YAMLValue.Member] = []
    var merged: [YAMLValue.Member] = []
    members.reserveCapacity(mapping.count)
    for (key, node) in mapping {
      guard case .scalar(let scalar) = key else {
        throw YAMLSyntaxError(location(key.mark), "a mapping key must be a scalar")
      }
      let value = try value(node, depth: depth + 1, budget: &budget)
      if scalar.string == "<<", scalar.style == .plain {
        merged += try mergeable(value)
      } else {
        members.append(.init(key: scalar.string, keyLocation: location(key.mark), value: value))
      }
    }
    var seen: [String: SourceLocation] = [:]
    for member in members {
      if let first = seen.updateValue(member.keyLocation, forKey: member.key) {
        throw YAMLSyntaxError(
          member.keyLocation, "the key \(quoted(member.key)) stands twice; first in line \(first.line)")
      }
    }
    for member in merged where seen.updateValue(member.keyLocation, forKey: member.key) == nil {
      members.append(member)
    }
    return members
  }

  /// What `<<: value` brings: the members of a mapping, or of several, earlier ones first.
  private func mergeable(_ value: YAMLValue) throws(YAMLSyntaxError) -> [YAMLValue.Member] {
    switch value.content {
    case .mapping(let members): return members
    case .sequence(let items):
      var members: [YAMLValue.Member] = []
      for item in items {
        guard case .mapping(let more) = item.content else {
          throw YAMLSyntaxError(item.location, "'<<' merges mappings only, found \(item.kindText)")
        }
        members += more
      }
      return members
    default: throw YAMLSyntaxError(value.location, "'<<' merges mappings only, found \(value.kindText)")
    }
  }

  private func content(_ scalar: Yams.Node.Scalar) -> YAMLValue.Content {
    switch scalar.tag.description {
    case Tag.Name.str.rawValue: return .string(scalar.string)
    case Tag.Name.null.rawValue: return .null
    default: break
    }
    return scalar.style == .plain ? .resolving(plain: scalar.string) : .string(scalar.string)
  }

  private func location(_ mark: Mark?) -> SourceLocation {
    place(mark?.line ?? 1, mark?.column ?? 1)
  }

  private func place(_ line: Int, _ column: Int) -> SourceLocation {
    SourceLocation(file: file, line: line + offset.lines, column: column + offset.columns)
  }

  private func error(_ line: Int, _ column: Int, _ message: String) -> YAMLSyntaxError {
    YAMLSyntaxError(place(line, column), message)
  }

  private func translate(_ error: YamlError, _ text: String) -> YAMLSyntaxError {
    switch error {
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      let more = context.map { " (\($0.text), line \($0.mark.line + offset.lines))" } ?? ""
      return YAMLSyntaxError(location(mark), problem + more)
    case .reader(let problem, let offset, let value, _):
      let place = place(of: offset ?? 0, in: text)
      let which = value > 0 ? " U+" + String(value, radix: 16, uppercase: true) : ""
      return self.error(place.line, place.column, problem + which)
    case .duplicatedKeysInMapping(let keys, let context):
      return duplicate(keys, context.mark, text)
    default:
      return self.error(1, 1, "\(error)")
    }
  }

  /// Yams marks the first of the two keys; the reader is better served with the second, which is looked for in
  /// the lines that follow at the same column.
  private func duplicate(_ keys: [String], _ mark: Mark, _ text: String) -> YAMLSyntaxError {
    let key = keys.first ?? ""
    let message = "the key \(quoted(key)) stands twice; first in line \(mark.line + offset.lines)"
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    for (index, line) in lines.enumerated().dropFirst(mark.line) {
      if line.dropFirst(mark.column - 1).hasPrefix(key + ":") {
        return error(index + 1, mark.column, message)
      }
    }
    return error(mark.line, mark.column, message)
  }

  private func place(of offset: Int, in text: String) -> (line: Int, column: Int) {
    var line = 1
    var column = 1
    for character in text.prefix(offset) {
      if character.isNewline { (line, column) = (line + 1, 1) } else { column += 1 }
    }
    return (line, column)
  }
}

/// Text that is not YAML.
public struct YAMLSyntaxError: Error, Equatable {
  public var location: SourceLocation
  public var message: String

  public init(_ location: SourceLocation, _ message: String) {
    self.location = location
    self.message = message
  }

  public var finding: Finding {
    Finding(id: "yaml-syntax", severity: .error, at: location, message)
  }
}

extension YAMLSyntaxError: CustomStringConvertible {
  public var description: String { finding.description }
}
