import ArgumentParser
import Capture
import Cluster
import Conformance
import Kernel
import Report
import Runner
import Scenario

/// `ciliate run`: scenario files, judged, and compared with the kernel.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run scenarios on the model and in the kernel.",
    discussion: """
      A folder stands for the scenario files in it and below. Exit codes: 0 all as expected, 1 an expectation \
      failed or something is not modelled, 2 bad input, 3 model and kernel differ, 4 the kernel was required \
      and cannot be had.
      """)

  enum KernelChoice: String, ExpressibleByArgument, CaseIterable { case auto, required, off }
  enum Output: String, ExpressibleByArgument, CaseIterable { case text, json }
  enum MapCheck: String, ExpressibleByArgument, CaseIterable { case conversation, hop }
  enum Color: String, ExpressibleByArgument, CaseIterable { case auto, always, never }

  @Argument(help: "Scenario files, or folders of them.")
  var paths: [String]

  @Option(help: "Whether hops are compared with the kernel; by default as the scenarios say.")
  var kernel: KernelChoice?

  @Option(help: "The kernel's programs: builtin, or a folder of Cilium's compiled objects.")
  var datapath = "builtin"

  @Option(
    help:
      "When the kernel's maps are compared: conversation (after each, and hop by hop where they differ) or hop."
  )
  var checkMaps: MapCheck = .conversation

  @Option(help: "Where random choices come from; by default each scenario's own seed.")
  var seed: UInt64?

  @Option(help: "Write the captures of each scenario into this folder.")
  var pcap: String?

  @Option(help: "Write a JUnit report to this file.")
  var junitFile: String?

  @Option(name: .shortAndLong, help: "Output format.")
  var output: Output = .text

  @Option(help: "Which packets are walked through: none, first (of each step) or all.")
  var walk: WalkChoice?

  @Flag(help: "Beside a step of a walk, the map entry behind it and the command that shows it on a node.")
  var maps = false

  @Option(help: "Colours: auto, always, never.")
  var color: Color = .auto

  enum WalkChoice: String, ExpressibleByArgument, CaseIterable { case none, first, all }

  func run() throws {
    let code = try RunSession(self).run()
    if code != 0 { throw ExitCode(code) }
  }
}
