import Cluster
import ControlPlane
import Datapath
import Lint
import Manifests
import MapABI
import Scenario
import Simulator

extension Session where Observer: ~Copyable {
  /// Whether a node's map, or any node's where none is named, holds the entries.
  func judge(_ expectation: MapExpectation, _ judge: inout Judge) {
    let nodes = expectation.node.map { [$0] } ?? nodeOrder
    judge.expect("map", "\(expectation.name): \(expectation.entries.count) entries")
    var rows: [MapRows.Row] = []
    for name in nodes {
      guard let index = network.nodeIndex(named: name) else {
        return judge.fail("map: there is no node \(name)")
      }
      guard let found = network.withState(ofNode: index, { MapRows.rows(expectation.name, $0.maps) }) else {
        return judge.cannotJudge("map \(expectation.name)")
      }
      rows += found
    }
    for entry in expectation.entries { self.judge(entry, among: rows, expectation.name, &judge) }
  }

  private func judge(
    _ entry: YAMLValue, among rows: [MapRows.Row], _ name: String, _ judge: inout Judge
  ) {
    guard case .mapping(let members) = entry.content else {
      return judge.fail("map: an entry of \(name) is given by its fields")
    }
    var wanted: [(String, String)] = []
    for member in members {
      guard let text = member.value.text else { return judge.cannotJudge("map.\(name).\(member.key)") }
      if let row = rows.first, row[member.key] == nil {
        return judge.fail(
          "map: \(name) has no field \(member.key); it has \(row.keys.sorted().joined(separator: ", "))")
      }
      wanted.append((member.key, text))
    }
    let isThere = rows.contains { row in wanted.allSatisfy { matchesGlob(row[$0.0] ?? "", $0.1) } }
    guard !isThere else { return }
    let words = wanted.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
    // The entry that has most of what is wanted tells what is wrong.
    let nearest = rows.max { a, b in
      wanted.count { matchesGlob(a[$0.0] ?? "", $0.1) } < wanted.count { matchesGlob(b[$0.0] ?? "", $0.1) }
    }
    let seen = nearest.map { row in
      "; the nearest has " + wanted.map { "\($0.0) \(row[$0.0] ?? "-")" }.joined(separator: ", ")
    }
    judge.fail("map: \(name) has no entry with \(words)\(seen ?? "; it is empty")")
  }

  /// Whether all findings that are expected are there: of the linter, of reading, and of the agents.
  func judgeLint(_ expected: [Located<String>], _ judge: inout Judge) {
    judge.expect("lint", expected.map(\.value).joined(separator: ", "))
    var findings = Linter.findings(in: state, settings: settings) + controlPlane.findings
    for cluster in loaded.clusters { findings += cluster.manifests.findings }
    for (_, manifests) in loaded.stepManifests.sorted(by: { $0.key < $1.key }) {
      findings += manifests.findings
    }
    let ids = Set(findings.map(\.id))
    for id in expected where !ids.contains(id.value) {
      judge.fail(
        "lint: expected \(id.value), got \(ids.isEmpty ? "nothing" : ids.sorted().joined(separator: ", "))")
    }
  }
}
