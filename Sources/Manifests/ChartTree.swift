/// What is known of a Helm value: a group of others, or a value with its default.
indirect enum ChartTree: Sendable {
  case group([(name: String, tree: ChartTree)])
  /// nil when it is empty or free by default.
  case value(default: String?)
  /// No packet sees it.
  case indifferent

  /// The chart's values.
  static let chart: ChartTree = parse()

  subscript(name: String) -> ChartTree? {
    guard case .group(let members) = self else { return nil }
    return members.first { $0.name == name }?.tree
  }

  var names: [String] {
    guard case .group(let members) = self else { return [] }
    return members.map(\.name)
  }

  private static func parse() -> ChartTree {
    var open: [(name: String, members: [(name: String, tree: ChartTree)])] = [("", [])]
    for token in ChartKeys.text.split(whereSeparator: \.isWhitespace) {
      if token == "}" {
        guard open.count > 1, let closed = open.popLast() else { continue }
        open[open.count - 1].members.append((closed.name, .group(closed.members)))
      } else if token.hasSuffix("{") {
        open.append((String(token.dropLast()), []))
      } else {
        open[open.count - 1].members.append(leaf(token))
      }
    }
    return .group(open[0].members)
  }

  private static func leaf(_ token: Substring) -> (name: String, tree: ChartTree) {
    if token.hasSuffix("~") { return (String(token.dropLast()), .indifferent) }
    if token.hasSuffix("*") { return (String(token.dropLast()), .value(default: nil)) }
    guard let sign = token.firstIndex(of: "=") else { return (String(token), .value(default: nil)) }
    let text = token[token.index(after: sign)...]
    return (String(token[..<sign]), .value(default: text == "\"\"" ? "" : String(text)))
  }
}
