import Cluster
public import Scenario

/// A scenario file of which only some steps are kept.
///
/// Works on the text, so that what remains reads as its author wrote it, comments included.
public struct ScenarioReduction {
  private let lines: [Substring]
  /// The lines of each step, the comments above it included.
  private let steps: [Range<Int>]

  /// Nil when the steps cannot be told apart by lines: written in flow style, or made by other means.
  public init?(text: String, scenario: ScenarioFile) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let starts = scenario.steps.map { $0.location.line - 1 }
    guard !starts.isEmpty, starts == Array(Set(starts)).sorted(), let first = starts.first, first >= 0,
      let last = starts.last, last < lines.count, starts.allSatisfy({ Self.isItem(lines[$0]) })
    else { return nil }
    let indent = Self.indent(lines[first])
    var ranges: [Range<Int>] = []
    for (number, start) in starts.enumerated() {
      guard Self.indent(lines[start]) == indent else { return nil }
      var from = start
      while from > 0, Self.isComment(lines[from - 1]), from - 1 >= (ranges.last?.upperBound ?? 0) {
        from -= 1
      }
      var to = start + 1
      let limit = number + 1 < starts.count ? starts[number + 1] : lines.count
      while to < limit, Self.isBlank(lines[to]) || Self.indent(lines[to]) > indent { to += 1 }
      if let previous = ranges.last { from = max(from, previous.upperBound) }
      ranges.append(from..<to)
    }
    self.lines = lines
    steps = ranges
  }

  public var count: Int { steps.count }

  /// The file with the steps of these numbers alone; nil for none, since a scenario needs one.
  public func text(keeping kept: [Int]) -> String? {
    guard !kept.isEmpty else { return nil }
    let removed = steps.indices.filter { !kept.contains($0) }.map { steps[$0] }
    var result: [Substring] = []
    for (number, line) in lines.enumerated() where !removed.contains(where: { $0.contains(number) }) {
      result.append(line)
    }
    return result.joined(separator: "\n")
  }

  private static func indent(_ line: Substring) -> Int { line.prefix { $0 == " " }.count }
  private static func isBlank(_ line: Substring) -> Bool { line.allSatisfy { $0 == " " || $0 == "\r" } }
  private static func isItem(_ line: Substring) -> Bool { line.drop { $0 == " " }.hasPrefix("- ") }
  private static func isComment(_ line: Substring) -> Bool { line.drop { $0 == " " }.hasPrefix("#") }
}
