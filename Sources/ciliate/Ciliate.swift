import ArgumentParser

@main
struct Ciliate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ciliate",
    abstract: "What happens to this packet in my cluster? A Cilium model, checked against the kernel.",
    subcommands: [RunCommand.self, DecodeCommand.self, PcapCommand.self, LabCommand.self])
}
