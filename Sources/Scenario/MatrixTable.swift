/// A table of who reaches whom.
///
/// ```
/// from/to    default/a  default/b
/// default/a  .          X
/// default/b  7          .
/// ```
public struct MatrixTable: Equatable, Sendable {
  public enum Cell: Character, Equatable, Sendable, CaseIterable {
    case allowed = "."
    case denied = "X"
    case redirected = "7"
    /// Not asked.
    case ignored = "-"
  }

  public struct Row: Equatable, Sendable {
    public var name: String
    /// As many as there are columns.
    public var cells: [Cell]

    public init(name: String, cells: [Cell]) {
      self.name = name
      self.cells = cells
    }
  }

  public enum SyntaxError: Error, Equatable, CustomStringConvertible {
    case empty
    case noCorner(found: String)
    case duplicate(String)
    case cells(row: String, found: Int, expected: Int)
    case cell(row: String, found: String)

    public var description: String {
      switch self {
      case .empty: "the table is empty; expected a header line that begins with from/to"
      case .noCorner(let found): "the table begins with \"\(found)\"; expected from/to"
      case .duplicate(let name): "\"\(name)\" stands twice in the table"
      case .cells(let row, let found, let expected):
        "the row of \"\(row)\" has \(found) cells; expected \(expected), one per column"
      case .cell(let row, let found): "the row of \"\(row)\" holds \"\(found)\"; expected . X 7 or -"
      }
    }
  }

  public var columns: [String]
  public var rows: [Row]

  public init(columns: [String], rows: [Row]) {
    self.columns = columns
    self.rows = rows
  }

  public init(_ text: String) throws(SyntaxError) {
    let lines = text.split(whereSeparator: \.isNewline).map {
      $0.split(whereSeparator: \.isWhitespace).map(String.init)
    }
    .filter { !$0.isEmpty }
    guard let header = lines.first, let corner = header.first else { throw .empty }
    guard corner == "from/to" else { throw .noCorner(found: corner) }
    columns = Array(header.dropFirst())
    rows = []
    if let twice = Self.duplicate(columns) { throw .duplicate(twice) }
    for line in lines.dropFirst() {
      var cells: [Cell] = []
      for token in line.dropFirst() {
        guard token.count == 1, let cell = token.first.flatMap({ Cell(rawValue: $0) }) else {
          throw .cell(row: line[0], found: token)
        }
        cells.append(cell)
      }
      guard cells.count == columns.count else {
        throw .cells(row: line[0], found: cells.count, expected: columns.count)
      }
      rows.append(Row(name: line[0], cells: cells))
    }
    if let twice = Self.duplicate(rows.map(\.name)) { throw .duplicate(twice) }
  }

  private static func duplicate(_ names: [String]) -> String? {
    var seen: Set<String> = []
    return names.first { !seen.insert($0).inserted }
  }
}

extension MatrixTable: CustomStringConvertible {
  /// The table with aligned columns, no space at the ends of lines, and a final newline.
  public var description: String {
    let table = [["from/to"] + columns] + rows.map { [$0.name] + $0.cells.map { String($0.rawValue) } }
    let widths = (0...columns.count).map { column in table.map { $0[column].count }.max() ?? 0 }
    return table.map { line in
      let padded = zip(line, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
      var text = padded.joined(separator: "  ")
      while text.last == " " { text.removeLast() }
      return text + "\n"
    }.joined()
  }
}
