import Cluster
import MapABI
import Wire

/// The identities of addresses that policies know by name: one for each set of labels.
///
/// They are local to nodes; here, as those of prefixes, they are the same on each.
///
/// Source: Cilium `pkg/fqdn/namemanager/{manager,preallocator}.go`, `pkg/ipcache/metadata.go` (`resolveIdentity`).
struct NameIdentities: Sendable {
  /// By their labels, as `IdentityLabels.sortedList` writes them.
  private(set) var identities: [String: Identity] = [:]
  /// The datapath knows local identities by this range, which those of prefixes are in as well.
  private var numbers = NumberSpace("fqdn", 1...65_535)
  /// What the numbers are drawn from.
  private var drawnFrom: [String: String] = [:]
  private var patterns: [(text: String, pattern: DNSPattern)] = []

  /// The names and patterns of policies.
  mutating func setSelectors(_ texts: [String]) {
    guard texts != patterns.map(\.text) else { return }
    patterns = texts.map { ($0, DNSPattern(FQDNSelector(matchPattern: $0))) }
  }

  var hasSelectors: Bool { !patterns.isEmpty }

  /// The labels that an address gets by its names; empty when no policy asks for any of them.
  func labels(ofNames names: [String]) -> [IdentityLabel] {
    patterns.filter { entry in names.contains { entry.pattern.matches($0) } }.map {
      IdentityLabel("fqdn", $0.text)
    }
  }

  /// The labels of every identity that is there before anybody asked for a name.
  func preallocated(_ options: DatapathOptions) -> [IdentityLabels] {
    patterns.flatMap { entry in
      options.families.map { family in
        IdentityLabels([IdentityLabel("fqdn", entry.text), .reserved(options.worldLabel(family))])
      }
    }
  }

  func number(of labels: IdentityLabels) -> UInt32? { identities[labels.sortedList]?.number }

  /// Makes the identities that are wanted, and lets go of the others.
  ///
  /// - Parameter taken: the numbers of prefixes, which come first.
  mutating func update(
    wanted: [IdentityLabels], taken: Set<UInt32>
  ) -> (added: [UInt32], removed: [UInt32]) {
    var byName: [String: IdentityLabels] = [:]
    for labels in wanted { byName[labels.sortedList] = labels }
    var removed: [UInt32] = []
    for (name, identity) in identities.sorted(by: { $0.key < $1.key })
    where byName[name] == nil || taken.contains(identity.number) {
      if !taken.contains(identity.number) { removed.append(identity.number) }
      identities[name] = nil
      if let drawn = drawnFrom.removeValue(forKey: name) { numbers.release(drawn) }
    }
    var added: [UInt32] = []
    for (name, labels) in byName.sorted(by: { $0.key < $1.key }) where identities[name] == nil {
      guard let full = draw(name, taken) else { continue }
      identities[name] = Identity(number: full, labels: labels, references: 1)
      added.append(full)
    }
    return (added, removed)
  }

  /// A number that no prefix has: where one does, the name is asked again with a count behind it.
  private mutating func draw(_ name: String, _ taken: Set<UInt32>) -> UInt32? {
    for attempt in 0..<64 {
      let key = attempt == 0 ? name : "\(name)#\(attempt)"
      guard let number = numbers.number(for: key) else { return nil }
      let full = IDENTITY_SCOPE_LOCAL.number | UInt32(truncatingIfNeeded: number)
      if !taken.contains(full) {
        drawnFrom[name] = key
        return full
      }
      numbers.release(key)
    }
    return nil
  }
}
