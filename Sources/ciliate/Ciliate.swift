import ArgumentParser

@main
struct Ciliate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ciliate",
    abstract: "What happens to this packet in my cluster? A Cilium datapath model, checked against the kernel.")
}
