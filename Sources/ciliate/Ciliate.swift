import ArgumentParser
import Glibc

@main
struct Ciliate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ciliate",
    abstract: "What happens to this packet in my cluster? A Cilium model, checked against the kernel.",
    subcommands: [
      RunCommand.self, ProbeCommand.self, MatrixCommand.self, CompareCommand.self, FuzzCommand.self,
      MergeCommand.self, DecodeCommand.self, PcapCommand.self, LintCommand.self, LabCommand.self,
      RecordCommand.self, TestCommand.self, ShowCommand.self, InspectCommand.self, DoctorCommand.self,
    ])

  /// Plain `decode` calls go around the argument parser (see `DecodeRequest`). Bad usage exits with 2, as every bad
  /// input does.
  static func main() {
    if let request = DecodeRequest(plain: CommandLine.arguments) { Glibc.exit(request.run()) }
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      let code = exitCode(for: error)
      guard code == .validationFailure else { exit(withError: error) }
      complain(fullMessage(for: error))
      Glibc.exit(2)
    }
  }
}
