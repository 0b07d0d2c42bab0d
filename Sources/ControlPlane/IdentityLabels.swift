import Cluster
import Wire

/// A label as Cilium's identities have it: with the source that it comes from.
public struct IdentityLabel: Hashable, Sendable {
  public var source: String
  public var key: String
  public var value: String

  public init(_ source: String, _ key: String, _ value: String = "") {
    self.source = source
    self.key = key
    self.value = value
  }

  static func reserved(_ name: String) -> IdentityLabel { IdentityLabel("reserved", name) }

  /// The label of a prefix: colons stand as dashes, and never at an end.
  ///
  /// Source: Cilium `pkg/labels/cidr.go`.
  static func cidr(_ cidr: CIDR) -> IdentityLabel {
    var address = cidr.network.description
    if address.hasPrefix(":") { address = "0" + address }
    if address.hasSuffix(":") { address += "0" }
    return IdentityLabel("cidr", "\(address.replacing(":", with: "-"))/\(cidr.prefixLength)")
  }
}

extension IdentityLabel: CustomStringConvertible {
  /// `source:key=value`, or `source:key` when the value is empty.
  public var description: String { value.isEmpty ? "\(source):\(key)" : "\(source):\(key)=\(value)" }
}

/// The labels of an identity, by key. Pods with equal ones have the same identity.
public struct IdentityLabels: Hashable, Sendable {
  public let labels: [IdentityLabel]
  /// The prefixes of labels with the source `cidr`: one at most, but for nodes that prefixes may select.
  let cidrs: [CIDR]

  /// Later labels win over earlier ones of the same key.
  public init(_ labels: some Sequence<IdentityLabel>) {
    var byKey: [String: IdentityLabel] = [:]
    for label in labels { byKey[label.key] = label }
    self.labels = byKey.values.sorted { ($0.key, $0.source) < ($1.key, $1.source) }
    cidrs = self.labels.compactMap { label in
      label.source == "cidr" ? CIDR(label.key.replacing("-", with: ":")) : nil
    }
  }

  /// Every label with a value sign and a semicolon behind it, in order: what Cilium names an identity by.
  public var sortedList: String {
    var text = ""
    for label in labels { text += "\(label.source):\(label.key)=\(label.value);" }
    return text
  }

  /// The value of a label with this key; the source `any` stands for every source.
  func value(source: String, key: String) -> String? {
    for label in labels where label.key == key && (source == "any" || label.source == source) {
      return label.value
    }
    return nil
  }

  public static let clusterKey = "io.cilium.k8s.policy.cluster"
  public static let serviceAccountKey = "io.cilium.k8s.policy.serviceaccount"
  public static let namespaceKey = "io.kubernetes.pod.namespace"
  public static let namespaceLabelsPrefix = "io.cilium.k8s.namespace.labels."
  public static let namedPortsKey = "io.cilium.k8s.named-ports"

  /// The namespace of the pods that have this identity; nil for identities that are no pods'.
  public var namespace: String? { value(source: "k8s", key: IdentityLabels.namespaceKey) }
}

extension IdentityLabels {
  /// The labels of a pod that make its identity: its own and its namespace's, its service account and cluster,
  /// without those that Cilium's default filter leaves out; from 1.20 on its named ports too.
  ///
  /// Source: Cilium `pkg/k8s/utils.SanitizePodLabels`, `pkg/labelsfilter/filter.go`,
  /// `pkg/endpoint/metadata/k8s_metadatafetcher.go`, `pkg/k8s/labels.go`.
  init(pod: Pod, namespaceLabels: Labels, settings: Settings) {
    var labels: [IdentityLabel] = []
    for label in pod.labels where !label.key.hasPrefix("io.cilium.k8s") {
      labels.append(IdentityLabel("k8s", label.key, label.value))
    }
    for label in namespaceLabels {
      labels.append(IdentityLabel("k8s", IdentityLabels.namespaceLabelsPrefix + label.key, label.value))
    }
    labels.append(IdentityLabel("k8s", IdentityLabels.namespaceKey, pod.namespace))
    if !pod.spec.serviceAccount.isEmpty {
      labels.append(IdentityLabel("k8s", IdentityLabels.serviceAccountKey, pod.spec.serviceAccount))
    }
    labels.append(IdentityLabel("k8s", IdentityLabels.clusterKey, settings.clusterName))
    var kept = labels.filter { LabelFilter.keeps($0.key) }
    if settings.profile >= .v120 { kept += IdentityLabels.namedPortLabels(pod) }
    self.init(kept)
  }

  /// `name.protocol.number` of every named port, joined by underscores in order of the names, split at 63
  /// characters.
  private static func namedPortLabels(_ pod: Pod) -> [IdentityLabel] {
    var ports: [String: String] = [:]
    for port in pod.spec.containers.flatMap(\.ports) {
      guard let name = port.name, !name.isEmpty else { continue }
      // Of two ports with a name, the first counts.
      if ports[name] == nil { ports[name] = "\(name).\(port.transport.rawValue).\(port.number)" }
    }
    var values: [String] = []
    for (_, part) in ports.sorted(by: { $0.key < $1.key }) {
      if let last = values.last, last.utf8.count + 1 + part.utf8.count <= 63 {
        values[values.count - 1] = "\(last)_\(part)"
      } else {
        values.append(part)
      }
    }
    return values.enumerated().map { index, value in
      IdentityLabel("gen", index == 0 ? namedPortsKey : "\(namedPortsKey)-\(index)", value)
    }
  }
}

/// Which label keys make identities, by Cilium's default expressions, which match at the start of a key.
///
/// Source: Cilium `pkg/labelsfilter/filter.go`.
enum LabelFilter {
  static let included = [
    IdentityLabels.namespaceKey, "io.cilium.k8s.namespace.labels", "app.kubernetes.io",
    IdentityLabels.clusterKey,
    IdentityLabels.serviceAccountKey,
  ]
  static let ignored = [
    "io.kubernetes", "kubernetes.io", "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io/job-completion-index", "batch.kubernetes.io/controller-uid", "k8s.io",
    "pod-template-generation", "pod-template-hash", "controller-revision-hash", "controller-uid",
    "annotation",
    "etcd_node", "topology.kubernetes.io",
  ]

  /// Whether a label with this key is part of an identity: nothing ignores it, or what includes it matches more
  /// of the key than the shortest of those that ignore it.
  static func keeps(_ key: String) -> Bool {
    var shortestIgnored = 0
    func ignore(_ length: Int) {
      if shortestIgnored == 0 || length < shortestIgnored { shortestIgnored = length }
    }
    for prefix in ignored where key.hasPrefix(prefix) {
      // `annotation.*` takes the rest of the key.
      ignore(prefix == "annotation" ? key.utf8.count : prefix.utf8.count)
    }
    if let end = endOfLastBeta(key) { ignore(end) }
    guard shortestIgnored > 0 else { return true }
    let longestIncluded = included.filter { key.hasPrefix($0) }.map(\.utf8.count).max() ?? 0
    return longestIncluded > shortestIgnored
  }

  /// Where the last `beta.kubernetes.io` of a key ends: the expression before it is greedy.
  private static func endOfLastBeta(_ key: String) -> Int? {
    let key = Array(key.utf8)
    let word = Array("beta.kubernetes.io".utf8)
    guard key.count >= word.count else { return nil }
    for start in stride(from: key.count - word.count, through: 0, by: -1)
    where key[start..<start + word.count].elementsEqual(word) {
      return start + word.count
    }
    return nil
  }
}
