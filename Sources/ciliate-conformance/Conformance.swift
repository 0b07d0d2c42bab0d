import Cluster
import Conformance
import Cyclonus
import Glibc
import Intent
import Kernel
import Wire

/// Runs the policy suites against each oracle, and prints cases, probes and mismatches (`scripts/conformance.sh`).
@main
struct ConformanceRun {
  private var failed = false
  /// Whether the kernel's maps are read after every hop as well.
  private var comparesMaps = false

  static func main() {
    var arguments = Array(CommandLine.arguments.dropFirst())
    var followsKubernetes = false
    var usesKernel: Bool?
    var comparesMaps = false
    arguments.removeAll { argument in
      switch argument {
      case "--follow=kubernetes": followsKubernetes = true
      case "--follow=cilium": followsKubernetes = false
      case "--kernel=off": usesKernel = false
      case "--kernel=required": usesKernel = true
      case "--kernel=auto": usesKernel = nil
      case "--maps": comparesMaps = true
      default: return false
      }
      return true
    }
    guard arguments.count == 1, !arguments[0].hasPrefix("-") else {
      complain(
        "usage: ciliate-conformance FOLDER [--follow=cilium|kubernetes] [--kernel=auto|required|off] [--maps]"
      )
      exit(2)
    }
    var run = ConformanceRun()
    run.comparesMaps = comparesMaps
    exit(run.run(arguments[0], followsKubernetes: followsKubernetes, usesKernel: usesKernel))
  }

  private mutating func run(_ folder: String, followsKubernetes: Bool, usesKernel: Bool?) -> Int32 {
    let clock = ContinuousClock()
    let start = clock.now
    let suite: PolicySuite
    do {
      suite = try PolicySuite.load(folder)
    } catch {
      complain("\(error)")
      return 2
    }
    print("read in \(seconds(clock.now - start)): \(suite.cases.count) cases")
    row("suite", "oracle", "cases", "probes", "mismatches", "time")
    measure("cyclonus", "Intent, the Kubernetes text") { suite.judge(intent: .kubernetes) }
    if followsKubernetes { return failed ? 1 : 0 }
    measure("cyclonus-cilium", "Intent") { suite.judge(intent: .cilium) }
    measure("cyclonus-cilium", "model") {
      var oracle = PacketOracle(
        settings: PolicySuite.settings, network: ClusterNetwork(), observer: Unobserved())
      return suite.judge(packets: &oracle)
    }
    guard usesKernel != false else { return failed ? 1 : 0 }
    if let reason = Doctor.examine().reason {
      complain("kernel: not run: \(reason)")
      return usesKernel == true ? 4 : failed ? 1 : 0
    }
    return kernel(suite)
  }

  private mutating func kernel(_ suite: PolicySuite) -> Int32 {
    do {
      let objects = try DatapathObjects.builtin()
      var agreement = Agreement()
      let isStrict = comparesMaps
      measure("cyclonus-cilium", isStrict ? "kernel, maps read each hop" : "kernel") {
        var oracle = PacketOracle(
          settings: PolicySuite.settings, network: ClusterNetwork(),
          observer: KernelWitness(objects, comparesMaps: isStrict))
        let result = suite.judge(packets: &oracle)
        agreement = oracle.observer.agreement
        return result
      }
      print("kernel: \(agreement.agreeing) of \(agreement.compared) hops agree")
      for divergence in agreement.divergences.prefix(10) {
        print(
          "  \(divergence.node)/\(divergence.device):\(divergence.hook): \(divergence.field.rawValue): "
            + "model \(divergence.expected), kernel \(divergence.found)")
      }
      for entry in agreement.notRun { print("  not run: \(entry.count) hops: \(entry.reason)") }
      if !agreement.divergences.isEmpty || !agreement.notRun.isEmpty { return 3 }
    } catch {
      complain("kernel: \(error)")
      return 4
    }
    return failed ? 1 : 0
  }

  private mutating func measure(_ suite: String, _ oracle: String, _ body: () -> SuiteResult) {
    let clock = ContinuousClock()
    let start = clock.now
    let result = body()
    let time = clock.now - start
    row(
      suite, oracle, "\(result.cases)", "\(result.probes)", "\(result.mismatches.count)", seconds(time))
    for mismatch in result.mismatches.prefix(10) { print("  \(mismatch)") }
    if !result.mismatches.isEmpty { failed = true }
  }

  private func row(_ cells: String...) {
    let widths = [16, 28, 6, 8, 11, 8]
    var line = ""
    for (cell, width) in zip(cells, widths) {
      line += cell + String(repeating: " ", count: max(1, width + 1 - cell.count))
    }
    while line.last == " " { line.removeLast() }
    print(line)
  }

  private func seconds(_ duration: Duration) -> String {
    let milliseconds =
      duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000
    let fraction = milliseconds % 1000
    return "\(milliseconds / 1000).\(String(repeating: "0", count: 3 - "\(fraction)".count))\(fraction) s"
  }
}

private func complain(_ line: String) {
  let text = Array("ciliate-conformance: \(line)\n".utf8)
  _ = write(2, text, text.count)
}
