/// Measures what the project promises, each figure beside a peer measured in the same run (`scripts/bench.sh`).
@main
struct CiliateBench {
  static func main() {
    let arguments = Array(CommandLine.arguments.dropFirst())
    switch arguments.first {
    case "kernel": KernelBench.main(Array(arguments.dropFirst()))
    default: print("usage: ciliate-bench kernel [--peer PROGRAM] [--objects DIR]")
    }
  }
}
