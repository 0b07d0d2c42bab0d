import Capture
public import Cluster
public import Intent
import Scenario

/// Who can reach what, and by which rule: `ciliate matrix`.
public struct MatrixReport {
  private let matrix: Matrix
  private let cluster: ClusterState
  private let asked: AskedPorts
  /// From this many columns on, they are numbered, and cells stand side by side.
  private static let dense = 17
  /// As many names are listed on a line.
  private static let names = 8

  /// - Parameter onlyDeclared: whether a target is asked about the ports that it declares only, if it declares any.
  public init(_ matrix: Matrix, cluster: ClusterState, onlyDeclared: Bool = false) {
    self.matrix = matrix
    self.cluster = cluster
    asked = AskedPorts(matrix, onlyDeclared: onlyDeclared)
  }

  // MARK: Text

  /// A table for each port, then each decision with the cells that it is about.
  public func text(explains: Bool) -> String {
    var text = ""
    for transport in matrix.transports.indices {
      text += "\(matrix.transports[transport])\n" + table(transport) + "\n"
    }
    if explains { text += reasons() }
    return text
  }

  private func table(_ transport: Int) -> String {
    guard matrix.columns.count < Self.dense else { return denseTable(transport) }
    return MatrixTable(
      columns: matrix.columns.map(\.description),
      rows: matrix.rows.indices.map { row in
        MatrixTable.Row(
          name: "\(matrix.rows[row])",
          cells: matrix.columns.indices.map { column in
            guard asked[transport, column] else { return .ignored }
            return switch matrix[transport, row, column].verdict {
            case .allowed: .allowed
            case .denied: .denied
            case .redirected: .redirected
            }
          })
      }
    ).description
  }

  /// Columns by their numbers, read downwards; those of the rows are the same where the names are.
  private func denseTable(_ transport: Int) -> String {
    let isSquare = matrix.rows == matrix.columns
    let digits = "\(matrix.columns.count)".count
    let width = (matrix.rows.map(\.description.count).max() ?? 0) + digits + 2
    var text = ""
    if !isSquare {
      for (number, column) in matrix.columns.enumerated() {
        text += "\(aligned(number + 1, digits))  \(column)\n"
      }
    }
    for digit in 0..<digits {
      let line = matrix.columns.indices.map { column -> Character in
        Array(aligned(column + 1, digits))[digit]
      }
      text += padded(digit == digits - 1 ? "from/to" : "", width) + "  " + String(line) + "\n"
    }
    let lines = lines(transport)
    for (row, subject) in matrix.rows.enumerated() {
      let number = isSquare ? aligned(row + 1, digits) : String(repeating: " ", count: digits)
      text += padded("\(number)  \(subject)", width) + "  " + lines[row] + "\n"
    }
    return text
  }

  private func lines(_ transport: Int) -> [String] {
    matrix.rows.indices.map { row in
      String(
        matrix.columns.indices.map { column in
          asked[transport, column] ? matrix[transport, row, column].symbol : "-"
        })
    }
  }

  private func aligned(_ number: Int, _ width: Int) -> String {
    let text = "\(number)"
    return String(repeating: " ", count: max(0, width - text.count)) + text
  }

  private func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  /// A decision at one end: who is concerned at the other, and on which ports.
  private struct Group {
    var cell: Matrix.Cell
    var place: (row: Int, column: Int)
    var peers: [Int]
    var transports: [Int]
  }

  /// A decision at one end.
  private struct Place: Hashable {
    var decision: Int
    var own: Int
  }

  private func groups() -> [Group] {
    var result: [Group] = []
    var known: [Place: [Int]] = [:]
    for transport in matrix.transports.indices {
      for (place, group) in groups(transport) {
        if let same = known[place]?.first(where: { result[$0].peers == group.peers }) {
          result[same].transports.append(transport)
        } else {
          known[place, default: []].append(result.count)
          result.append(group)
        }
      }
    }
    return result
  }

  private func groups(_ transport: Int) -> [(Place, Group)] {
    var result: [(Place, Group)] = []
    var positions: [Place: Int] = [:]
    for row in matrix.rows.indices {
      for column in matrix.columns.indices where asked[transport, column] {
        let decision = matrix.decision(transport, row, column)
        let cell = matrix.decisions[decision]
        // What nobody decides is not worth a line.
        if cell.verdict == .allowed, cell.site == nil, cell.reason != .localHost { continue }
        let (own, peer) = cell.direction == .egress ? (row, column) : (column, row)
        let place = Place(decision: decision, own: own)
        if let position = positions[place] {
          result[position].1.peers.append(peer)
        } else {
          positions[place] = result.count
          result.append(
            (place, Group(cell: cell, place: (row, column), peers: [peer], transports: [transport])))
        }
      }
    }
    return result
  }

