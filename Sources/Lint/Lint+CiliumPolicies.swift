import Cluster
import Intent
import Wire

/// Traps that a Cilium policy shows by itself.
extension Linter {
  mutating func lintCiliumPolicies() {
    for policy in Array(cluster.ciliumPolicies) + Array(cluster.ciliumClusterwidePolicies) {
      for problem in AgentCheck(settings).problems(policy) {
        guard let rule = LintRule(problem.kind) else { continue }
        add(rule, problem.location.or(policy.location), "\(policy.reference) \(problem.text)")
      }
      for spec in policy.rules { lint(spec, policy) }
    }
  }

  private mutating func lint(_ spec: PolicyRule, _ policy: CiliumNetworkPolicy) {
    let place = spec.location.or(policy.location)
    lintDeny(spec, policy, place)
    if let selector = spec.endpointSelector {
      lintSubject(selector, policy, selector.location.or(place))
    }
    let sections: [(RuleSection, [TrafficRule]?)] = [
      (.ingress, spec.ingress), (.ingressDeny, spec.ingressDeny), (.egress, spec.egress),
      (.egressDeny, spec.egressDeny),
    ]
    for (section, entries) in sections {
      for (index, entry) in (entries ?? []).enumerated() {
        let name = "\(policy.reference) \(section.rawValue)[\(index)]"
        lint(entry, section, name, entry.location.or(place))
      }
    }
  }

  /// A policy of deny rules alone that leaves default deny on.
  private mutating func lintDeny(_ spec: PolicyRule, _ policy: CiliumNetworkPolicy, _ place: SourceLocation) {
    let directions = [
      ("ingress", spec.ingressDeny, spec.ingress, spec.enableDefaultDeny.ingress),
      ("egress", spec.egressDeny, spec.egress, spec.enableDefaultDeny.egress),
    ]
    for (direction, deny, allow, asked) in directions {
      guard let first = deny?.first, allow?.isEmpty ?? true, asked ?? true else { continue }
      add(
        .denyTurnsOnDefaultDeny, first.location.or(place),
        "\(policy.reference) has \(direction)Deny and no \(direction): the pods that it selects lose all other "
          + "\(direction) traffic too, unless enableDefaultDeny.\(direction) is false")
    }
  }

  private mutating func lintSubject(
    _ selector: LabelSelector, _ policy: CiliumNetworkPolicy, _ place: SourceLocation
  ) {
    lintLabels(selector, "\(policy.reference)", place)
    guard policy.scope == .namespaced else { return }
    for key in ["k8s:io.kubernetes.pod.namespace", "io.kubernetes.pod.namespace"] {
      if let namespace = selector.matchLabels[key], namespace != policy.namespace {
        add(
          .foreignNamespace, place,
          "\(policy.reference) asks for pods of namespace \(namespace), and can select those of "
            + "\(policy.namespace) only")
      }
    }
  }

  /// Keys that no identity has.
  mutating func lintLabels(_ selector: LabelSelector, _ name: String, _ place: SourceLocation) {
    let keys = selector.matchLabels.map(\.key) + selector.matchExpressions.map(\.key)
    for key in keys where !Intent.isPartOfIdentity(key) {
      add(
        .labelOutsideIdentity, place,
        "\(name) asks for label \(key), which Cilium leaves out of identities: no pod matches")
    }
  }

  private mutating func lint(
    _ entry: TrafficRule, _ section: RuleSection, _ name: String, _ place: SourceLocation
  ) {
    let isDeny = section == .ingressDeny || section == .egressDeny
    if entry.peers.areAbsent, entry.toPorts?.isEmpty ?? true, entry.icmps?.isEmpty ?? true {
      let effect = isDeny ? "denies nothing by itself" : "allows nothing"
      add(.emptyRule, place, "\(name) is empty: it \(effect) and turns default deny on")
    }
    lintPeers(entry.peers, name, place)
    if entry.authentication?.value == .required, !settings.policy.authentication {
      add(
        .authenticationOff, entry.authentication?.location.or(place) ?? place,
        "\(name) requires authentication, which is not enabled: all that it allows is dropped")
    }
    for (index, rule) in (entry.toPorts ?? []).enumerated() {
      lint(rule, "\(name).toPorts[\(index)]", rule.location.or(place))
    }
    for field in (entry.icmps ?? []).flatMap({ $0.fields ?? [] }) where field.type == 0 {
      add(.icmpTypeZero, field.location.or(place), "\(name) names ICMP type 0, which is every type to Cilium")
    }
    if section == .egress { lintDNS(entry, name, place) }
  }

