import Cluster
import Wire

/// What the API server or the agent refuses of a Cilium policy as a whole, though each field by itself is fine.
///
/// A policy that the agent refuses is taken by the API server and never enforced: the finding says so.
/// Source: Cilium `pkg/policy/api/rule_validation.go`, and the CRD's schema.
public struct PolicyValidation {
  public private(set) var findings: [Finding] = []
  private let policy: CiliumNetworkPolicy

  public init(policy: CiliumNetworkPolicy) {
    self.policy = policy
    for rule in policy.rules { check(rule) }
  }

  private mutating func refuse(
    _ id: String, _ location: SourceLocation, by authority: Finding.Authority, _ message: String
  ) {
    let name = "\(policy.reference)"
    findings.append(
      Finding(id: id, severity: .error, at: location, "\(name): \(message)", authority: authority))
  }

  private mutating func check(_ rule: PolicyRule) {
    switch (rule.endpointSelector, rule.nodeSelector) {
    case (nil, nil):
      refuse(
        "missing-selector", rule.location, by: .apiServer,
        "the rule has no endpointSelector and no nodeSelector")
    case (.some, let nodes?):
      refuse(
        "two-selectors", nodes.location, by: .apiServer,
        "endpointSelector and nodeSelector exclude each other")
    case (nil, let nodes?) where policy.scope == .namespaced:
      refuse(
        "node-selector-in-namespace", nodes.location, by: .agent,
        "a nodeSelector works in a CiliumClusterwideNetworkPolicy only")
    default: break
    }
    if rule.ingress == nil, rule.ingressDeny == nil, rule.egress == nil, rule.egressDeny == nil {
      refuse(
        "no-direction", rule.location, by: .apiServer,
        "the rule has none of ingress, ingressDeny, egress, egressDeny")
    }
    let isHost = rule.nodeSelector != nil
    for entry in rule.ingress ?? [] { check(entry, .ingress, isHost: isHost, isDeny: false) }
    for entry in rule.ingressDeny ?? [] { check(entry, .ingress, isHost: isHost, isDeny: true) }
    for entry in rule.egress ?? [] { check(entry, .egress, isHost: isHost, isDeny: false) }
    for entry in rule.egressDeny ?? [] { check(entry, .egress, isHost: isHost, isDeny: true) }
  }

  private mutating func check(
    _ entry: TrafficRule, _ direction: PolicyDirection, isHost: Bool, isDeny: Bool
  ) {
    let kinds = entry.peers.presentKinds(direction)
    if kinds.count > 1 {
      refuse(
        "combined-peers", entry.location, by: .agent,
        "\(kinds[0]) and \(kinds[1]) cannot be combined in one rule; write two rules")
    }
    if let requires = entry.peers.requires, let first = requires.first {
      let key = direction == .ingress ? "fromRequires" : "toRequires"
      refuse("gone-field", first.location, by: .apiServer, "\(key) is not supported any more")
    }
    for set in entry.peers.cidrSets ?? [] { check(set) }
    for name in entry.peers.fqdns ?? [] { check(name) }
    if let icmp = entry.icmps?.first, entry.toPorts?.isEmpty == false {
      refuse("icmps-with-ports", icmp.location, by: .agent, "icmps and toPorts cannot stand in one rule")
    }
    for port in entry.toPorts ?? [] {
      if let ports = port.ports, ports.count > 40 {
        // The schema bounds the lists of allow rules alone.
        refuse(
          "too-many", port.location, by: isDeny ? .agent : .apiServer, "more than 40 ports in one entry")
      }
      check(port, direction, isHost: isHost)
    }
    for icmp in entry.icmps ?? [] where (icmp.fields?.count ?? 0) > 40 {
      refuse("too-many", icmp.location, by: .apiServer, "more than 40 ICMP types in one entry")
    }
  }

  private mutating func check(_ set: CIDRRule) {
    guard let cidr = set.cidr else { return }
    for except in set.except where !cidr.contains(except.value) {
      refuse("except-outside", except.location, by: .agent, "\(except.value) is not within \(cidr)")
    }
  }

  private mutating func check(_ name: FQDNSelector) {
    switch (name.matchName, name.matchPattern) {
    case (nil, nil):
      refuse("empty-name", name.location, by: .apiServer, "a name selector needs matchName or matchPattern")
    case (.some, .some):
      refuse("conflict", name.location, by: .apiServer, "matchName and matchPattern exclude each other")
    default: break
    }
    checkName(name.matchName, name.location, wildcards: false)
    checkName(name.matchPattern, name.location, wildcards: true)
  }

