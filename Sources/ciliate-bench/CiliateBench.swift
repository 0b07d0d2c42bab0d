/// Measures what the project promises, each figure beside a peer measured in the same run (`scripts/bench.sh`).
@main
struct CiliateBench {
  static func main() throws {
    let arguments = Array(CommandLine.arguments.dropFirst())
    switch arguments.first {
    case "model": try ModelBench().run()
    case "kernel": KernelBench.main(Array(arguments.dropFirst()))
    case "fuzz": try FuzzRun(Array(arguments.dropFirst())).run()
    default:
      print("usage: ciliate-bench model | kernel [--peer PROGRAM] [--objects DIR] | fuzz [COUNT] [SEED]")
    }
  }
}
