import Conformance
import Explore
import Glibc
import Kernel

/// `ciliate-bench fuzz [COUNT] [SEED]`: COUNT frames through every hook, on the model and in the kernel.
struct FuzzRun {
  private var count = 100_000
  private var fuzz = HookFuzz()

  /// A further word `maps` compares the maps after every run, which is slow and tells which run changed them.
  init(_ arguments: [String]) {
    let numbers = arguments.compactMap { UInt64($0) }
    if let first = numbers.first { count = Int(clamping: first) }
    if numbers.count > 1 { fuzz.seed = numbers[1] }
    fuzz.comparesEveryHop = arguments.contains("maps")
  }

  /// Prints a line for each hook and the differences; exits with 3 when there are any.
  func run() throws {
    let tallies = try fuzz.run(FuzzWorld.all(), objects: .builtin(), count: count)
    var isEqual = true
    for tally in tallies {
      print(tally)
      for (divergence, number) in zip(tally.agreement.divergences, 0..<10) {
        print("  \(number): \(divergence.summary)")
        for line in divergence.details { print("    \(line)") }
      }
      for specimen in tally.specimens.prefix(5) { print("  \(specimen)") }
      isEqual = isEqual && tally.agreement.divergences.isEmpty
    }
    if !isEqual { exit(3) }
  }
}