  private mutating func lint(_ rule: PortRule, _ name: String, _ place: SourceLocation) {
    if (rule.ports ?? []).isEmpty {
      add(.emptyPortEntry, place, "\(name) has no ports, and so matches nothing")
    }
    for request in rule.rules?.http ?? [] {
      for header in request.headers { lint(header, name, request.location.or(place)) }
      for match in request.headerMatches where match.value.looksLikeExpression {
        add(
          .headerExpression, match.location.or(place),
          "\(name) compares header \(match.name) with \"\(match.value)\" literally")
      }
    }
  }

  private mutating func lint(_ header: Located<String>, _ name: String, _ place: SourceLocation) {
    let place = header.location.or(place)
    if let blank = header.value.firstIndex(of: " ") {
      let value = String(header.value[header.value.index(after: blank)...])
      if value.looksLikeExpression {
        add(.headerExpression, place, "\(name) compares the value of \"\(header.value)\" literally")
      }
    } else if header.value.contains(":") {
      add(
        .headerForm, place,
        "\(name) asks for a header named \"\(header.value)\": a value needs a blank before it")
    }
  }

  private mutating func lintPeers(_ peers: PolicyPeers, _ name: String, _ place: SourceLocation) {
    let empty = [
      ("endpoints", peers.endpoints?.isEmpty), ("entities", peers.entities?.isEmpty),
      ("CIDRs", peers.cidrs?.isEmpty),
      ("CIDR sets", peers.cidrSets?.isEmpty), ("nodes", peers.nodes?.isEmpty),
    ].filter { $0.1 == true }
    for (list, _) in empty {
      add(.emptyPeerList, place, "\(name) has an empty list of \(list), which selects nobody")
    }
    for selector in peers.endpoints ?? [] { lintLabels(selector, name, selector.location.or(place)) }
    lintGroups(peers, name, place)
  }

  private mutating func lintGroups(_ peers: PolicyPeers, _ name: String, _ place: SourceLocation) {
    for set in peers.cidrSets ?? [] {
      let place = set.location.or(place)
      if let group = set.groupName, cluster.cidrGroups["", group] == nil {
        add(
          .missingGroup, place, "\(name) refers to CIDR group \(group), which is not there: it matches nobody"
        )
      }
      guard let selector = set.groupSelector else { continue }
      let excludes = selector.matchExpressions.allSatisfy { [.notIn, .doesNotExist].contains($0.op) }
      if selector.matchLabels.isEmpty, excludes {
        add(
          .negativeGroupSelector, place,
          "\(name) selects CIDR groups by what they are not, which pods and nodes satisfy as well")
      }
    }
  }

  /// UDP 53 without TCP 53.
  private mutating func lintDNS(_ entry: TrafficRule, _ name: String, _ place: SourceLocation) {
    let ports = (entry.toPorts ?? []).flatMap { $0.ports ?? [] }.filter { $0.port == .number(53) }
    guard let udp = ports.first(where: { $0.protocol == .udp }),
      !ports.contains(where: { $0.protocol == .tcp || $0.protocol == .any })
    else { return }
    add(
      .dnsOverUDPOnly, udp.location.or(place),
      "\(name) allows DNS over UDP only: answers that do not fit come over 53/TCP, which stays closed")
  }
}

extension String {
  /// Whether it has what literals seldom have.
  var looksLikeExpression: Bool {
    contains(".*") || contains(".+") || contains("[") || contains("\\") || contains("|") || hasPrefix("^")
      || hasSuffix("$")
  }
}
