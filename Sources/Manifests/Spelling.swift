/// The candidate that `word` was probably meant to be: at most a third of its letters away (and at least one
/// always allowed), letter case aside first; nil when none is near.
public func nearestSpelling(to word: String, in candidates: some Sequence<String>) -> String? {
  let word = String(word.prefix(64))
  let folded = Array(word.lowercased().utf8)
  var best: (distance: Int, text: String)?
  for candidate in candidates where candidate != word {
    let other = Array(candidate.lowercased().utf8)
    let allowed = max(1, min(folded.count, other.count) / 3)
    guard abs(folded.count - other.count) <= allowed else { continue }
    let distance = editDistance(folded, other)
    if distance <= allowed, best.map({ (distance, candidate) < ($0.distance, $0.text) }) ?? true {
      best = (distance, candidate)
    }
  }
  return best?.text
}

/// Insertions, deletions, replacements and swaps of neighbours that make one of the other.
func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
  var older = [Int](repeating: 0, count: b.count + 1)
  var old = Array(0...b.count)
  for i in 0..<a.count {
    var new = [i + 1]
    new.reserveCapacity(b.count + 1)
    for j in 0..<b.count {
      var cost = min(old[j + 1] + 1, new[j] + 1, old[j] + (a[i] == b[j] ? 0 : 1))
      if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, older[j - 1] + 1) }
      new.append(cost)
    }
    (older, old) = (old, new)
  }
  return old[b.count]
}
