import Foundation
import MapABI

/// `ciliate-bench policy`: what a look-up of policy costs, Cyclonus' cases, and a cluster of 10,000 pods.
enum PolicyBench {
  static func run(_ arguments: [String]) throws {
    switch arguments.first {
    case "lookup": lookups()
    case "scale": ScaleBench().run()
    case "cyclonus":
      guard arguments.count > 1 else { return print("policy: cyclonus needs the folder of the cases") }
      try CyclonusBench(folder: arguments[1]).run()
    default: print("policy: lookup, scale or cyclonus?")
    }
  }

  /// One endpoint's map of 10,000 entries: whole protocols, ports, ranges, and rules for everybody.
  private static func lookups() {
    let entries: UInt32 = 10_000
    var policies = EndpointPolicies()
    var table = EndpointPolicies.Table()
    for n in 0..<entries {
      var key = PolicyKey(identity: 1000 + n / 4, egress: n & 1 == 0, protocol: 6, port: 80)
      switch n % 4 {
      case 0: key.prefixlen = 64
      case 1: key.prefixlen = 48
      case 2: (key.prefixlen, key.dport) = (58, UInt16(8064).bigEndian)
      default: key.prefixlen = n % 8 == 3 ? 40 : 64
      }
      if n % 200 == 0 { key.sec_label = 0 }
      table[exactly: key] = PolicyEntry(proxy_port: 0, bits: 24 << 3, auth: 0, precedence: 1, cookie: n)
    }
    policies[1] = table
    // What a packet asks: its peer's identity, and everybody.
    var questions: [PolicyKey] = []
    var state: UInt64 = 1
    for _ in 0..<100_000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let draw = UInt32(truncatingIfNeeded: state >> 33)
      questions.append(
        PolicyKey(
          identity: 1000 + draw % (entries / 4), egress: draw & 0x1000 == 0, protocol: 6,
          port: draw & 0x2000 == 0 ? 80 : 8070))
    }
    var found = 0
    var best = Double.infinity
    for _ in 0..<20 {
      let start = Stopwatch.processorTime()
      for question in questions {
        if policies.match(question, endpoint: 1) != nil { found += 1 }
        var everybody = question
        everybody.sec_label = 0
        if policies.match(everybody, endpoint: 1) != nil { found += 1 }
      }
      best = min(best, (Stopwatch.processorTime() - start) / Double(questions.count))
    }
    print("policy: \(table.count) entries of \(table.lengths.count) prefix lengths, \(found / 20) matches")
    print(Claim("policy: both look-ups of a packet, ns", best, atMost: 60))
  }
}
