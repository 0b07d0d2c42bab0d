/// The priorities that the rules of one direction get: tiers after one another, and within a tier one level for each
/// priority that rules ask for.
///
/// Behind every level with a pass verdict there is room for all levels of the lower tiers, since what is passed to them
/// is decided there. The levels of a tier are rounded up to tens, so that a new one moves few others.
///
/// Source: Cilium `pkg/policy/rules.go` (`computeTierPriorities`, `resolveL4Policy`).
struct PriorityLevels {
  /// A tier's first priority, and the first one after it.
  struct Span: Hashable, Sendable {
    var first: UInt32
    var next: UInt32
  }

  /// One for each statement, in their order.
  private(set) var priorities: [UInt32] = []
  private(set) var spans: [PolicyTier: Span] = [:]
  /// Whether the levels do not fit into 24 bits.
  private(set) var isOverfull = false

  /// - Parameter statements: in order of tier and priority.
  init(_ statements: [PolicyStatement]) {
    guard let last = statements.last else { return }
    let tiers = PolicyTier.allCases.filter { tier in statements.contains { $0.tier == tier } }
    var sizes: [PolicyTier: UInt64] = [:]
    var below: UInt64 = 0
    for tier in tiers.reversed() {
      let own = statements.filter { $0.tier == tier }
      let levels = Set(own.map(\.priority)).count
      let passes = Set(own.filter { $0.verdict == .pass }.map(\.priority)).count
      var size = PriorityLevels.roundedUp(UInt64(levels))
      if tier != last.tier {
        size = PriorityLevels.roundedUp(size &+ UInt64(passes + 1) &* below)
      }
      sizes[tier] = min(size, UInt64(UInt32.max))
      below = sizes[tier] ?? 0
    }
    isOverfull = below > UInt64(Precedence.lowestPriority)
    assign(statements, tiers, sizes)
  }

  private mutating func assign(
    _ statements: [PolicyStatement], _ tiers: [PolicyTier], _ sizes: [PolicyTier: UInt64]
  ) {
    var first: UInt64 = 0
    for (index, tier) in tiers.enumerated() {
      // A size includes those of the tiers below.
      let below = index + 1 < tiers.count ? sizes[tiers[index + 1]] ?? 0 : 0
      let next =
        index + 1 < tiers.count ? first &+ (sizes[tier] ?? 0) &- below : UInt64(Precedence.lowestPriority)
      spans[tier] = Span(first: UInt32(clamping: first), next: UInt32(clamping: next))
      var priority = first
      var increment: UInt64 = 1
      var level: Int?
      for statement in statements where statement.tier == tier {
        if let level, level != statement.priority {
          priority = priority &+ increment
          increment = 1
        }
        level = statement.priority
        priorities.append(UInt32(clamping: min(priority, UInt64(Precedence.lowestPriority))))
        if statement.verdict == .pass, below > 0 { increment = below &+ 1 }
      }
      first = next
    }
  }

  private static func roundedUp(_ count: UInt64) -> UInt64 { (count &+ 9) / 10 &* 10 }
}
