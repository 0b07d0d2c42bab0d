import Cluster
import Wire

/// A peer of a conversation, as the endpoint at the other end sees it.
struct PeerView: Sendable {
  let identity: Identity
  /// Its address in the conversation's family.
  let address: IPAddress?

  /// The address, where CIDR and FQDN rules may go by it.
  var matchableAddress: IPAddress? { identity.isMatchedByAddress ? address : nil }
}

/// One condition that a peer may meet.
enum PeerTest: Hashable, Sendable {
  /// Whoever it is.
  case everyone
  case labels([Requirement])
  /// A prefix of addresses outside of the cluster (and of nodes, where Cilium is told so).
  case block(AddressBlock)
  /// A prefix that covers pods and nodes too: the Kubernetes text's `ipBlock`.
  case wholeBlock(AddressBlock)
  /// CiliumCIDRGroups by their labels, and the groups that there are.
  case groups([Requirement], except: [AddressBlock], CIDRGroups)
  case name(NamePattern)

  func matches(_ peer: PeerView, _ names: [LearntName]) -> Bool {
    switch self {
    case .everyone:
      return true
    case .labels(let requirements):
      return requirements.hold(for: peer.identity)
    case .block(let block):
      // A prefix of length 0 is Cilium's world, which nodes are never part of.
      if block.isUniversal, !peer.identity.isWorld { return false }
      guard let address = peer.matchableAddress else { return false }
      return block.contains(address)
    case .wholeBlock(let block):
      return peer.address.map(block.contains) ?? false
    case .groups(let requirements, let exceptions, let groups):
      let address = peer.matchableAddress
      if let address, exceptions.contains(where: { $0.contains(address) }) { return false }
      return groups.satisfy(requirements, for: address)
    case .name(let pattern):
      guard let address = peer.matchableAddress else { return false }
      for learnt in names where learnt.address == address && pattern.matches(learnt.name) { return true }
      return false
    }
  }

  /// Whether Cilium renders it as identity 0, which stands for everyone.
  var isWildcard: Bool {
    switch self {
    case .everyone: true
    case .labels(let requirements): requirements.isEmpty
    default: false
    }
  }
}

/// The groups of prefixes that a cluster has.
struct CIDRGroups: Hashable, Sendable {
  private struct Group: Hashable, Sendable {
    let labels: Labels
    let blocks: [AddressBlock]
  }

  private let groups: [Group]

  init(_ groups: some Sequence<CiliumCIDRGroup>) {
    self.groups = groups.map { group in
      var labels = Labels(labels: group.labels.filter { !$0.key.hasPrefix("io.cilium.k8s") })
      labels["\(LabelKey.cidrGroupName)/\(group.name)"] = ""
      return Group(labels: labels, blocks: group.externalCIDRs.map { AddressBlock($0.value) })
    }
  }

  /// Whether the groups that hold an address satisfy requirements together: each may be met by another group.
  ///
  /// One that only asks for the absence of something is met by peers in no group at all, pods included: Cilium
  /// tests labels here and nothing else.
  /// Source: Cilium `pkg/policy/types/requirements.go` (`matchesEncodedRequirements`).
  func satisfy(_ requirements: [Requirement], for address: IPAddress?) -> Bool {
    for requirement in requirements where !satisfies(requirement, address) { return false }
    return true
  }

  private func satisfies(_ requirement: Requirement, _ address: IPAddress?) -> Bool {
    var hasKey = false
    var hasValue = false
    if let address {
      for group in groups where group.blocks.contains(where: { $0.contains(address) }) {
        guard let value = group.labels[requirement.key] else { continue }
        hasKey = true
        if requirement.values.contains(value) { hasValue = true }
      }
    }
    return switch requirement.op {
    case .in: hasValue
    case .notIn: !hasValue
    case .exists: hasKey
    case .doesNotExist: !hasKey
    }
  }
}

/// A peer test and where it was written.
struct Peer: Hashable, Sendable {
  let test: PeerTest
  /// `fromEndpoints`, `toCIDR`, `from` …
  let list: String
  let index: Int
  let location: SourceLocation

  var path: String { "\(list)[\(index)]" }
}

/// Whom a rule is about.
enum Peers: Hashable, Sendable {
  /// A list that is present and empty: nobody.
  case nobody
  /// No list, or lists that came to nothing: everyone where the rule names ports, and nobody where it does not.
  ///
  /// Source: Cilium `pkg/policy/rule.go` (`mergeL4Filter`).
  case unspecified
  case any([Peer])
}
