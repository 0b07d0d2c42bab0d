import ArgumentParser
import Explore

/// `ciliate compare`: two datapaths, one traffic.
struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare", abstract: "What changes between two datapaths.",
    discussion: """
      A side is `builtin` (this binary's programs), `model`, or a folder of compiled objects, Cilium's or a build of \
      bpf/. The traffic is that of scenarios, of random clusters (--seeds), or of a capture (--replay with --at) in \
      the cluster of one scenario. Every hop is run on both sides from the model's input. Differences are grouped by \
      cause. Exit codes: 0 none, or only those of --allow; 2 bad input; 3 differences; 4 a side cannot be run.
      """)

  enum Output: String, ExpressibleByArgument, CaseIterable { case text, json }

  @Argument(help: "Scenario files, or folders of them.")
  var paths: [String] = []

  @Option(help: "What is known: builtin, model, or a folder of objects (or of such folders).")
  var baseline = "builtin"

  @Option(help: "What is new.")
  var candidate: String

  @Option(help: "Random clusters and traffic instead of scenarios: a..b, or how many from 1.")
  var seeds: String?

  @Option(
    help: "A capture whose packets are put on an interface, in the cluster of the one scenario that is named."
  )
  var replay: String?

  @Option(help: "Where --replay puts the packets: NODE/INTERFACE, such as n1/eth0.")
  var at: String?

  @Option(help: "A recorded hop, run on both sides.")
  var hop: String?

  @Option(help: "Differences that are expected: a pattern of a cause on each line, * for anything.")
  var allow: String?

  @Option(help: "Write an example of each cause into this folder: hop, capture, and the smallest scenario.")
  var examples: String?

  @Option(help: "Write a JUnit report to this file.")
  var junitFile: String?

  @Option(help: "Write a SARIF log to this file.")
  var sarifFile: String?

  @Option(help: "Write a summary in Markdown to this file, for a pull request.")
  var markdownFile: String?

  @Option(name: .shortAndLong, help: "Output format.")
  var output: Output = .text

  func run() throws {
    let code = try hop.map { try HopComparison(self, file: $0).run() } ?? CompareSession(self).run()
    if code != 0 { throw ExitCode(code) }
  }
}
