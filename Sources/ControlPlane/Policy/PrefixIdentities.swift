import Cluster
import MapABI
import Wire

/// What is known of prefixes and of nodes' addresses, as far as it makes labels.
struct PrefixFacts: Hashable, Sendable {
  /// Labels that policies, groups and others give to prefixes; several may give to one.
  var prefixes: [CIDR: [IdentityLabel]] = [:]
  /// Addresses of nodes, their routers and their health endpoints: prefixes do not count there.
  var reserved: Set<CIDR> = []
  /// The nodes' own labels, where nodes have identities of their own.
  var nodes: [NodeFacts] = []

  struct NodeFacts: Hashable, Sendable {
    var name: String
    /// Internal ones and the router's.
    var addresses: [IPAddress]
    /// With the source `node`, and the cluster's name; empty unless asked for.
    var labels: [IdentityLabel]
    var isAPIServer: Bool
  }

  mutating func add(_ label: IdentityLabel, to prefix: CIDR) {
    guard prefixes[prefix]?.contains(label) != true else { return }
    prefixes[prefix, default: []].append(label)
  }
}

/// Identities that agents give by themselves: to prefixes, and to nodes where policies may tell them apart. They are
/// local to nodes; here they are the same on each.
///
/// A prefix has its own labels and those of the prefixes around it, but one label of the source `cidr` at most: that
/// of the narrowest. Prefixes with equal labels share an identity.
///
/// Source: Cilium `pkg/ipcache/metadata.go` (`resolveIdentity`, `mergeParentLabels`, `resolveLabels`),
/// `pkg/node/manager/manager.go` (`nodeIdentityLabels`).
struct PrefixIdentities: Sendable {
  private var numbers = NumberSpace("cidr", 1...65_535)
  private var nodeNumbers = NumberSpace("remote-node", 1...65_535)

  /// By prefix.
  private(set) var prefixes: [CIDR: Identity] = [:]
  /// Of nodes' addresses as other nodes see them; empty where all nodes are `remote-node`.
  private(set) var nodes: [IPAddress: Identity] = [:]
  /// What `host` stands for on each node besides its name; empty where it is that alone.
  private(set) var hosts: [String: [IdentityLabel]] = [:]

  /// Each identity once, by number.
  var all: [Identity] {
    var byNumber: [UInt32: Identity] = [:]
    for identity in prefixes.values { byNumber[identity.number] = identity }
    for identity in nodes.values { byNumber[identity.number] = identity }
    return byNumber.values.sorted { $0.number < $1.number }
  }

  /// Brings the identities in line with the facts.
  ///
  /// - Returns: those that came, and the numbers of those that went.
  mutating func update(
    _ facts: PrefixFacts, _ settings: Settings, _ options: DatapathOptions
  ) -> (added: [Identity], removed: [UInt32]) {
    let old = Dictionary(all.map { ($0.number, $0.labels) }, uniquingKeysWith: { a, _ in a })
    let parents = Parents(facts.prefixes)
    updatePrefixes(facts, parents, options)
    updateNodes(facts, parents, settings)
    let new = all
    let numbers = Set(new.map(\.number))
    return (
      new.filter { old[$0.number] != $0.labels }, old.keys.filter { !numbers.contains($0) }.sorted()
    )
  }

  private mutating func updatePrefixes(
    _ facts: PrefixFacts, _ parents: Parents, _ options: DatapathOptions
  ) {
    var labels: [(CIDR, IdentityLabels, String)] = []
    for prefix in facts.prefixes.keys.sorted() where !facts.reserved.contains(prefix) {
      var own = parents.labels(around: prefix, facts.prefixes[prefix] ?? [])
      own.append(.reserved(options.worldLabel(prefix.family)))
      let set = IdentityLabels(own)
      // A prefix with nothing but its own label is named by itself.
      let isPlain = set.labels.count == 2 && set.cidrs == [prefix]
      labels.append((prefix, set, isPlain ? prefix.description : set.sortedList))
    }
    let names = Set(labels.map(\.2))
    for name in numbers.numbers.keys where !names.contains(name) { numbers.release(name) }
    prefixes.removeAll(keepingCapacity: true)
    for (prefix, labels, name) in labels {
      guard let number = numbers.number(for: name) else { continue }
      prefixes[prefix] = Identity(
        number: IDENTITY_SCOPE_LOCAL.number | UInt32(truncatingIfNeeded: number), labels: labels,
        references: 1)
    }
  }

  private mutating func updateNodes(_ facts: PrefixFacts, _ parents: Parents, _ settings: Settings) {
    nodes.removeAll(keepingCapacity: true)
    hosts.removeAll(keepingCapacity: true)
    let matches = settings.policy.cidrMatchesNodes
    guard matches || settings.policy.nodeSelectorLabels else { return }
    var labels: [(IPAddress, IdentityLabels)] = []
    for node in facts.nodes.sorted(by: { $0.name < $1.name }) {
      var shared = node.labels
      if node.isAPIServer { shared.append(.reserved("kube-apiserver")) }
      var host = shared
      for address in node.addresses {
        var own = shared + [.reserved("remote-node")]
        if matches {
          let prefix = CIDR(address)
          let found = parents.labels(around: prefix, (facts.prefixes[prefix] ?? []) + [.cidr(prefix)])
          own += found
          host += found
        }
        labels.append((address, IdentityLabels(own)))
      }
      hosts[node.name] = host
    }
    let names = Set(labels.map(\.1.sortedList))
    for name in nodeNumbers.numbers.keys where !names.contains(name) { nodeNumbers.release(name) }
    for name in names.sorted() { _ = nodeNumbers.number(for: name) }
    for (address, labels) in labels {
      guard let number = nodeNumbers.numbers[labels.sortedList] else { continue }
      nodes[address] = Identity(
        number: IDENTITY_SCOPE_REMOTE_NODE.number | UInt32(truncatingIfNeeded: number), labels: labels,
        references: 1)
    }
  }

  /// The prefixes that have labels, to look for those around another.
  private struct Parents {
    let prefixes: [CIDR: [IdentityLabel]]
    /// The lengths that occur, the longest first.
    let lengths: [AddressFamily: [Int]]

    init(_ prefixes: [CIDR: [IdentityLabel]]) {
      self.prefixes = prefixes
      var lengths: [AddressFamily: Set<Int>] = [:]
      for prefix in prefixes.keys { lengths[prefix.family, default: []].insert(prefix.prefixLength) }
      self.lengths = lengths.mapValues { $0.sorted(by: >) }
    }

    /// A prefix's labels and those of the prefixes around it; of two with one key the narrower prefix's counts.
    func labels(around prefix: CIDR, _ own: [IdentityLabel]) -> [IdentityLabel] {
      var result: [IdentityLabel] = []
      var keys: Set<String> = []
      var hasPrefix = false
      func add(_ label: IdentityLabel) {
        if label.source == "cidr" {
          guard !hasPrefix else { return }
          hasPrefix = true
        }
        if keys.insert(label.key).inserted { result.append(label) }
      }
      own.forEach(add)
      for length in lengths[prefix.family] ?? [] where length < prefix.prefixLength {
        guard let parent = CIDR(prefix.network, prefixLength: length) else { continue }
        (prefixes[parent] ?? []).forEach(add)
      }
      return result
    }
  }
}
