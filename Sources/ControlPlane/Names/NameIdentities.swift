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
  mutating func update(
    wanted: [IdentityLabels], numbers: inout NumberSpace
  ) -> (added: [UInt32], removed: [UInt32]) {
    var byName: [String: IdentityLabels] = [:]
    for labels in wanted { byName[labels.sortedList] = labels }
    var removed: [UInt32] = []
    for (name, identity) in identities.sorted(by: { $0.key < $1.key }) where byName[name] == nil {
      removed.append(identity.number)
      identities[name] = nil
      numbers.release(name)
    }
    var added: [UInt32] = []
    for (name, labels) in byName.sorted(by: { $0.key < $1.key }) where identities[name] == nil {
      guard let number = numbers.number(for: name) else { continue }
      let full = IDENTITY_SCOPE_LOCAL.number | UInt32(truncatingIfNeeded: number)
      identities[name] = Identity(number: full, labels: labels, references: 1)
      added.append(full)
    }
    return (added, removed)
  }
}
