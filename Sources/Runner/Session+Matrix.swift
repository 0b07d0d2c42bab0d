import Cluster
import ControlPlane
import Datapath
import Scenario
import Simulator

extension Session where Observer: ~Copyable {
  /// Tries every source against every target and judges the table.
  mutating func perform(
    _ matrix: MatrixProbe, _ expect: Expectation?, _ outcome: inout StepOutcome, _ judge: inout Judge
  ) throws(StepError) {
    let sources = matrix.from.isEmpty ? everyWorkload().map(\.source) : matrix.from
    let targets = matrix.to.isEmpty ? everyWorkload().map(\.target) : matrix.to
    var tables: [String] = []
    for port in matrix.ports {
      var rows: [MatrixTable.Row] = []
      for source in sources {
        var cells: [MatrixTable.Cell] = []
        for target in targets {
          cells.append(try cell(source, target, port, matrix, &outcome, &judge))
        }
        rows.append(MatrixTable.Row(name: Self.name(source), cells: cells))
      }
      let table = MatrixTable(columns: targets.map { Self.name($0) }, rows: rows)
      tables.append((matrix.ports.count > 1 ? "port \(port)\n" : "") + table.description)
      if let wanted = expect?.matrix { compare(wanted.value, table, port, &judge) }
    }
    outcome.got.text = tables.joined(separator: "\n")
  }

  private mutating func cell(
    _ source: ProbeSource, _ target: ProbeTarget, _ port: ProbePort, _ matrix: MatrixProbe,
    _ outcome: inout StepOutcome, _ judge: inout Judge
  ) throws(StepError) -> MatrixTable.Cell {
    if Self.name(source) == Self.name(target) { return .ignored }
    let probe = Probe(from: source, to: target, port: port, timeout: matrix.timeout)
    let run = run(probe)
    if let failure = run.failure { throw StepError(failure) }
    guard let result = run.results.last else { return .ignored }
    outcome.journeys += result.journeys
    let got = observation(result)
    for message in intentDifferences(probe, result, got) {
      judge.fail("\(Self.name(source)) → \(Self.name(target)) \(port): \(message)")
    }
    return switch got.verdict {
    case "denied": .denied
    case "redirected": .redirected
    default: result.outcome == .timeout ? .denied : .allowed
    }
  }

  private func compare(_ wanted: MatrixTable, _ got: MatrixTable, _ port: ProbePort, _ judge: inout Judge) {
    judge.expect("matrix", "\(wanted)")
    for row in wanted.rows {
      guard let seen = got.rows.first(where: { Self.isSame(row.name, $0.name) }) else {
        judge.fail("matrix: there is no row \(row.name)")
        continue
      }
      for (column, cell) in zip(wanted.columns, row.cells) where cell != .ignored {
        guard let index = got.columns.firstIndex(where: { Self.isSame(column, $0) }) else {
          judge.fail("matrix: there is no column \(column)")
          continue
        }
        guard seen.cells[index] != cell else { continue }
        judge.fail(
          "matrix: \(row.name) → \(column) \(port): expected \(cell.rawValue), got \(seen.cells[index].rawValue)"
        )
      }
    }
  }

  /// A bare name is one of namespace default.
  private static func isSame(_ a: String, _ b: String) -> Bool {
    a == b || "default/\(a)" == b || a == "default/\(b)"
  }

  private static func name(_ source: ProbeSource) -> String {
    switch source {
    case .pod(let id), .workload(let id): "\(id)"
    case .node(let name): "node/\(name)"
    case .external(let name): "external/\(name)"
    }
  }

  private static func name(_ target: ProbeTarget) -> String {
    if case .workload(let id) = target { return "\(id)" }
    return "\(target)"
  }

  /// Every workload of the user's, and every pod that belongs to none, by name.
  private func everyWorkload() -> [(source: ProbeSource, target: ProbeTarget)] {
    var names: [(id: NamespacedName, isPod: Bool)] = state.workloads.map { ($0.id, false) }
    for pod in state.pods where pod.metadata.owner == nil && !pod.spec.hostNetwork {
      names.append((pod.id, true))
    }
    return names.sorted { $0.id.description < $1.id.description }.map { entry in
      entry.isPod ? (.pod(entry.id), .pod(entry.id)) : (.workload(entry.id), .workload(entry.id))
    }
  }
}
