import Cluster

/// What a rule does with what it matches.
public enum RuleAction: String, Hashable, Sendable, CaseIterable { case allow, deny, pass }

/// Where a rule stands in the order of decisions: lower values first, and among equals deny before redirect
/// before allow before pass.
///
/// Source: Cilium `pkg/policy/types/policyentry.go`.
public struct RuleLevel: Hashable, Sendable, Comparable {
  public enum Tier: UInt8, Hashable, Sendable, CaseIterable {
    case admin = 100
    case normal = 200
    case baseline = 250
    /// What Cilium adds by itself.
    case `default` = 255
  }

  public var tier: Tier
  public var priority: Int

  public init(_ tier: Tier, priority: Int = 0) {
    self.tier = tier
    self.priority = priority
  }

  public static let normal = RuleLevel(.normal)

  public static func < (a: Self, b: Self) -> Bool {
    (a.tier.rawValue, a.priority) < (b.tier.rawValue, b.priority)
  }
}

/// Which endpoints a policy is about.
enum SubjectTest: Hashable, Sendable {
  case pods([Requirement])
  case nodes([Requirement])

  /// The one spelling that Cilium looks for when it scopes a selector.
  static let namespaceKey = "k8s:\(LabelKey.namespace)"

  func selects(_ identity: Identity, isNode: Bool) -> Bool {
    switch self {
    case .pods(let requirements): !isNode && requirements.hold(for: identity)
    case .nodes(let requirements): isNode && requirements.hold(for: identity)
    }
  }
}

/// One entry of a policy's list, ready to be asked.
struct Rule: Sendable {
  /// Its place among all rules of the cluster.
  var id = 0
  let policy: ObjectReference
  let spec: Int?
  let section: RuleSection
  let index: Int
  let location: SourceLocation
  let level: RuleLevel
  let action: RuleAction
  let subject: SubjectTest
  /// The namespace whose pods alone it can select; nil for any.
  let namespace: String?
  let peers: Peers
  /// Nil when the rule names no ports; a list that came to nothing matches nothing.
  let ports: [Port]?
  let turnsOnDefaultDeny: Bool
  let authentication: AuthenticationMode?

  var direction: PolicyDirection { section.direction }

  /// Where a match of peer and port stands; either may be nil.
  func site(_ peer: Peer?, _ port: Port?) -> RuleSite {
    let portPath = port.flatMap { $0.path.isEmpty ? nil : $0.path }
    return RuleSite(
      policy: policy, spec: spec, section: section, index: index, peer: peer?.path, port: portPath,
      location: (peer?.location ?? .none).or(location))
  }
}
