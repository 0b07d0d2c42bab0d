import Capture
public import Cluster
public import Intent

/// What a change of manifests cuts off and opens: `ciliate matrix --before`.
public struct MatrixChangeReport {
  private let before: (matrix: Matrix, cluster: ClusterState)
  private let after: (matrix: Matrix, cluster: ClusterState)
  private let changes: [MatrixChange]

  private let asked: Int

  /// - Parameter onlyDeclared: whether a target is asked about the ports that it declares only, if it declares any.
  public init(
    before: Matrix, in old: ClusterState, after: Matrix, in new: ClusterState, onlyDeclared: Bool = false
  ) {
    self.before = (before, old)
    self.after = (after, new)
    let ports = AskedPorts(before, onlyDeclared: onlyDeclared)
    changes = before.changes(to: after).filter { ports[$0.place.transport, $0.place.column] }
    asked =
      before.rows.count
      * before.transports.indices.reduce(0) { sum, transport in
        sum + before.columns.indices.count { ports[transport, $0] }
      }
  }

  public var isUnchanged: Bool { changes.isEmpty }

  /// Grouped by what happens, each with the decision before and after.
  public func text() -> String {
    var text = ""
    for kind in [MatrixChange.Kind.cutOff, .opened, .redirected, .direct] {
      let here = changes.filter { $0.kind == kind }
      guard !here.isEmpty else { continue }
      text += "\(Self.heading(kind)): \(here.count)\n"
      for (change, ports) in merged(here) {
        text += "  \(change.from) → \(change.to)  \(ports.joined(separator: ", "))\n"
        text += "     before: \(reason(change.place, before))\n"
        text += "     after:  \(reason(change.newPlace, after))\n"
      }
    }
    let (gone, new) = before.matrix.difference(to: after.matrix)
    if !gone.isEmpty { text += "only before: \(gone.map(\.description).joined(separator: ", "))\n" }
    if !new.isEmpty { text += "only after: \(new.map(\.description).joined(separator: ", "))\n" }
    return text + "\(changes.count) of \(asked) conversations change\n"
  }

  /// Changes of the same two ends for the same reasons are one, on several ports.
  private func merged(_ changes: [MatrixChange]) -> [(change: MatrixChange, ports: [String])] {
    var result: [(change: MatrixChange, ports: [String])] = []
    var known: [String: Int] = [:]
    for change in changes {
      let key = [
        "\(change.place.row) \(change.place.column)", reason(change.place, before),
        reason(change.newPlace, after),
      ].joined(separator: "\n")
      if let index = known[key] {
        result[index].ports.append("\(change.transport)")
      } else {
        known[key] = result.count
        result.append((change, ["\(change.transport)"]))
      }
    }
    return result
  }

  static func heading(_ kind: MatrixChange.Kind) -> String {
    switch kind {
    case .cutOff: "cut off"
    case .opened: "opened"
    case .redirected: "through a proxy now"
    case .direct: "past the proxy now"
    }
  }

  private func reason(
    _ place: MatrixChange.Place, _ side: (matrix: Matrix, cluster: ClusterState)
  ) -> String {
    let cell = side.matrix[place.transport, place.row, place.column]
    let why = side.matrix.reason(cell, row: place.row, column: place.column) {
      side.cluster[$0]?.location ?? .none
    }
    return "\(cell.symbol) \(cell.direction.rawValue.lowercased()): \(why)"
  }

  /// `ciliate.matrix-change/v1`.
  public var json: JSONValue {
    let (gone, new) = before.matrix.difference(to: after.matrix)
    return .members(
      ("schema", .string("ciliate.matrix-change/v1")),
      (
        "changes",
        .array(
          changes.map { change in
            .members(
              ("change", .string(change.kind.rawValue)), ("from", MatrixReport.subject(change.from)),
              ("to", MatrixReport.subject(change.to)), ("port", .string("\(change.transport)")),
              ("before", side(change.place, before)), ("after", side(change.newPlace, after)))
          })
      ),
      ("gone", .array(gone.map(MatrixReport.subject))), ("new", .array(new.map(MatrixReport.subject))))
  }

  private func side(
    _ place: MatrixChange.Place, _ side: (matrix: Matrix, cluster: ClusterState)
  ) -> JSONValue {
    let cell = side.matrix[place.transport, place.row, place.column]
    return .members(
      ("verdict", .string(cell.verdict.rawValue)),
      ("direction", .string(cell.direction.rawValue.lowercased())),
      ("rule", RuleJSON.rule(side.matrix.site(cell))),
      ("words", .string(reason(place, side))))
  }
}