  /// Letters, digits, `-`, `_` in words joined by single dots; `*` in patterns.
  private mutating func checkName(_ text: String?, _ location: SourceLocation, wildcards: Bool) {
    guard let text else { return }
    var words = text.split(separator: ".", omittingEmptySubsequences: false)
    if words.count > 1, words.last?.isEmpty == true { words.removeLast() }
    let isValid = words.allSatisfy { word in
      !word.isEmpty
        && word.allSatisfy { character in
          character.isASCII
            && (character.isLetter || character.isNumber || "-_".contains(character)
              || (wildcards && character == "*"))
        }
    }
    guard isValid, text.utf8.count <= 255 else {
      let which = wildcards ? "pattern of DNS names" : "DNS name"
      refuse("invalid-value", location, by: .apiServer, "\(quoted(text)) is no \(which)")
      return
    }
  }

  private mutating func check(_ rule: PortRule, _ direction: PolicyDirection, isHost: Bool) {
    for port in rule.ports ?? [] where port.port == nil {
      refuse("empty-port", port.location, by: .agent, "a port must be given (\"0\" for all)")
    }
    if rule.serverNames?.isEmpty == true {
      refuse("empty-list", rule.location, by: .apiServer, "serverNames may not be empty")
    }
    for name in rule.serverNames ?? [] { checkName(name.value, name.location, wildcards: true) }
    if let listener = rule.listener, direction == .ingress {
      refuse("listener-on-ingress", listener.location, by: .agent, "a listener works on egress only")
    }
    guard let rules = rule.rules else { return }
    if rules.isUnspecific {
      refuse("no-l7-kind", rules.location, by: .apiServer, "rules need http or dns")
    }
    if rules.http != nil, rules.dns != nil {
      refuse("two-l7-kinds", rules.location, by: .apiServer, "one entry takes http or dns rules, not both")
    }
    guard rules.count > 0 else { return }
    check(rules, rule, direction, isHost: isHost)
  }

  private mutating func check(
    _ rules: L7Rules, _ rule: PortRule, _ direction: PolicyDirection, isHost: Bool
  ) {
    let hasDNS = rules.dns?.isEmpty == false
    if hasDNS, direction == .ingress {
      refuse("dns-on-ingress", rules.location, by: .agent, "DNS rules work on egress only")
    }
    if isHost, direction == .ingress || rules.http?.isEmpty == false {
      refuse("l7-on-host", rules.location, by: .agent, "a host policy takes no layer 7 rules here")
    }
    if hasDNS, rule.ports?.isEmpty != false {
      refuse("dns-without-port", rules.location, by: .agent, "DNS rules need port 53")
    }
    if rule.serverNames?.isEmpty == false, rule.terminatingTLS == nil {
      refuse(
        "sni-with-l7", rules.location, by: .agent, "serverNames beside layer 7 rules need terminatingTLS")
    }
    if let listener = rule.listener {
      refuse(
        "listener-with-l7", listener.location, by: .agent, "a listener and layer 7 rules exclude each other")
    }
    for port in rule.ports ?? [] {
      if !hasDNS, port.protocol != .tcp {
        refuse(
          "l7-not-tcp", port.location, by: .agent,
          "layer 7 rules other than DNS need protocol TCP, found \(port.protocol.rawValue)")
      }
      if port.port == .number(0) {
        refuse("l7-on-port-zero", port.location, by: .agent, "layer 7 rules need a port other than 0")
      }
      if hasDNS, case .number(let first)? = port.port, let last = port.endPort, last > first {
        refuse("dns-port-range", port.location, by: .agent, "DNS rules take no port range")
      }
    }
    for name in rules.dns ?? [] { check(name) }
  }
}

extension PolicyPeers {
  /// The lists that hold something, by their names in a direction.
  func presentKinds(_ direction: PolicyDirection) -> [String] {
    let prefix = direction == .ingress ? "from" : "to"
    let kinds: [(String, Bool)] = [
      ("Endpoints", endpoints?.isEmpty == false), ("CIDR", cidrs?.isEmpty == false),
      ("CIDRSet", cidrSets?.isEmpty == false), ("Entities", entities?.isEmpty == false),
      ("Services", services?.isEmpty == false), ("FQDNs", fqdns?.isEmpty == false),
      ("Groups", groups?.isEmpty == false), ("Nodes", nodes?.isEmpty == false),
    ]
    return kinds.filter(\.1).map { prefix + $0.0 }
  }
}

extension L7Rules {
  /// Whether no kind of rules is named at all; an empty list of a kind is one.
  var isUnspecific: Bool { http == nil && dns == nil && kafka == nil && l7proto == nil }

  /// How many rules there are, of any kind.
  var count: Int { (http ?? []).count + (dns ?? []).count + (kafka ?? []).count + (l7 ?? []).count }
}
