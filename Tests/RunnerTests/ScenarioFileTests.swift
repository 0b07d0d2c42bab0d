import Conformance
import Datapath
import Foundation
import Kernel
import Report
import Runner
import TestSupport
import Testing

/// Every scenario file: as it expects, as its reference tells, and as the kernel does.
struct ScenarioFileTests {
  @Test("There are scenarios, and no two have one name")
  func thereAre() {
    #expect(ScenarioCase.all.count >= 30)
    #expect(Set(ScenarioCase.all.map(\.name)).count == ScenarioCase.all.count)
  }

  /// The walk, compared with `Tests/References/NAME.ref`; `scripts/update-references.sh` writes the files anew.
  @Test("Goes as expected, and reads like its reference", arguments: ScenarioCase.all)
  func model(_ scenario: ScenarioCase) throws {
    let outcome = try scenario.run()
    #expect(outcome.result == .pass, "\(outcome.complaints)")
    let text = report(outcome, walks: scenario.isOfSuite ? .none : .first)
    let path = "\(PackageFolder.path)/Tests/References/\(scenario.name).ref"
    if ProcessInfo.processInfo.environment["CILIATE_UPDATE_REFERENCES"] == "1" {
      try text.write(toFile: path, atomically: true, encoding: .utf8)
      return
    }
    let reference = try String(contentsOfFile: path, encoding: .utf8)
    if text != reference { Issue.record("\(firstDifference(text, reference))") }
  }

  /// `pcaps/golden/NAME-NODE.pcap`: what a sniffer between the nodes would have recorded.
  @Test(
    "The captures are the golden ones, octet for octet",
    arguments: ["getting-started", "geneve"])
  func golden(_ name: String) throws {
    let outcome = try ScenarioCase(path: "scenarios/\(name)/scenario.yaml").run()
    let underlays = JourneyCapture(outcome.journeys, comment: "").underlays.filter {
      $0.node == "kind-worker"
    }
    #expect(underlays.count == 1)
    for underlay in underlays {
      let url = URL(fileURLWithPath: "\(PackageFolder.path)/pcaps/golden/\(name)-\(underlay.node).pcap")
      if ProcessInfo.processInfo.environment["CILIATE_UPDATE_REFERENCES"] == "1" {
        try Data(underlay.pcap).write(to: url)
      } else {
        #expect(try Data(contentsOf: url) == Data(underlay.pcap))
      }
    }
  }

  @Test("No reference is left without its scenario")
  func references() {
    let names = Set(ScenarioCase.all.map { "\($0.name).ref" })
    for file in Folder.names(in: "\(PackageFolder.path)/Tests/References") where file.hasSuffix(".ref") {
      #expect(names.contains(file), "\(file)")
    }
  }

  private func firstDifference(_ text: String, _ reference: String) -> String {
    let got = text.split(separator: "\n", omittingEmptySubsequences: false)
    let wanted = reference.split(separator: "\n", omittingEmptySubsequences: false)
    for line in 0..<max(got.count, wanted.count) {
      let (a, b) = (line < got.count ? got[line] : "(end)", line < wanted.count ? wanted[line] : "(end)")
      if a != b { return "line \(line + 1): the reference says\n  \(b)\nthe run says\n  \(a)" }
    }
    return "the same"
  }
}

/// The same, each hop compared with our programs in this kernel.
@Suite(.serialized, .enabled(if: KernelAccess.isUsable, KernelAccess.comment))
struct ScenarioKernelTests {
  @Test("Model and kernel agree on every hop", arguments: ScenarioCase.all)
  func builtin(_ scenario: ScenarioCase) throws {
    let objects = try DatapathObjects.builtin()
    let outcome = try scenario.run(Replay(KernelCluster(objects: objects), foreign: false))
    #expect(outcome.result == .pass, "\(outcome.complaints)")
    #expect(outcome.agreement.notRun.isEmpty, "\(outcome.complaints)")
    #expect(outcome.agreement.compared > 0)
    #expect(outcome.agreement.compared == outcome.journeys.reduce(0) { $0 + $1.hops.count })
  }

  @Test("The same with programs loaded ahead and kept, and maps compared once for each conversation")
  func conversations() throws {
    let pool = KernelNodePool()
    let objects = try DatapathObjects.builtin()
    for name in ["getting-started", "getting-started", "same-node", "geneve", "dual-stack"] {
      let scenario = ScenarioCase(path: "scenarios/\(name)/scenario.yaml")
      let forecast = ProgramForecast()
      _ = try scenario.run(forecast)
      let kernel = KernelCluster(objects: objects, forecast: forecast, pool: pool)
      let outcome = try scenario.run(ConversationReplay(kernel, foreign: false))
      #expect(outcome.result == .pass, "\(name): \(outcome.complaints)")
      #expect(outcome.agreement.notRun.isEmpty, "\(name): \(outcome.complaints)")
      #expect(outcome.agreement.compared == outcome.journeys.reduce(0) { $0 + $1.hops.count })
    }
  }

  @Test("What the kernel says never enters a capture", arguments: ["scenarios/getting-started/scenario.yaml"])
  func captures(_ path: String) throws {
    let scenario = ScenarioCase(path: path)
    let alone = try scenario.run()
    let objects = try DatapathObjects.builtin()
    let compared = try scenario.run(Replay(KernelCluster(objects: objects), foreign: false))
    #expect(
      JourneyCapture(alone.journeys, comment: "").pcapng
        == JourneyCapture(compared.journeys, comment: "").pcapng)
  }
}

extension ProgramForecast: ScenarioObserver {
  public var agreement: Agreement { Agreement() }
}

/// Whether tests may use eBPF here. CILIATE_REQUIRE_KERNEL=1 turns a skip into a failure.
enum KernelAccess {
  static let doctor = Doctor.examine()
  static let isUsable =
    doctor.canRunPackets || ProcessInfo.processInfo.environment["CILIATE_REQUIRE_KERNEL"] == "1"
  static let comment: Comment = "\(doctor.reason ?? "")"
}
