import ArgumentParser
import Capture
import Conformance
import Explore
import Glibc
import Kernel
import Runner
import Scenario

/// `ciliate fuzz`: random clusters and traffic; what differs becomes a small scenario.
struct FuzzCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fuzz", abstract: "Find what nobody wrote down: random clusters and traffic.",
    discussion: """
      Every seed is a cluster with policies, services and probes, and variations of it. The model is held against \
      the manifests' meaning, and against the kernel where it runs. What differs is made small and written to \
      DIR/finding-N as a scenario with its manifests; with --frames as a recorded hop, which `ciliate compare \
      --hop` runs again, and a capture of the frames before it. An interrupted campaign goes on where it stopped when it is \
      started again with the same folder. Exit codes: 0 nothing found, 2 bad usage, 3 differences, 4 the kernel was \
      required and cannot be had, or the folder cannot be written.
      """)

  @Option(help: "Which seeds: a..b, or how many from 1.")
  var seeds = "1..100"

  @Option(help: "This job's part of the seeds: i/n, i from 0.")
  var shard = "0/1"

  @Option(help: "Stop after so long: 90s, 10m, 2h. The seed that is being run is finished.")
  var time: String?

  @Option(help: "Cases for each seed, each a cluster with its probes.")
  var rounds = 4

  @Option(help: "Instead of probes, this many random frames a seed through each hook of one node.")
  var frames: Int?

  @Flag(help: "Stop at the first difference, and leave it as it was found.")
  var first = false

  @Option(help: "Where findings and results are written.")
  var to: String

  @Option(help: "Whether hops are compared with the kernel.")
  var kernel: RunCommand.KernelChoice = .auto

  @Option(help: "The kernel's programs: builtin, or a folder of Cilium's compiled objects.")
  var datapath = "builtin"

  func run() throws {
    let code = try FuzzSession(self).run()
    if code != 0 { throw ExitCode(code) }
  }
}
