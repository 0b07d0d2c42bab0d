import Cluster

/// The list of a policy that a rule stands in.
public enum RuleSection: String, Hashable, Sendable, CaseIterable {
  case ingress, ingressDeny, egress, egressDeny

  public var direction: PolicyDirection {
    switch self {
    case .ingress, .ingressDeny: .ingress
    case .egress, .egressDeny: .egress
    }
  }
}

/// Where in a manifest something stands that decided.
public struct RuleSite: Hashable, Sendable {
  public var policy: ObjectReference
  /// Which of the policy's specs, where it has several.
  public var spec: Int?
  public var section: RuleSection
  public var index: Int
  /// `fromEndpoints[1]`; nil where the rule names no peers.
  public var peer: String?
  /// `toPorts[0].ports[1]`; nil where the rule names no ports.
  public var port: String?
  public var location: SourceLocation

  /// `ingress[0].fromEndpoints[1]`, after `specs[1].` where there are several.
  public var path: String {
    let spec = spec.map { "specs[\($0)]." } ?? ""
    let peer = peer.map { ".\($0)" } ?? ""
    return "\(spec)\(section.rawValue)[\(index)]\(peer)"
  }
}

extension RuleSite: CustomStringConvertible {
  /// `CiliumNetworkPolicy default/web ingress[0].fromEndpoints[1] toPorts[0].ports[0] (web.yaml:12:7)`.
  public var description: String {
    let port = port.map { " \($0)" } ?? ""
    let place = location.isKnown ? " (\(location))" : ""
    return "\(policy) \(path)\(port)\(place)"
  }
}
