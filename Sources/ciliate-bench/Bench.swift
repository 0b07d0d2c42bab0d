/// Measures what has a target in the design guide. Not a test: durations differ from machine to machine.
@main
struct Bench {
  static func main() throws {
    switch CommandLine.arguments.dropFirst().first {
    case "model": try ModelBench().run()
    default: print("usage: ciliate-bench model")
    }
  }
}
