/// Measures what the project promises, each figure beside a peer measured in the same run (`scripts/bench.sh`).
@main
struct CiliateBench {
  static func main() throws {
    let arguments = Array(CommandLine.arguments.dropFirst())
    switch arguments.first {
    case "model": try ModelBench().run(packets: arguments.dropFirst().first.flatMap { Int($0) } ?? 200_000)
    case "policy": try PolicyBench.run(Array(arguments.dropFirst()))
    case "kernel": KernelBench.main(Array(arguments.dropFirst()))
    case "fuzz": try FuzzRun(Array(arguments.dropFirst())).run()
    default:
      print(
        "usage: ciliate-bench model [PACKETS] | policy lookup|scale|cyclonus FOLDER"
          + " | kernel [--peer PROGRAM] [--objects DIR] | fuzz [COUNT] [SEED]")
    }
  }
}
