import Cluster
import RegularExpressions
import Wire

/// A policy that the agent does not take up.
public struct RefusedPolicy: Hashable, Sendable {
  public var policy: ObjectReference
  public var problems: [PolicyProblem]
}

/// One thing that makes the agent refuse a policy.
public struct PolicyProblem: Hashable, Sendable {
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    case noSections
    case noSelector
    case bothSelectors
    case nodeSelectorInNamespace
    case combinedPeers
    case nodePeers
    case exceptOutside
    case cidrForm
    case icmpsWithPorts
    case tooManyPorts
    case emptyPort
    case l7OnHost
    case l7OnOtherProtocol
    case l7OnPortZero
    case l7Disabled
    case dnsOnIngress
    case dnsWithoutPort
    case dnsPortRange
    case severalL7Kinds
    case serverNamesWithL7
    case emptyServerName
    case listenerOnIngress
    case listenerWithL7
    case namePatternForm
    case nameAndPattern
    case portOfPortless
    case expressionForm
    case headerWithoutName
    case domainNamesAction
  }

  public var kind: Kind
  /// What was found, as a clause.
  public var text: String
  public var location: SourceLocation
}

/// What the agent looks at before it takes up a Cilium policy: one problem anywhere, and none of the policy's
/// rules has any effect.
///
/// Source: Cilium `pkg/policy/api/rule_validation.go`, `pkg/k8s/apis/cilium.io/v2/cnp_types.go`.
public struct AgentCheck: Sendable {
  let settings: Settings

  public init(_ settings: Settings) { self.settings = settings }

  public func problems(_ policy: CiliumNetworkPolicy) -> [PolicyProblem] {
    policy.rules.flatMap { problems($0, policy) }
  }

  private func problems(_ spec: PolicyRule, _ policy: CiliumNetworkPolicy) -> [PolicyProblem] {
    let location = spec.location.or(policy.location)
    var found = Findings()
    let sections = [spec.ingress, spec.ingressDeny, spec.egress, spec.egressDeny]
    if sections.allSatisfy({ $0?.isEmpty ?? true }) {
      found.add(.noSections, "has none of ingress, ingressDeny, egress and egressDeny", location)
    }
    switch (spec.endpointSelector, spec.nodeSelector) {
    case (nil, nil):
      found.add(.noSelector, "has neither endpointSelector nor nodeSelector", location)
    case (_?, let node?):
      found.add(.bothSelectors, "has both endpointSelector and nodeSelector", node.location.or(location))
    case (nil, let node?) where policy.scope == .namespaced:
      found.add(
        .nodeSelectorInNamespace, "has a nodeSelector, which only a CiliumClusterwideNetworkPolicy may have",
        node.location.or(location))
    default: break
    }
    let isHost = spec.nodeSelector != nil
    for (section, entries) in zip(RuleSection.allCases, sections) {
      for entry in entries ?? [] {
        check(entry, section, isHost: isHost, entry.location.or(location), &found)
      }
    }
    return found.problems
  }

  private func check(
    _ entry: TrafficRule, _ section: RuleSection, isHost: Bool, _ location: SourceLocation,
    _ found: inout Findings
  ) {
    check(entry.peers, location, &found)
    if !(entry.icmps ?? []).isEmpty, !(entry.toPorts ?? []).isEmpty {
      found.add(.icmpsWithPorts, "has icmps and toPorts in one rule", location)
    }
    for rule in entry.icmps ?? [] where (rule.fields ?? []).count > 40 {
      found.add(.tooManyPorts, "has more than 40 ICMP types in one entry", rule.location.or(location))
    }
    let isDeny = section == .ingressDeny || section == .egressDeny
    for rule in entry.toPorts ?? [] {
      checkPorts(
        rule, hasDNS: !isDeny && !(rule.rules?.dns ?? []).isEmpty, rule.location.or(location), &found)
      if !isDeny {
        checkProxy(rule, section.direction, isHost: isHost, rule.location.or(location), &found)
      }
    }
  }

  private func check(_ peers: PolicyPeers, _ location: SourceLocation, _ found: inout Findings) {
    let present = peers.presentKinds
    if present.count > 1 {
      found.add(.combinedPeers, "combines \(present.joined(separator: " and ")) in one rule", location)
    }
    if let node = peers.nodes?.first, !settings.policy.nodeSelectorLabels {
      found.add(
        .nodePeers, "selects nodes, which needs enable-node-selector-labels", node.location.or(location))
    }
    for set in peers.cidrSets ?? [] {
      let place = set.location.or(location)
      let forms = [set.cidr != nil, set.groupName != nil, set.groupSelector != nil].count { $0 }
      if forms != 1 {
        found.add(
          .cidrForm, "has \(forms) of cidr, cidrGroupRef and cidrGroupSelector, where one is needed", place)
      }
      guard let cidr = set.cidr, forms == 1 else { continue }
      for except in set.except where !cidr.holds(except.value) {
        found.add(
          .exceptOutside, "excepts \(except.value), which is not inside of \(cidr)", except.location.or(place)
        )
      }
    }
    for name in peers.fqdns ?? [] { check(name, name.location.or(location), &found) }
  }

  private func check(_ name: FQDNSelector, _ location: SourceLocation, _ found: inout Findings) {
    let literal = name.matchName ?? ""
    let pattern = name.matchPattern ?? ""
    if !literal.isEmpty, !pattern.isEmpty {
      found.add(.nameAndPattern, "has both matchName and matchPattern", location)
    }
    if literal.utf8.contains(where: { !$0.isNameCharacter }) {
      found.add(.namePatternForm, "has characters in matchName \"\(literal)\" that no name has", location)
    }
    if pattern.utf8.contains(where: { !$0.isNameCharacter && $0 != UInt8(ascii: "*") }) {
      found.add(.namePatternForm, "has characters in matchPattern \"\(pattern)\" that no name has", location)
    }
  }

