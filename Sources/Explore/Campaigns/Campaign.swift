/// Many cases from many seeds: runs them, makes those small that show something, and keeps count.
///
/// Every seed is an experiment of its own: its case, and variations of it that follow what is new *within the
/// seed*. So a seed gives the same result in whichever shard and order it is run.
public struct Campaign {
  /// Which seeds, and how much work each is.
  public struct Plan: Equatable, Sendable {
    public var seeds: ClosedRange<UInt64>
    /// This shard's number, from 0, and how many there are.
    public var shard: Int
    public var shards: Int
    /// Cases that are run for each seed.
    public var rounds: Int

    public init(seeds: ClosedRange<UInt64>, shard: Int = 0, shards: Int = 1, rounds: Int = 4) {
      self.seeds = seeds
      self.shard = shard
      self.shards = shards
      self.rounds = rounds
    }

    /// Whether the shard runs the seed.
    public func includes(_ seed: UInt64) -> Bool {
      seeds.contains(seed) && (shards <= 1 || seed % UInt64(shards) == UInt64(shard))
    }
  }

  private let plan: Plan
  private let run: (Case) -> Trial
  private let known: Set<Difference>
  private let isShrinking: Bool

  /// - Parameters:
  ///   - known: differences that need not be made small once more.
  ///   - isShrinking: whether what differs is made small.
  ///   - run: runs a case.
  public init(
    _ plan: Plan, known: Set<Difference> = [], isShrinking: Bool = true, run: @escaping (Case) -> Trial
  ) {
    self.isShrinking = isShrinking
    self.plan = plan
    self.known = known
    self.run = run
  }

  /// Runs a seed.
  public func explore(_ seed: UInt64) -> SeedResult {
    var result = SeedResult(seed: seed)
    var best = CaseGenerator.make(seed: seed)
    var candidate = best
    for round in 0..<max(plan.rounds, 1) {
      let trial = run(candidate)
      result.count(trial)
      for discovery in trial.discoveries
      where !result.discoveries.contains(where: { $0.difference == discovery.difference }) {
        result.discoveries.append(found(discovery, in: candidate))
      }
      let before = result.reached.count
      result.reached.formUnion(trial.reached)
      if result.reached.count > before { best = candidate }
      candidate = CaseGenerator.variation(of: best, seed: seed &+ UInt64(round + 1) &* 1_000_003)
    }
    return result
  }

  private func found(_ discovery: Discovery, in subject: Case) -> SeedResult.Found {
    guard !known.contains(discovery.difference) else {
      return SeedResult.Found(
        difference: discovery.difference, lines: discovery.lines, smallest: nil, trials: 0)
    }
    guard isShrinking else {
      return SeedResult.Found(
        difference: discovery.difference, lines: discovery.lines, smallest: subject, trials: 0)
    }
    var shrinker = CaseShrinker(discovery.difference) { run($0).differences }
    var smallest = shrinker.shrink(subject)
    smallest.name = subject.name
    let lines = run(smallest).discoveries.first { $0.difference == discovery.difference }?.lines
    return SeedResult.Found(
      difference: discovery.difference, lines: lines ?? discovery.lines, smallest: smallest,
      trials: shrinker.trials)
  }
}

/// What came of a seed.
public struct SeedResult: Sendable {
  public var seed: UInt64
  public var cases = 0
  public var hops = 0
  public var compared = 0
  public var notRun: [String: Int] = [:]
  public var loadErrors: [String] = []
  public var reached: Set<String> = []
  public var discoveries: [Found] = []

  /// A difference with the smallest case that shows it; none when it was known before.
  public struct Found: Sendable {
    public var difference: Difference
    public var lines: [String]
    public var smallest: Case?
    /// Runs that making it small took.
    public var trials: Int
  }

  init(seed: UInt64) { self.seed = seed }

  mutating func count(_ trial: Trial) {
    cases += 1
    hops += trial.hops
    compared += trial.compared
    notRun.merge(trial.notRun, uniquingKeysWith: +)
    loadErrors += trial.loadErrors
  }
}
