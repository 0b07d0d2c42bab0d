extension MapState {
  /// Adds an entry where rules pass decisions on: a pass covers nothing, and what of lower tiers it covers ranks right
  /// behind it.
  ///
  /// Source: Cilium `insertWithPasses`.
  mutating func insertWithPasses(_ key: Key, _ entry: Entry, tierMax: UInt32) {
    if let pass = entry.passes.first {
      insertPass(key, entry, pass, tierMax: tierMax)
    } else if let precedence = entry.precedence {
      insertVerdict(key, entry, precedence.bits, tierMax: tierMax)
    }
  }

  private mutating func insertPass(_ key: Key, _ entry: Entry, _ pass: PassMark, tierMax: UInt32) {
    for (_, found) in covering(key) {
      if let rank = found.precedence?.bits, rank <= tierMax, rank > pass.precedence { return }
      if found.passes.contains(where: { $0.tierMin == pass.tierMin && $0.precedence >= pass.precedence }) {
        return
      }
    }
    for (other, found) in covered(key) { prune(other, found, under: key, pass.precedence) }
    add(key, entry)
  }

  /// Takes out of a covered entry what a verdict of that precedence beats.
  private mutating func prune(_ other: Key, _ found: Entry, under key: Key, _ precedence: UInt32) {
    var kept = found
    kept.passes.removeAll { !$0.survives(precedence) }
    if let rank = found.precedence?.bits,
      rank < precedence || found.isDeny && rank == precedence && other != key
    {
      kept.precedence = nil
    }
    self[other] = kept.precedence == nil && kept.passes.isEmpty ? nil : kept
  }

  /// What stands above a key that a verdict is to be put at.
  private struct Above {
    /// Passes of higher tiers that cover it, at most one of each.
    var passes: [PassMark] = []
    /// The highest verdict of a higher tier that covers it; 0 for none.
    var verdict: UInt32 = 0
    /// The key with the identities of passes that cover its ports alone.
    var narrowed: Set<Key> = []
    /// Those that a verdict of the same tier has decided already.
    var decided: Set<Key> = []
    /// Whether a verdict or a pass of the same tier covers it and ranks before.
    var isBeaten = false
  }

  private func above(_ key: Key, _ entry: Entry, _ rank: UInt32, tierMax: UInt32) -> Above {
    var result = Above()
    for (other, found) in broader(key) {
      let covers = key.identity != 0 || other.identity == 0
      for pass in found.passes {
        if pass.tierMin > rank {
          if !covers {
            result.narrowed.insert(key.with(identity: other.identity))
            break
          }
          result.passes.collect(pass)
        } else if covers, pass.precedence > rank {
          result.isBeaten = true
        }
      }
      guard let known = found.precedence?.bits,
        known > rank || entry.isDeny && known == rank && other != key
      else { continue }
      switch (covers, known <= tierMax) {
      case (true, true): result.isBeaten = true
      case (true, false): result.verdict = max(result.verdict, known)
      case (false, true): result.decided.insert(key.with(identity: other.identity))
      case (false, false): break
      }
    }
    return result
  }

  private mutating func insertVerdict(_ key: Key, _ entry: Entry, _ rank: UInt32, tierMax: UInt32) {
    let above = above(key, entry, rank, tierMax: tierMax)
    if above.isBeaten { return }
    var done = above.decided
    var queue: [Key] = []
    func enqueue(_ new: Key) { if done.insert(new).inserted { queue.append(new) } }
    for new in above.narrowed { enqueue(new) }
    for (other, found) in narrower(key) {
      let isCovered = key.identity == 0 || other.identity == key.identity
      if above.verdict == 0, isCovered { prune(other, found, under: key, rank) }
      let narrowed = other.identity == 0 ? other.with(identity: key.identity) : other
      if narrowed != key, found.passes.contains(where: { $0.precedence > tierMax }) { enqueue(narrowed) }
    }
    if above.passes.isEmpty {
      if above.verdict == 0 { add(key, entry) }
    } else {
      let raised = MapState.raised(rank, above.passes)
      if raised > above.verdict {
        put(key, entry, raised)
      } else if above.verdict == 0 {
        add(key, entry)
      }
    }
    // Keys inside of this one that passes of higher tiers cover.
    var next = 0
    while next < queue.count {
      let narrowed = queue[next]
      next += 1
      let above = self.above(narrowed, entry, rank, tierMax: tierMax)
      done.formUnion(above.decided)
      for new in above.narrowed { enqueue(new) }
      let raised = MapState.raised(rank, above.passes)
      if raised > above.verdict { put(narrowed, entry, raised) }
    }
  }

  /// A verdict at the rank that passes give it.
  private mutating func put(_ key: Key, _ entry: Entry, _ rank: UInt32) {
    var entry = entry
    entry.precedence = Precedence(bits: rank)
    for (other, found) in covered(key) { prune(other, found, under: key, rank) }
    add(key, entry)
  }

  /// Behind each of the passes.
  private static func raised(_ rank: UInt32, _ passes: [PassMark]) -> UInt32 {
    passes.reduce(rank) { $0 &- $1.tierMin &+ $1.precedence }
  }
}
