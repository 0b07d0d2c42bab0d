/// The table that `kubectl get` prints. Source: `k8s.io/cli-runtime/pkg/printers`.
public struct KubectlTable: Hashable, Sendable {
  public struct Column: Hashable, Sendable {
    public var name: String
    /// Whether only `-o wide` shows it.
    public var isWide: Bool

    public init(_ name: String, isWide: Bool = false) {
      self.name = name
      self.isWide = isWide
    }
  }

  public var columns: [Column]
  /// The cells of each row, in the order of the columns; what exceeds them is not printed, what is
  /// missing is empty.
  public var rows: [[String]]

  public init(columns: [Column], rows: [[String]] = []) {
    self.columns = columns
    self.rows = rows
  }

  /// The rows below the names of the columns; nothing if there is no row (kubectl says so on standard error).
  public func text(wide: Bool = false, headers: Bool = true) -> String {
    guard !rows.isEmpty else { return "" }
    let shown = columns.indices.filter { wide || !columns[$0].isWide }
    var table = TabWriter(minimumWidth: 6)
    if headers { table.row(shown.map { columns[$0].name.uppercased() }) }
    for row in rows { table.row(shown.map { $0 < row.count ? Self.cell(row[$0]) : "" }) }
    return table.text
  }

  /// The first line of a cell, with escape characters made visible.
  private static func cell(_ text: String) -> String {
    let lineEnds: Set<Unicode.Scalar> = ["\u{0c}", "\n", "\r"]
    var line = ""
    for scalar in text.unicodeScalars {
      if lineEnds.contains(scalar) { return line + "..." }
      if scalar == "\u{1b}" { line += "^[" } else { line.unicodeScalars.append(scalar) }
    }
    return line
  }

  /// A time span as the column AGE shows it: `29h`, `5m30s`, `3d4h`. Source: `k8s.io/apimachinery/pkg/util/duration`.
  public static func age(seconds: Int64) -> String {
    if seconds < -1 { return "<invalid>" }
    if seconds < 0 { return "0s" }
    if seconds < 120 { return "\(seconds)s" }
    let minutes = seconds / 60
    if minutes < 10 { return two(minutes, "m", seconds % 60, "s") }
    if minutes < 180 { return "\(minutes)m" }
    let hours = minutes / 60
    if hours < 8 { return two(hours, "h", minutes % 60, "m") }
    if hours < 48 { return "\(hours)h" }
    let days = hours / 24
    if hours < 24 * 8 { return two(days, "d", hours % 24, "h") }
    if hours < 24 * 365 * 2 { return "\(days)d" }
    if hours < 24 * 365 * 8 { return two(days / 365, "y", days % 365, "d") }
    return "\(days / 365)y"
  }

  /// Two units, the lower one only if it is not zero.
  private static func two(_ high: Int64, _ highUnit: String, _ low: Int64, _ lowUnit: String) -> String {
    "\(high)\(highUnit)" + (low == 0 ? "" : "\(low)\(lowUnit)")
  }
}
