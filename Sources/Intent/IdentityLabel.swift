import Cluster

/// A label as a security identity carries it: with the source that it came from.
///
/// `k8s` labels are a pod's, `reserved` ones stand for the classes of peers that have no labels of their own.
/// Source: Cilium `pkg/labels/labels.go`.
public struct IdentityLabel: Hashable, Sendable, Comparable {
  public var source: String
  public var key: String
  public var value: String

  public init(_ source: String, _ key: String, _ value: String = "") {
    self.source = source
    self.key = key
    self.value = value
  }

  static func k8s(_ key: String, _ value: String) -> IdentityLabel { IdentityLabel("k8s", key, value) }
  static func reserved(_ name: String) -> IdentityLabel { IdentityLabel("reserved", name) }

  public static func < (a: Self, b: Self) -> Bool {
    (a.source, a.key, a.value) < (b.source, b.key, b.value)
  }
}

extension IdentityLabel: CustomStringConvertible {
  /// `k8s:app=web`, `reserved:world`.
  public var description: String { value.isEmpty ? "\(source):\(key)" : "\(source):\(key)=\(value)" }
}

/// The keys that Cilium adds to a pod's identity.
enum LabelKey {
  static let namespace = "io.kubernetes.pod.namespace"
  static let namespaceLabels = "io.cilium.k8s.namespace.labels"
  static let cluster = "io.cilium.k8s.policy.cluster"
  static let serviceAccount = "io.cilium.k8s.policy.serviceaccount"
  static let cidrGroupName = "io.cilium.policy.cidrgroupname"
}

/// Which of a pod's labels make its identity: a selector that names any other label matches no pod.
///
/// Source: Cilium `pkg/labelsfilter/filter.go`, the default list.
enum IdentityLabelFilter {
  private static let included = [
    LabelKey.namespace, LabelKey.namespaceLabels, "app.kubernetes.io", LabelKey.cluster,
    LabelKey.serviceAccount,
  ]
  private static let ignored = [
    "io.kubernetes", "kubernetes.io", "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io/job-completion-index", "batch.kubernetes.io/controller-uid", "k8s.io",
    "pod-template-generation", "pod-template-hash", "controller-revision-hash", "controller-uid", "etcd_node",
    "topology.kubernetes.io",
  ]

  /// The longest inclusion must be longer than the shortest exclusion; without any exclusion a label counts.
  static func keeps(_ key: String) -> Bool {
    var exclusion = Int.max
    for prefix in ignored where key.hasPrefix(prefix) { exclusion = min(exclusion, prefix.utf8.count) }
    if key.hasPrefix("annotation") { exclusion = min(exclusion, key.utf8.count) }
    if let end = endOfBetaDomain(key) { exclusion = min(exclusion, end) }
    if exclusion == .max { return true }
    let inclusion = included.filter(key.hasPrefix).map(\.utf8.count).max() ?? 0
    return inclusion > exclusion
  }

  /// Where the last `beta.kubernetes.io` of a key ends.
  private static func endOfBetaDomain(_ key: String) -> Int? {
    let domain = Array("beta.kubernetes.io".utf8)
    let octets = Array(key.utf8)
    guard octets.count >= domain.count else { return nil }
    for start in stride(from: octets.count - domain.count, through: 0, by: -1)
    where octets[start..<start + domain.count].elementsEqual(domain) {
      return start + domain.count
    }
    return nil
  }
}
