import Cluster

/// Every id that `ciliate lint` can give, with what it means: what docs/LINTS.md shows.
public enum LintCatalogue {
  public struct Entry: Hashable, Sendable {
    public var id: String
    public var severity: Finding.Severity
    /// Who refuses the object in a cluster; empty for what is taken there.
    public var refusedBy: [Finding.Authority]
    public var summary: String
  }

  /// First what reading finds, then what the linter looks for, each in the order of its list.
  public static let entries: [Entry] =
    ReadingRule.allCases.map {
      Entry(id: $0.rawValue, severity: $0.severity, refusedBy: $0.refusedBy, summary: $0.summary)
    }
    + LintRule.allCases.map {
      Entry(
        id: $0.rawValue, severity: $0.severity, refusedBy: $0.isRefusal ? [.agent] : [], summary: $0.summary)
    }

  public static subscript(id: String) -> Entry? { entries.first { $0.id == id } }

  /// The entries as a table in Markdown, by id.
  public static var table: String {
    let rows =
      [["id", "severity", "refused by", "what it is about"], ["-", "-", "-", "-"]]
      + entries.sorted { $0.id < $1.id }.map { entry in
        let by = entry.refusedBy.map(\.rawValue).joined(separator: " or ")
        return ["`\(entry.id)`", entry.severity.rawValue, by, entry.summary]
      }
    let widths = (0..<3).map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = (0..<3).map { row[$0] + String(repeating: " ", count: widths[$0] - row[$0].count) }
      return "| \(cells.joined(separator: " | ")) | \(row[3]) |\n"
    }.joined()
  }
}
