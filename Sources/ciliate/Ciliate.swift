import ArgumentParser
import Glibc

@main
struct Ciliate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ciliate",
    abstract: "What happens to this packet in my cluster? A Cilium model, checked against the kernel.",
    subcommands: [DecodeCommand.self, PcapCommand.self])

  /// Plain `decode` calls go around the argument parser (see `DecodeRequest`).
  static func main() {
    if let request = DecodeRequest(plain: CommandLine.arguments) { Glibc.exit(request.run()) }
    main(nil)
  }
}
