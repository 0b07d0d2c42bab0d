/// Differences that are expected: one pattern of a cause on each line, `*` for anything; `#` begins a comment.
public struct AllowList: Sendable {
  public struct Entry: Sendable {
    public var pattern: String
    public var line: Int
    public var isUsed = false
  }

  public private(set) var entries: [Entry] = []

  public init(_ text: String = "") {
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let pattern = Self.trimmed(line)
      guard !pattern.isEmpty, !pattern.hasPrefix("#") else { continue }
      entries.append(Entry(pattern: pattern, line: number + 1))
    }
  }

  /// Whether a cause is expected; the entries that say so are marked as used.
  public mutating func allows(_ cause: String) -> Bool {
    var isAllowed = false
    for index in entries.indices where Self.matches(Array(entries[index].pattern), Array(cause)) {
      entries[index].isUsed = true
      isAllowed = true
    }
    return isAllowed
  }

  /// Entries that have matched nothing: the difference is gone, or the pattern is wrong.
  public var unused: [Entry] { entries.filter { !$0.isUsed } }

  private static func trimmed(_ line: Substring) -> String {
    var line = line.drop { $0 == " " || $0 == "\t" }
    while let last = line.last, last == " " || last == "\t" || last == "\r" { line.removeLast() }
    return String(line)
  }

  /// Linear in the product of the lengths: a pattern of many stars costs no more.
  private static func matches(_ pattern: [Character], _ text: [Character]) -> Bool {
    var reachable = [Bool](repeating: false, count: text.count + 1)
    reachable[0] = true
    for character in pattern {
      if character == "*" {
        guard let first = reachable.firstIndex(of: true) else { return false }
        for index in first..<reachable.count { reachable[index] = true }
        continue
      }
      var next = [Bool](repeating: false, count: text.count + 1)
      for index in text.indices where reachable[index] && text[index] == character { next[index + 1] = true }
      reachable = next
    }
    return reachable[text.count]
  }
}