  private func checkPorts(
    _ rule: PortRule, hasDNS: Bool, _ location: SourceLocation, _ found: inout Findings
  ) {
    let ports = rule.ports ?? []
    if ports.count > 40 {
      found.add(.tooManyPorts, "has \(ports.count) ports in one entry, where 40 are allowed", location)
    }
    for port in ports {
      let place = port.location.or(location)
      switch port.port {
      case nil:
        found.add(.emptyPort, "has an empty port", place)
      case .number(let number):
        if number != 0, port.protocol.isPortless {
          found.add(.portOfPortless, "gives a port to \(port.protocol.rawValue), which has none", place)
        }
        if hasDNS, let end = port.endPort, end > number {
          found.add(.dnsPortRange, "has DNS rules on a range of ports", place)
        }
      case .name: break
      }
    }
  }

  private func checkProxy(
    _ rule: PortRule, _ direction: PolicyDirection, isHost: Bool, _ location: SourceLocation,
    _ found: inout Findings
  ) {
    let http = rule.rules?.http ?? []
    let dns = rule.rules?.dns ?? []
    let place = rule.rules?.location.or(location) ?? location
    let hasL7 = !http.isEmpty || !dns.isEmpty
    if hasL7 {
      if !settings.policy.l7Proxy { found.add(.l7Disabled, "has layer 7 rules, but l7Proxy is off", place) }
      if isHost, direction == .ingress || !http.isEmpty {
        found.add(.l7OnHost, "has layer 7 rules for a host", place)
      }
      if direction == .ingress, !dns.isEmpty {
        found.add(.dnsOnIngress, "has DNS rules on ingress", place)
      }
      if !http.isEmpty, !dns.isEmpty {
        found.add(.severalL7Kinds, "has HTTP and DNS rules on one port", place)
      }
      if !dns.isEmpty, (rule.ports ?? []).isEmpty {
        found.add(.dnsWithoutPort, "has DNS rules without port 53", place)
      }
      for port in rule.ports ?? [] {
        if case .number(0) = port.port {
          found.add(.l7OnPortZero, "has layer 7 rules on port 0", port.location.or(place))
        }
        if dns.isEmpty, port.protocol != .tcp {
          found.add(
            .l7OnOtherProtocol, "has HTTP rules on \(port.protocol.rawValue), where only TCP is possible",
            port.location.or(place))
        }
      }
      for name in dns { check(name, name.location.or(place), &found) }
      for request in http { check(request, request.location.or(place), &found) }
    }
    checkTLS(rule, direction, hasL7: hasL7, place, &found)
  }

  private func check(_ rule: HTTPRule, _ location: SourceLocation, _ found: inout Findings) {
    // The host's expression is left to Envoy.
    for (field, pattern) in [("method", rule.method), ("path", rule.path)] {
      guard let pattern else { continue }
      do {
        _ = try RegularExpression(pattern)
      } catch {
        found.add(.expressionForm, "has a \(field) \"\(pattern)\" that is no expression: \(error)", location)
      }
    }
    for match in rule.headerMatches where match.name.isEmpty {
      found.add(.headerWithoutName, "has a header match without a name", match.location.or(location))
    }
  }

  private func checkTLS(
    _ rule: PortRule, _ direction: PolicyDirection, hasL7: Bool, _ location: SourceLocation,
    _ found: inout Findings
  ) {
    let names = rule.serverNames ?? []
    if !names.isEmpty, hasL7, rule.terminatingTLS == nil {
      found.add(.serverNamesWithL7, "has serverNames with layer 7 rules and no terminatingTLS", location)
    }
    for name in names where name.value.isEmpty {
      found.add(.emptyServerName, "has an empty server name", name.location.or(location))
    }
    if let listener = rule.listener {
      let place = listener.location.or(location)
      if direction == .ingress { found.add(.listenerOnIngress, "has a listener on ingress", place) }
      if hasL7 { found.add(.listenerWithL7, "has a listener with layer 7 rules", place) }
    }
  }
}

private struct Findings {
  var problems: [PolicyProblem] = []

  mutating func add(_ kind: PolicyProblem.Kind, _ text: String, _ location: SourceLocation) {
    problems.append(PolicyProblem(kind: kind, text: text, location: location))
  }
}

extension PolicyPeers {
  /// The lists of peers that hold something, of which a rule may have one.
  fileprivate var presentKinds: [String] {
    [
      ("endpoints", endpoints?.isEmpty), ("nodes", nodes?.isEmpty), ("CIDRs", cidrs?.isEmpty),
      ("CIDR sets", cidrSets?.isEmpty), ("entities", entities?.isEmpty), ("services", services?.isEmpty),
      ("FQDNs", fqdns?.isEmpty), ("groups", groups?.isEmpty),
    ].filter { $0.1 == false }.map(\.0)
  }
}

extension PolicyProtocol {
  var isPortless: Bool {
    switch self {
    case .any, .tcp, .udp, .sctp: false
    case .vrrp, .igmp, .gre, .ipip, .ipv6, .esp, .ah: true
    }
  }
}

extension CIDR {
  /// Whether an exception lies inside.
  fileprivate func holds(_ other: CIDR) -> Bool {
    other.prefixLength >= prefixLength && AddressBlock(self).contains(other.network)
  }
}

extension UInt8 {
  fileprivate var isNameCharacter: Bool {
    (97...122).contains(self) || (65...90).contains(self) || (48...57).contains(self)
      || self == UInt8(ascii: "-") || self == UInt8(ascii: "_") || self == UInt8(ascii: ".")
  }
}
