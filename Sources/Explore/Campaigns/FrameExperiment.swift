import Cluster
import Conformance
public import Kernel
import Scenario

/// Random frames through the hooks of one node of a random cluster.
public struct FrameExperiment: Sendable {
  /// Frames that are compared for each hook.
  public var frames: Int

  /// Whether what differs is made small.
  public var isShrinking: Bool

  public init(frames: Int, isShrinking: Bool = true) {
    self.frames = frames
    self.isShrinking = isShrinking
  }

  /// A difference, and the shortest run of frames that shows it.
  public struct Found: Sendable {
    public var difference: Difference
    public var lines: [String]
    public var trail: FrameTrail
  }

  /// Runs the seed's experiment: its cluster is the one of `CaseGenerator`, its node is drawn.
  public func run(
    seed: UInt64, objects: DatapathObjects, known: Set<Difference>
  ) throws -> (result: SeedResult, found: [Found]) {
    var result = SeedResult(seed: seed)
    var subject = CaseGenerator.make(seed: seed)
    // Policies that steps apply are there from the beginning: frames know no steps.
    for case .apply(let document) in subject.steps where !subject.documents.contains(document) {
      subject.documents.append(document)
    }
    let (loaded, findings) = ScenarioLoader.load(text: subject.selfContainedText, file: "fuzz-\(seed).yaml")
    guard let loaded else {
      result.loadErrors = findings.filter { $0.severity == .error }.map { "\($0)" }
      return (result, [])
    }
    var random = SplitMix64(seed: seed)
    guard let world = random.pick(FuzzWorld.nodes(of: loaded, applying: 1)) else { return (result, []) }
    var fuzz = HookFuzz()
    fuzz.seed = seed
    fuzz.collectsCoverage = true
    let tallies = try fuzz.run([world], objects: objects, count: frames)
    result.cases = 1
    var found: [Found] = []
    for tally in tallies {
      result.hops += tally.frames
      result.compared += tally.agreement.compared
      for entry in tally.agreement.notRun { result.notRun[entry.reason, default: 0] += entry.count }
      for entry in tally.unmodelled { result.notRun["unmodelled: \(entry.what)", default: 0] += entry.count }
      result.reached.formUnion(tally.reached)
      for trail in tally.trails { found.append(try self.found(trail, objects, known)) }
    }
    result.discoveries = found.map {
      SeedResult.Found(difference: $0.difference, lines: $0.lines, smallest: nil, trials: 0)
    }
    return (result, found)
  }

  private func found(
    _ trail: FrameTrail, _ objects: DatapathObjects, _ known: Set<Difference>
  ) throws -> Found {
    guard !known.contains(trail.difference) else {
      return Found(difference: trail.difference, lines: [], trail: trail)
    }
    let smallest = isShrinking ? try trail.minimized(objects) : trail
    let divergence = try smallest.divergence(objects)
    let lines = divergence.map { [$0.summary] + $0.details } ?? ["seen once, and not again when run alone"]
    return Found(difference: trail.difference, lines: lines, trail: smallest)
  }
}
