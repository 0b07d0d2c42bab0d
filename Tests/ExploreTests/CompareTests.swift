import Conformance
import Datapath
import Explore
import MapABI
import Runner
import Scenario
import Testing

@Suite struct CompareTests {
  private static let text = """
    apiVersion: ciliate.dev/v1alpha1
    kind: Scenario
    metadata: {name: two}
    spec:
      cluster: {nodes: [{name: n1}]}
      steps:
        # The pods.
        - apply: |
            apiVersion: v1
            kind: Pod
            metadata: {name: a, annotations: {ciliate.dev/listen: "80/TCP"}}
            spec: {nodeName: n1, containers: [{name: c, image: x/y}]}
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: b}
            spec: {nodeName: n1, containers: [{name: c, image: x/y}]}
        # Not needed.
        - time: {advance: 1s}
        - name: the probe
          probe: {from: b, to: a, port: 80/TCP}
    """

  private func loaded() throws -> LoadedScenario {
    try #require(ScenarioLoader.load(text: Self.text, file: "two.yaml").scenario)
  }

  /// The model, but for one field of each result.
  private struct Broken: HookInterpreter {
    var change: @Sendable (inout HookResult) -> Void

    func run(
      _ attachment: MapABI.Attachment, on input: HookInput, state: borrowing Datapath.NodeState
    ) throws(InterpreterError) -> HookResult {
      var result = try Model().run(attachment, on: input, state: state)
      change(&result)
      return result
    }
  }

  private func compare(_ change: @escaping @Sendable (inout HookResult) -> Void) throws -> DuelLog {
    let log = DuelLog()
    log.scenario = "two"
    let duel = Duel(Model(), Broken(change: change), foreign: false, log: log)
    _ = ScenarioRunner.run(try loaded(), findings: [], seed: nil, observer: duel)
    return log
  }

  @Test func theSameDatapathDoesNotDiffer() throws {
    let log = try compare { _ in }
    #expect(log.groups.isEmpty)
    #expect(log.agreement.compared > 5)
  }

  @Test func differencesAreGroupedByCause() throws {
    let log = try compare { result in
      if case .skb(var buffer) = result.subject, case .redirect = result.verdict {
        buffer.mark ^= 0x0000_0c00
        result.subject = .skb(buffer)
      }
    }
    #expect(log.groups.count == 1)
    let group = try #require(log.groups.first)
    #expect(group.cause == "from_container mark: 0xf00 → 0x300")
    #expect(group.count > 3)
    #expect(group.scenarios == ["two"])
    let recording = try HopRecording(group.recording, file: "hop")
    #expect(recording.hopCount == 1)

    var allow = AllowList("# known\nfrom_container mark: * → 0x300\nto_netdev *\n")
    let comparison = DatapathComparison(
      baseline: "a", candidate: "b", log, scenarios: 1, allow: &allow)
    #expect(!comparison.differs)
    #expect(allow.unused.map(\.line) == [3])
    #expect(comparison.markdown.contains("| yes |"))
    #expect(comparison.json.contains("\"schema\":\"ciliate.compare/v1\""))
    var none = AllowList()
    #expect(DatapathComparison(baseline: "a", candidate: "b", log, scenarios: 1, allow: &none).differs)
  }

  @Test func aMissingMapChangeIsNamed() throws {
    let log = try compare { $0.changes.removeAll { $0.map == .ct4TCP } }
    #expect(log.groups.contains { $0.cause.contains("map changes: cilium_ct4_global not written") })
  }

  @Test(arguments: [
    ("*", true), ("from*mark*", true), ("mark", false), ("from_container mark: 1", false), ("", false),
    ("********************************************************x", false),
  ])
  func patterns(_ pattern: String, _ isAllowed: Bool) {
    var allow = AllowList(pattern)
    #expect(allow.allows("from_container mark: 0x0 → 0xc00") == isAllowed)
  }

  @Test func aScenarioKeepsTheStepsThatAreNeeded() throws {
    let scenario = try loaded().scenario
    let reduction = try #require(ScenarioReduction(text: Self.text, scenario: scenario))
    #expect(reduction.count == 3)
    let text = try #require(reduction.text(keeping: [0, 2]))
    #expect(text.contains("# The pods."))
    #expect(!text.contains("advance"))
    #expect(!text.contains("Not needed"))
    let again = try #require(ScenarioLoader.load(text: text, file: "two.yaml").scenario)
    #expect(again.scenario.steps.map(\.verb.name) == ["apply", "probe"])
    #expect(reduction.text(keeping: []) == nil)
  }
}
