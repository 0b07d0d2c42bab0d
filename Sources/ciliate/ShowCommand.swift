import ArgumentParser
import Capture
import Cluster
import Glibc
import Runner
import Scenario
import Views

/// `ciliate show`: cilium-dbg's views of the simulated state.
struct ShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "A view of a node after a scenario, as cilium-dbg would show it.",
    usage: "ciliate show VIEW ... SCENARIO [--node NODE] [--after STEP]",
    discussion: """
      For example: ciliate show bpf ipcache list scenarios/getting-started --node kind-worker. Exit codes: 0 shown, \
      2 an unknown view, node or step, or bad input.
      """)

  @Argument(parsing: .allUnrecognized, help: "The view's words and options, and last the scenario.")
  var words: [String]

  @Option(help: "The node; not needed where there is one.")
  var node: String?

  @Option(help: "Stop after this step: its name, or its number from 1; 0 is before the first.")
  var after: String?

  func run() throws {
    guard words.count > 1, let path = words.last else {
      try stop("expected a view and a scenario: ciliate show bpf lb list scenarios/getting-started")
      return
    }
    let files: [String]
    do { files = try YAMLFiles.find(.scenario, [path]) } catch { return try stop("\(error)") }
    guard files.count == 1 else {
      return try stop("\(path): holds \(files.count) scenarios, name one: \(files.joined(separator: ", "))")
    }
    let (loaded, findings) = ScenarioLoader.load(files[0])
    guard let loaded else {
      return try stop(findings.filter { $0.severity == .error }.map { "\($0)" }.joined(separator: "\n"))
    }
    let shown: ViewOutput
    do {
      shown = try ScenarioView.output(of: Array(words.dropLast()), in: loaded, node: node, after: after)
    } catch { return try stop("\(error)") }
    var output = TextOutput(descriptor: 1)
    output.put(text: shown.text)
    output.flush()
    if !shown.notice.isEmpty {
      complain(shown.notice.last == "\n" ? String(shown.notice.dropLast()) : shown.notice)
    }
  }

  private func stop(_ message: String) throws {
    complain(message)
    throw ExitCode(2)
  }
}
