import ArgumentParser
import Capture

/// `ciliate pcap`: work on captures.
struct PcapCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pcap", abstract: "Work on captures.", subcommands: [Diff.self])

  /// `ciliate pcap diff`: two captures, packet by packet.
  struct Diff: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "diff", abstract: "Compare two captures packet by packet.",
      discussion: "Tells the first differing field of each pair of packets. Exit code 1 when they differ.")

    @Argument(help: "The first capture.")
    var first: String

    @Argument(help: "The second capture.")
    var second: String

    @Option(
      help: "Do not compare: time, checksum, ip.id. May be given several times, or as a list with commas.")
    var ignore: [String] = []

    func run() throws {
      var ignored: Set<CaptureDifference.Ignorable> = []
      for name in ignore.flatMap({ $0.split(separator: ",") }) {
        guard let value = CaptureDifference.Ignorable(rawValue: String(name)) else {
          let known = CaptureDifference.Ignorable.allCases.map(\.rawValue).joined(separator: ", ")
          complain("--ignore \(name): expected one of \(known)")
          throw ExitCode(2)
        }
        ignored.insert(value)
      }
      var output = TextOutput(descriptor: 1)
      var difference = CaptureDifference(ignoring: ignored)
      do {
        try difference.compare(first, second) { output.put(line: $0) }
      } catch {
        output.flush()
        complain("\(error)")
        throw ExitCode(2)
      }
      output.flush()
      if difference.differing > 0 { throw ExitCode(1) }
    }
  }
}
