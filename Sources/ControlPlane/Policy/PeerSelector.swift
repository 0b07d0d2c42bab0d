import Cluster
import Wire

/// What a policy selects peers or subjects by, as Cilium's agent holds it: requirements on identity labels.
struct PeerSelector: Hashable, Sendable {
  enum Operator: UInt8, Hashable, Sendable { case `in`, notIn, exists, doesNotExist }

  /// A requirement on one label; the source `any` stands for every source.
  struct Requirement: Hashable, Sendable {
    var source: String
    var key: String
    /// With the source `cidr`: labels of prefixes within this one have the key.
    var cidr: CIDR?
    var op: Operator
    var values: [String]
    /// Whether the value is part of the label's key: a prefix may be in several groups, whose labels would collide.
    var isEncoded = false
  }

  /// In order of their labels, so that equal selectors are equal values.
  private(set) var requirements: [Requirement]

  init(_ requirements: [Requirement] = []) {
    self.requirements = requirements
    sort()
  }

  /// Selects every identity, those without a number yet as well: its entries have identity 0.
  var isWildcard: Bool { requirements.isEmpty }

  func matches(_ labels: IdentityLabels) -> Bool {
    for requirement in requirements where !requirement.matches(labels) { return false }
    return true
  }

  mutating func add(_ requirement: Requirement) {
    requirements.append(requirement)
    sort()
  }

  /// The prefixes that identities are needed for.
  var cidrs: [CIDR] { requirements.compactMap(\.cidr) }

  private mutating func sort() {
    requirements.sort {
      ($0.key, $0.source, $0.op.rawValue, $0.values.joined(separator: ","))
        < ($1.key, $1.source, $1.op.rawValue, $1.values.joined(separator: ","))
    }
  }
}

extension PeerSelector.Requirement {
  func matches(_ labels: IdentityLabels) -> Bool {
    if let cidr {
      let has = labels.cidrs.contains { cidr.contains($0) }
      return op == .doesNotExist ? !has : has
    }
    if isEncoded, op == .in || op == .notIn {
      let has = values.contains { labels.value(source: source, key: PeerSelector.encoded(key, $0)) != nil }
      return has == (op == .in)
    }
    let value = labels.value(source: source, key: key)
    switch op {
    case .in: return value.map { values.contains($0) } ?? false
    case .notIn: return value.map { !values.contains($0) } ?? true
    case .exists: return value != nil
    case .doesNotExist: return value == nil
    }
  }
}

extension PeerSelector {
  /// A requirement that a label be there, with whatever value.
  static func exists(_ source: String, _ key: String) -> Requirement {
    Requirement(source: source, key: key, cidr: nil, op: .exists, values: [])
  }

  static func equals(_ source: String, _ key: String, _ value: String) -> Requirement {
    Requirement(source: source, key: key, cidr: nil, op: .in, values: [value])
  }

  static func reserved(_ name: String) -> PeerSelector { PeerSelector([equals("reserved", name, "")]) }

  /// A selector of a manifest: keys may name their source (`k8s:app`), and have `source` if they do not.
  ///
  /// - Parameter readsSources: nil for selectors of Cilium's policies alone, whose source is `any`.
  init(_ selector: LabelSelector, source: String, keyPrefix: String = "", readsSources: Bool? = nil) {
    let readsSources = readsSources ?? (keyPrefix.isEmpty && source == "any")
    func split(_ key: String) -> (String, String) {
      if key.first == "$" { return ("reserved", String(key.dropFirst())) }
      guard readsSources, let colon = key.firstIndex(of: ":") else { return (source, keyPrefix + key) }
      let own = String(key[..<colon])
      return (own.isEmpty ? source : own, String(key[key.index(after: colon)...]))
    }
    var requirements: [Requirement] = []
    for label in selector.matchLabels {
      let (source, key) = split(label.key)
      requirements.append(PeerSelector.equals(source, key, label.value))
    }
    for expression in selector.matchExpressions {
      let (source, key) = split(expression.key)
      let op: Operator =
        switch expression.op {
        case .in: .in
        case .notIn: .notIn
        case .exists: .exists
        case .doesNotExist: .doesNotExist
        }
      requirements.append(
        Requirement(source: source, key: key, cidr: nil, op: op, values: expression.values.sorted()))
    }
    self.init(requirements)
  }

  /// Whether it says anything about a key, under one of the sources.
  func mentions(_ key: String, sources: [String] = ["k8s", "any"]) -> Bool {
    requirements.contains { $0.key == key && sources.contains($0.source) }
  }

  func mentions(prefix: String) -> Bool {
    requirements.contains { $0.key.hasPrefix(prefix) && ($0.source == "k8s" || $0.source == "any") }
  }

  var mentionsReserved: Bool { requirements.contains { $0.source == "reserved" } }

  /// A prefix, and the prefixes in it that are left out.
  init(_ cidr: CIDR, except: [CIDR] = [], options: DatapathOptions) {
    var requirements = [PeerSelector.prefix(cidr, .exists, options)]
    requirements += except.map { PeerSelector.prefix($0, .doesNotExist, options) }
    self.init(requirements)
  }

  /// The key that stands for a key and a value of a CiliumCIDRGroup.
  ///
  /// Source: Cilium `pkg/labels/labels.go` (`EncodedCIDRGroupLabel`).
  static func encoded(_ key: String, _ value: String) -> String { "\(key)+\(value)" }

  /// The prefixes of CiliumCIDRGroups, without some.
  init(_ groups: [Requirement], except: [CIDR], options: DatapathOptions) {
    self.init(groups + except.map { PeerSelector.prefix($0, .doesNotExist, options) })
  }

  private static func prefix(_ cidr: CIDR, _ op: Operator, _ options: DatapathOptions) -> Requirement {
    guard cidr.prefixLength > 0 else {
      return Requirement(
        source: "reserved", key: options.worldLabel(cidr.family), cidr: nil, op: op, values: [])
    }
    return Requirement(source: "cidr", key: cidr.description, cidr: cidr, op: op, values: [])
  }
}

extension DatapathOptions {
  /// The label of what is outside: `world` where a family is alone.
  func worldLabel(_ family: AddressFamily) -> String {
    switch family {
    case .ipv4: ipv6 ? "world-ipv4" : "world"
    case .ipv6: ipv4 ? "world-ipv6" : "world"
    }
  }
}

extension PeerSelector {
  /// A DNS name or pattern: identities of addresses that it stands for have its text as a label.
  init(_ selector: FQDNSelector) {
    self.init([PeerSelector.exists("fqdn", DNSPattern(selector).text)])
  }

  /// The names and patterns that identities are needed for.
  var names: [String] { requirements.filter { $0.source == "fqdn" }.map(\.key) }
}
