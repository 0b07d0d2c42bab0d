/// Which identities each selector selects, kept up to date as identities come and go.
///
/// Source: Cilium `pkg/policy/selectorcache.go`.
struct SelectorCache: Sendable {
  private var labels: [UInt32: IdentityLabels] = [:]
  /// Ascending.
  private var numbers: [UInt32] = []
  private var selections: [PeerSelector: [UInt32]] = [:]

  init() {}

  var identities: [UInt32] { numbers }
  func labels(_ number: UInt32) -> IdentityLabels? { labels[number] }

  /// The identities that a selector selects, ascending; from now on they are kept up to date.
  mutating func selected(by selector: PeerSelector) -> [UInt32] {
    if let known = selections[selector] { return known }
    let found = numbers.filter { number in labels[number].map { selector.matches($0) } ?? false }
    selections[selector] = found
    return found
  }

  /// Takes in identities that came, went, or changed their labels.
  ///
  /// - Returns: the selectors whose selections changed.
  mutating func update(
    added: [(number: UInt32, labels: IdentityLabels)], removed: [UInt32]
  ) -> Set<PeerSelector> {
    guard !added.isEmpty || !removed.isEmpty else { return [] }
    var gone = Set(removed)
    for number in removed { labels[number] = nil }
    for (number, new) in added {
      labels[number] = new
      gone.insert(number)
    }
    numbers = labels.keys.sorted()
    var changed: Set<PeerSelector> = []
    for (selector, old) in selections {
      var new = old.filter { !gone.contains($0) }
      for (number, labels) in added where selector.matches(labels) { new.append(number) }
      new.sort()
      guard new != old else { continue }
      selections[selector] = new
      changed.insert(selector)
    }
    return changed
  }

  /// Forgets the selectors that nobody uses any more.
  mutating func keep(_ used: Set<PeerSelector>) {
    selections = selections.filter { used.contains($0.key) }
  }
}
