import Cluster
import Conformance
import Datapath
import Foundation
import Report
import Runner
import Scenario
import TestSupport
import Testing

/// A scenario file of this package.
struct ScenarioCase: Sendable, CustomTestStringConvertible {
  /// Relative to the package.
  var path: String
  var testDescription: String { path }

  /// `getting-started` for `scenarios/getting-started/scenario.yaml`, `policy-egress` for
  /// `scenarios/policy/egress.yaml`.
  var name: String {
    let words = path.dropFirst("scenarios/".count).dropLast(".yaml".count).split(separator: "/")
    return (words.last == "scenario" ? words.dropLast() : words[...]).joined(separator: "-")
  }

  /// Whether it is all tables: they tell everything, and walks would tell it at length.
  var isOfSuite: Bool {
    ["k8s-e2e", "connectivity", "cnp-conformance", "who-reaches-what"].contains {
      path.hasPrefix("scenarios/policy/\($0)/")
    }
  }

  static let all: [ScenarioCase] = files(in: "scenarios").map(ScenarioCase.init)

  private static func files(in folder: String) -> [String] {
    Folder.names(in: "\(PackageFolder.path)/\(folder)").flatMap { name -> [String] in
      let path = "\(folder)/\(name)"
      if Folder.exists("\(PackageFolder.path)/\(path)") { return files(in: path) }
      guard name.hasSuffix(".yaml"),
        let text = try? String(contentsOfFile: "\(PackageFolder.path)/\(path)", encoding: .utf8)
      else { return [] }
      return text.split(separator: "\n").contains("kind: Scenario") ? [path] : []
    }
  }

  func run<Observer: ScenarioObserver & ~Copyable>(_ observer: consuming Observer) throws -> ScenarioOutcome {
    try runScenario("\(PackageFolder.path)/\(path)", observer)
  }

  func run() throws -> ScenarioOutcome { try run(NoObserver()) }
}

/// Loads and runs a scenario file.
func runScenario<Observer: ScenarioObserver & ~Copyable>(
  _ path: String, _ observer: consuming Observer
) throws -> ScenarioOutcome {
  let (scenario, findings) = ScenarioLoader.load(path)
  let loaded = try #require(scenario, "\(findings.map(\.description))")
  return ScenarioRunner.run(loaded, findings: findings, seed: nil, observer: observer)
}

/// What `ciliate run` prints of an outcome, without the place of this package.
func report(_ outcome: ScenarioOutcome, walks: TextReport.Walks) -> String {
  let all = Outcome(
    seed: 1, kernel: KernelStatus(ran: false, reason: "switched off"), scenarios: [outcome])
  return TextReport(walks: walks).text(all).replacingOccurrences(of: PackageFolder.path + "/", with: "")
}

extension ScenarioOutcome {
  /// Everything that a failed test wants to show.
  var complaints: String {
    let steps = steps.filter { $0.result != .pass }.map {
      "\($0.name): \($0.result.rawValue): \($0.messages)"
    }
    let differences = agreement.divergences.prefix(5).map {
      "\($0.node)/\($0.device):\($0.hook) \($0.field.rawValue): \($0.expected), \($0.found)"
    }
    return (steps + differences + agreement.notRun.map { "not run: \($0.count) \($0.reason)" })
      .joined(separator: "\n")
  }
}
