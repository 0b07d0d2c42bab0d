/// Aligns tab-separated cells in columns, as Go's `text/tabwriter` does with spaces and no flags.
///
/// A cell is text that a tab ends. What stands behind the last tab of a line is not a cell: it belongs to no column
/// and is never padded. A column is a run of consecutive lines that have a cell at the same place; a line with fewer
/// cells ends it, so one table can hold several column widths. A column is as wide as its widest cell plus the
/// padding, but at least `minimumWidth`. Width is counted in Unicode scalars. `\v` ends a cell as a tab does, `\f` ends
/// a line and every column.
public struct TabWriter: Sendable {
  /// The least width of a column, padding included.
  public let minimumWidth: Int
  /// Spaces behind the widest cell of a column.
  public let padding: Int

  private struct Line {
    /// The cells, and behind them the text after the last tab.
    var cells: [[UInt8]] = []
    var endsColumns = false
    var endsWithNewline = false
  }

  private var lines: [Line] = []
  private var line = Line()
  private var cell: [UInt8] = []

  public init(minimumWidth: Int = 5, padding: Int = 3) {
    self.minimumWidth = max(0, minimumWidth)
    self.padding = max(0, padding)
  }

  /// Adds text: tabs end cells, newlines end lines.
  public mutating func write(_ text: some StringProtocol) {
    for octet in text.utf8 {
      switch octet {
      case UInt8(ascii: "\t"), 0x0b: endCell()
      case UInt8(ascii: "\n"), 0x0c: endLine(endsColumns: octet == 0x0c)
      default: cell.append(octet)
      }
    }
  }

  /// Adds one line of cells; the last one is followed by a tab only if `closed`.
  mutating func row(_ cells: [String], closed: Bool = false) {
    write(cells.joined(separator: "\t") + (closed ? "\t\n" : "\n"))
  }

  /// Everything written, aligned.
  public var text: String {
    var all = lines
    // A last line without newline: if a tab ends it, the text before that tab is what stands behind the cells.
    if !cell.isEmpty || !line.cells.isEmpty {
      var last = line
      if !cell.isEmpty { last.cells.append(cell) }
      all.append(last)
    }
    let widths = columnWidths(all)
    var out: [UInt8] = []
    for (line, widths) in zip(all, widths) {
      for (cell, width) in zip(line.cells, widths) {
        out += cell
        out += repeatElement(UInt8(ascii: " "), count: max(0, width - Self.width(cell)))
      }
      out += line.cells.last ?? []
      if line.endsWithNewline { out.append(UInt8(ascii: "\n")) }
    }
    return String(decoding: out, as: UTF8.self)
  }

  private mutating func endCell() {
    line.cells.append(cell)
    cell.removeAll()
  }

  private mutating func endLine(endsColumns: Bool) {
    endCell()
    line.endsColumns = endsColumns
    line.endsWithNewline = true
    lines.append(line)
    line = Line()
  }

  /// The width of each cell of each line. Columns nest (a line with cell n has all cells before it), so one pass
  /// with the open runs as a stack finds them.
  private func columnWidths(_ lines: [Line]) -> [[Int]] {
    var widths = lines.map { Array(repeating: 0, count: max(0, $0.cells.count - 1)) }
    var open: [(first: Int, width: Int)] = []
    func close(to depth: Int, before end: Int) {
      while open.count > depth, let run = open.popLast() {
        for index in run.first..<end { widths[index][open.count] = run.width }
      }
    }
    for (index, line) in lines.enumerated() {
      let depth = max(0, line.cells.count - 1)
      close(to: depth, before: index)
      for column in 0..<depth {
        let width = max(minimumWidth, Self.width(line.cells[column]) + padding)
        if column < open.count {
          open[column].width = max(open[column].width, width)
        } else {
          open.append((index, width))
        }
      }
      if line.endsColumns { close(to: 0, before: index + 1) }
    }
    close(to: 0, before: lines.count)
    return widths
  }

  /// Unicode scalars in UTF-8 text: the octets that continue none.
  private static func width(_ cell: [UInt8]) -> Int {
    cell.reduce(0) { $0 + ($1 & 0xc0 == 0x80 ? 0 : 1) }
  }
}
