public import Cluster
public import Conformance
public import Datapath

/// What came of a run: all its scenarios.
public struct Outcome: Sendable {
  public var seed: UInt64
  public var kernel: KernelStatus
  public var scenarios: [ScenarioOutcome]

  public init(seed: UInt64, kernel: KernelStatus, scenarios: [ScenarioOutcome]) {
    self.seed = seed
    self.kernel = kernel
    self.scenarios = scenarios
  }
}

/// Whether hops were compared with the kernel.
public struct KernelStatus: Sendable {
  public var ran: Bool
  /// Why not.
  public var reason: String?
  /// `builtin`, or the folder of the objects.
  public var datapath: String

  public init(ran: Bool, reason: String? = nil, datapath: String = "builtin") {
    self.ran = ran
    self.reason = reason
    self.datapath = datapath
  }
}

/// How a step or a scenario ended. Unmodelled never counts as pass.
public enum ResultWord: String, Sendable, Comparable, CaseIterable {
  case pass, skipped, unmodelled, fail, differs, error

  /// By how much they matter: the worst of a scenario's steps is the scenario's.
  public static func < (a: Self, b: Self) -> Bool {
    (allCases.firstIndex(of: a) ?? 0) < (allCases.firstIndex(of: b) ?? 0)
  }
}

public struct ScenarioOutcome: Sendable {
  public var name: String
  public var file: String
  public var result: ResultWord
  public var steps: [StepOutcome]
  /// Every packet's journey, in order of sending.
  public var journeys: [Journey]
  public var agreement: Agreement
  /// What is wrong, doubtful or not modelled in the files.
  public var findings: [Finding]
  /// Names for what stands in journeys as numbers.
  public var names: NameBook
  /// What its steps asked to capture, by name.
  public var captures: [NamedCapture] = []

  public init(name: String, file: String) {
    self.name = name
    self.file = file
    result = .pass
    steps = []
    journeys = []
    agreement = Agreement()
    findings = []
    names = NameBook()
  }
}

/// Names of a scenario's identities, devices and endpoints, for reports.
public struct NameBook: Sendable {
  /// Identity number → its labels, or its reserved name.
  public var identities: [UInt32: String] = [:]
  /// Identity number → all its labels, as `source:key=value`.
  public var labels: [UInt32: [String]] = [:]
  /// `node/ifindex` → device name, pods' devices as `lxc(namespace/pod)`.
  public var devices: [String: String] = [:]
  /// `node/endpoint id` → `namespace/pod`.
  public var endpoints: [String: String] = [:]
  /// Address → `namespace/pod`, `node/NAME`, `svc/namespace/name`.
  public var addresses: [String: String] = [:]

  public init() {}
}

public struct StepOutcome: Sendable {
  public var name: String
  public var verb: String
  public var result: ResultWord
  /// What was expected, field by field as the scenario says it.
  public var expected: [(field: String, value: String)]
  public var got: Observation
  /// Why the result is not pass, one line each.
  public var messages: [String]
  /// The journeys of the step, in order of sending.
  public var journeys: [Int]
  /// What policies say of the step's probe, one for each place that it may end at; only where it was asked for.
  public var explanations: [ProbeExplanation]
  public var location: SourceLocation

  public init(name: String, verb: String, location: SourceLocation) {
    self.name = name
    self.verb = verb
    result = .pass
    expected = []
    got = Observation()
    messages = []
    journeys = []
    explanations = []
    self.location = location
  }
}

/// What a step showed.
public struct Observation: Sendable {
  public var outcome: String?
  public var verdict: String?
  public var egress: String?
  public var ingress: String?
  public var exitCode: Int?
  public var http: Int?
  public var drop: DropPlace?
  /// Policy and rule that decided, in words.
  public var rule: String?
  /// `namespace/pod` that a service's traffic reached.
  public var backend: String?
  /// The text of a view or a matrix.
  public var text: String?

  public init() {}
}
