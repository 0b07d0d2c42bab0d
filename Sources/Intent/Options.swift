import Cluster
import Wire

/// Whose word counts where the Kubernetes text and Cilium differ.
public enum Authority: String, Hashable, Sendable, CaseIterable {
  /// What a Cilium cluster does: an `ipBlock` never matches a pod or a node.
  case cilium
  /// What the NetworkPolicy API says: an `ipBlock` matches whoever has the address, every label counts, and a
  /// pod always exchanges traffic with its own node.
  case kubernetes
}

/// How a pod's traffic to its own address is judged.
public enum SelfTraffic: String, Hashable, Sendable, CaseIterable {
  /// It never leaves the pod: allowed.
  case loopback
  /// By the policies, as for any other peer (what Cyclonus' tables show).
  case judged
}

/// A name that DNS gave an address for, as the agent learnt it.
public struct LearntName: Hashable, Sendable {
  public var name: String
  public var address: IPAddress

  public init(_ name: String, _ address: IPAddress) {
    self.name = name
    self.address = address
  }
}

/// What Intent assumes beyond the manifests.
public struct IntentOptions: Hashable, Sendable {
  public var follow: Authority
  public var selfTraffic: SelfTraffic
  /// What the DNS proxy has learnt; `toFQDNs` selects nothing else.
  public var names: [LearntName]

  public init(
    follow: Authority = .cilium, selfTraffic: SelfTraffic = .loopback, names: [LearntName] = []
  ) {
    self.follow = follow
    self.selfTraffic = selfTraffic
    self.names = names
  }
}