  private func reasons() -> String {
    var text = "Why\n"
    let groups = groups()
    for group in groups {
      let ports = group.transports.map { "\(matrix.transports[$0])" }.joined(separator: ", ")
      let isEgress = group.cell.direction == .egress
      let own = isEgress ? "\(matrix.rows[group.place.row])" : "\(matrix.columns[group.place.column])"
      let peers = isEgress ? matrix.columns : matrix.rows
      var names = group.peers.prefix(Self.names).map { "\(peers[$0])" }.joined(separator: ", ")
      if group.peers.count == peers.count, peers.count > 1 {
        names = "everyone"
      } else if group.peers.count > Self.names {
        names += " and \(group.peers.count - Self.names) more"
      }
      let pair = isEgress ? "\(own) → \(names)" : "\(names) → \(own)"
      text += "  \(group.cell.symbol)  \(pair)  \(ports)\n"
      text += "     \(group.cell.direction.rawValue.lowercased()): \(reason(group.cell, group.place))\n"
    }
    if matrix.decisions.contains(where: { $0.verdict == .allowed && $0.site == nil }) {
      text += "  .  all else: no policy is enforced, or none speaks of it\n"
    }
    return text
  }

  private func reason(_ cell: Matrix.Cell, _ place: (row: Int, column: Int)) -> String {
    matrix.reason(cell, row: place.row, column: place.column) { cluster[$0]?.location ?? .none }
  }

  // MARK: JSON

  /// `ciliate.matrix/v1`: each port's cells as lines of symbols, and for each cell which decision it is.
  public var json: JSONValue {
    .members(
      ("schema", .string("ciliate.matrix/v1")),
      ("from", .array(matrix.rows.map(Self.subject))),
      ("to", .array(matrix.columns.map(Self.subject))),
      ("decisions", .array(matrix.decisions.map(decision))),
      (
        "ports",
        .array(
          matrix.transports.indices.map { transport in
            .members(
              ("port", .string("\(matrix.transports[transport])")),
              ("verdicts", .array(lines(transport).map(JSONValue.string))),
              (
                "decided",
                .array(
                  matrix.rows.indices.map { row in
                    .array(
                      matrix.columns.indices.map { column in
                        asked[transport, column] ? .integer(matrix.decision(transport, row, column)) : .null
                      })
                  })
              ))
          })
      ))
  }

  static func subject(_ subject: Subject) -> JSONValue {
    .members(("name", .string("\(subject)")), ("kind", .string(subject.kind.rawValue)))
  }

  private func decision(_ cell: Matrix.Cell) -> JSONValue {
    .members(
      ("verdict", .string(cell.verdict.rawValue)),
      ("direction", .string(cell.direction.rawValue.lowercased())),
      ("reason", .string(cell.reason.rawValue)), ("rule", RuleJSON.rule(matrix.site(cell))))
  }
}

/// A rule as JSON: its policy, where in it, and the place in the file.
enum RuleJSON {
  static func rule(_ site: RuleSite?) -> JSONValue {
    guard let site else { return .null }
    return .members(
      ("policy", policy(site.policy)), ("path", .string(site.path)), ("port", .text(site.port)),
      ("location", location(site.location)))
  }

  static func policy(_ reference: ObjectReference) -> JSONValue {
    .members(
      ("kind", .string(reference.kind.rawValue)),
      ("namespace", .text(reference.namespace.isEmpty ? nil : reference.namespace)),
      ("name", .string(reference.name)))
  }

  static func location(_ location: SourceLocation) -> JSONValue {
    guard location.isKnown else { return .null }
    return .members(
      ("file", .string(location.file)), ("line", .integer(location.line)),
      ("column", .integer(location.column)))
  }
}

/// Which targets are asked about which ports.
struct AskedPorts {
  private let asked: [[Bool]]

  init(_ matrix: Matrix, onlyDeclared: Bool) {
    asked = matrix.transports.map { transport in
      matrix.columns.map { column in
        !onlyDeclared || column.ports.isEmpty
          || column.ports.contains { Transport($0.transport, $0.number) == transport }
      }
    }
  }

  subscript(transport: Int, column: Int) -> Bool { asked[transport][column] }
}
