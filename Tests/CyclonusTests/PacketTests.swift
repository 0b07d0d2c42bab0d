import Cluster
import Conformance
import Cyclonus
import Datapath
import Foundation
import Intent
import Kernel
import TestSupport
import Testing

/// The suites, where they lie beside the repository, and packets in place of tables.
private enum Suites {
  static let folder: String? = {
    var folder = URL(fileURLWithPath: PackageFolder.path)
    for _ in 0..<4 {
      folder.deleteLastPathComponent()
      let candidate = folder.appendingPathComponent("shared/conformance").path
      if FileManager.default.fileExists(atPath: "\(candidate)/cyclonus-cilium.json") { return candidate }
    }
    return nil
  }()

  static func load(_ cases: Int? = nil) throws -> PolicySuite {
    var suite = try PolicySuite.load(try #require(folder))
    if let cases { suite.cases = Array(suite.cases.prefix(cases)) }
    return suite
  }
}

@Suite("Cyclonus, packet by packet", .enabled(if: Suites.folder != nil, "needs ../shared/conformance"))
struct PacketTests {
  @Test("The model answers every probe as Cilium's policy engine does")
  func model() throws {
    var oracle = PacketOracle(
      settings: PolicySuite.settings, network: ClusterNetwork(), observer: Unobserved())
    let result = try Suites.load().judge(packets: &oracle)
    #expect(result.cases == 230)
    #expect(result.probes == 109_956)
    #expect(result.mismatches.isEmpty, "\(result.mismatches.count): \(result.mismatches.prefix(5))")
  }

  @Test(
    "So does the kernel, hop by hop", .enabled(if: Doctor.examine().canRunPackets),
    .timeLimit(.minutes(5)))
  func kernel() throws {
    let objects = try DatapathObjects.builtin()
    var oracle = PacketOracle(
      settings: PolicySuite.settings, network: ClusterNetwork(),
      observer: Replay(KernelCluster(objects: objects), foreign: false))
    let result = try Suites.load(20).judge(packets: &oracle)
    #expect(result.mismatches.isEmpty, "\(result.mismatches.prefix(5))")
    let agreement = oracle.observer.agreement
    #expect(agreement.compared > result.probes)
    #expect(agreement.divergences.isEmpty && agreement.notRun.isEmpty, "\(agreement.divergences.prefix(3))")
  }

  @Test("A flipped answer and a dropped rule are caught")
  func control() throws {
    var suite = try Suites.load(3)
    suite.cases[0].steps[0].tables[0].cilium[0][1] =
      suite.cases[0].steps[0].tables[0].cilium[0][1] == "." ? "X" : "."
    var oracle = PacketOracle(
      settings: PolicySuite.settings, network: ClusterNetwork(), observer: Unobserved())
    #expect(suite.judge(packets: &oracle).mismatches.count == 1)
    #expect(suite.judge(intent: .cilium).mismatches.count == 1)

    var bare = try Suites.load(1)
    for policy in bare.cases[0].steps[0].cluster.networkPolicies {
      bare.cases[0].steps[0].cluster.networkPolicies[policy.id] = nil
    }
    var other = PacketOracle(
      settings: PolicySuite.settings, network: ClusterNetwork(), observer: Unobserved())
    #expect(!bare.judge(packets: &other).mismatches.isEmpty)
  }

  @Test("Where the text and Cilium differ, Intent can be told whom to follow")
  func authority() throws {
    let suite = try Suites.load()
    #expect(suite.judge(intent: .kubernetes).mismatches.isEmpty)
    let tables = suite.cases.flatMap(\.steps).flatMap(\.tables)
    let differing = tables.reduce(0) { sum, table in
      sum
        + zip(table.kubernetes.joined(), table.cilium.joined()).count { $0 != $1 && $1 != "s" }
    }
    #expect(differing == 226)
  }
}

@Suite("Suites that cannot be read")
struct SuiteFileTests {
  @Test func missing() {
    #expect(throws: SuiteError.self) { try PolicySuite.load("/nowhere") }
  }
}
