public import Conformance

/// What came of comparing two datapaths.
public struct DatapathComparison: Sendable {
  public var baseline: String
  public var candidate: String
  public var scenarios = 0
  public var compared = 0
  public var agreeing = 0
  /// By hook, in order of appearance.
  public var hooks: [(hook: String, compared: Int, agreeing: Int)] = []
  /// Hops that one side could not run, by side and reason.
  public var notRun: [(reason: String, count: Int)] = []
  public var groups: [Group] = []
  /// Entries of the allow list that matched nothing, as `FILE:LINE: PATTERN`.
  public var unusedEntries: [String] = []
  /// The object files of both sides, where each is one build.
  public var objects: [ObjectSize] = []

  /// A cause of differences, whether it is expected, and where its example was put.
  public struct Group: Sendable {
    public var group: DuelLog.Group
    public var isAllowed: Bool
    public var folder: String?
    public var cause: String { group.cause }
    /// The first thing that differs at the first hop.
    public var first: Divergence? { group.divergences.first }
  }

  /// An object file, and how much code is in it.
  public struct ObjectSize: Sendable {
    public var name: String
    /// Instructions in the file, baseline and candidate; nil where a side does not have it.
    public var instructions: (baseline: Int?, candidate: Int?)

    public init(name: String, instructions: (baseline: Int?, candidate: Int?)) {
      self.name = name
      self.instructions = instructions
    }
  }

  public init(baseline: String, candidate: String, _ log: DuelLog, scenarios: Int, allow: inout AllowList) {
    self.baseline = baseline
    self.candidate = candidate
    self.scenarios = scenarios
    compared = log.agreement.compared
    agreeing = log.agreement.agreeing
    hooks = log.agreement.hooks
    notRun = log.agreement.notRun
    groups = log.groups.sorted { ($1.count, $0.cause) < ($0.count, $1.cause) }.map {
      Group(group: $0, isAllowed: allow.allows($0.cause))
    }
  }

  /// Whether anything differs that is not expected.
  public var differs: Bool { groups.contains { !$0.isAllowed } }
}
