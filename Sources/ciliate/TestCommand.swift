import ArgumentParser
import Capture
import Kernel
import Report
import Runner
import TestObjects

/// `ciliate test`: datapath unit tests.
struct TestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test", abstract: "Run datapath unit tests: objects of the PKTGEN/SETUP/CHECK convention.",
    discussion: """
      A folder stands for the objects (*.o) in it. Exit codes: 0 all passed or were skipped, 1 a test failed or is in \
      error, 2 a file is no test object, or nothing matches --filter, 4 eBPF cannot be used here.
      """)

  enum Output: String, ExpressibleByArgument, CaseIterable { case text, json }
  enum Stage: String, ExpressibleByArgument, CaseIterable { case pktgen, setup }

  @Argument(help: "Test objects, or folders of them.")
  var paths: [String]

  @Option(help: "Run only tests whose OBJECT/TEST contains this text. May be given several times.")
  var filter: [String] = []

  @Flag(help: "Name the tests and run none; needs no kernel.")
  var list = false

  @Option(help: "Write each test's packet before and after into OBJECT.pcapng in this folder.")
  var pcap: String?

  @Option(
    name: [.customLong("junit"), .customLong("junit-file")], help: "Write a JUnit report to this file.")
  var junit: String?

  @Option(name: .shortAndLong, help: "Output format.")
  var output: Output = .text

  @Flag(name: .shortAndLong, help: "Name every test, with its duration and its log.")
  var verbose = false

  @Option(help: "How many objects are loaded and run at once; by default one for each processor.")
  var jobs: Int?

  @Option(help: "The most entries of a hash map, an LRU map or a trie.")
  var mapEntries: UInt32 = TestSettings().mapEntries

  @Flag(help: "Load every program of each object, also what no test reaches.")
  var loadAll = false

  @Option(help: "Leave a stage out: a control, whose tests are to fail.")
  var without: Stage?

  @Option(help: "Colours: auto, always, never.")
  var color: RunCommand.Color = .auto

  func validate() throws {
    if let jobs, jobs < 1 { throw ValidationError("--jobs \(jobs): expected 1 or more") }
    if mapEntries == 0 { throw ValidationError("--map-entries 0: expected 1 or more") }
  }

  func run() throws {
    let code = try TestCommandSession(self).run()
    if code != 0 { throw ExitCode(code) }
  }
}
