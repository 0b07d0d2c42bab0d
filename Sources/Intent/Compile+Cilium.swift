import Cluster
import Wire

/// Reads policies into rules, as one installation does.
///
/// Source: Cilium `pkg/k8s/apis/cilium.io/utils/utils.go` (scopes), `pkg/policy/utils/parserules.go`.
struct Compiler {
  let settings: Settings
  let follow: Authority
  let cluster: ClusterState
  let groups: CIDRGroups

  init(_ cluster: ClusterState, _ settings: Settings, _ follow: Authority) {
    self.cluster = cluster
    self.settings = settings
    self.follow = follow
    groups = CIDRGroups(cluster.cidrGroups)
  }

  /// The rules of a Cilium policy, all in one list.
  func rules(_ policy: CiliumNetworkPolicy) -> [Rule] {
    policy.rules.enumerated().flatMap { index, spec in
      rules(spec, of: policy, spec: policy.rules.count > 1 ? index : nil)
    }
  }

  private func rules(_ spec: PolicyRule, of policy: CiliumNetworkPolicy, spec number: Int?) -> [Rule] {
    let namespace = policy.scope == .namespaced ? policy.namespace : nil
    guard let subject = subject(spec, namespace) else { return [] }
    let selectsInit = spec.endpointSelector?.mentionsInit ?? false
    let sections: [(RuleSection, [TrafficRule]?)] = [
      (.ingress, spec.ingress), (.ingressDeny, spec.ingressDeny), (.egress, spec.egress),
      (.egressDeny, spec.egressDeny),
    ]
    return sections.flatMap { section, entries in
      (entries ?? []).enumerated().map { index, entry in
        let asked =
          section.direction == .ingress ? spec.enableDefaultDeny.ingress : spec.enableDefaultDeny.egress
        let isDeny = section == .ingressDeny || section == .egressDeny
        return Rule(
          policy: policy.reference, spec: number, section: section, index: index,
          location: entry.location.or(spec.location).or(policy.location), level: .normal,
          action: isDeny ? .deny : .allow, subject: subject, namespace: namespace,
          peers: peers(entry.peers, section.direction, namespace, selectsInit: selectsInit),
          ports: ports(entry, isDeny: isDeny),
          turnsOnDefaultDeny: settings.policy.nonDefaultDeny ? asked ?? true : true,
          authentication: isDeny ? nil : entry.authentication?.value)
      }
    }
  }

  private func subject(_ spec: PolicyRule, _ namespace: String?) -> SubjectTest? {
    if let selector = spec.endpointSelector {
      var requirements = selector.requirements(defaultSource: "any")
      if let namespace {
        // The policy's namespace takes the place of one among `matchLabels`, and joins any expression.
        let written = selector.matchLabels[SubjectTest.namespaceKey]
        requirements.removeAll {
          written != nil && $0 == .equals(.k8s(LabelKey.namespace, written ?? ""))
        }
        requirements.append(.equals(.k8s(LabelKey.namespace, namespace)))
      }
      return .pods(requirements)
    }
    return spec.nodeSelector.map { .nodes($0.requirements(defaultSource: "any")) }
  }

  private func ports(_ entry: TrafficRule, isDeny: Bool) -> [Port]? {
    let rules = entry.toPorts ?? []
    let icmps = entry.icmps ?? []
    if rules.isEmpty, icmps.isEmpty { return nil }
    let ports = rules.enumerated().flatMap { index, rule in
      var rule = rule
      // A deny rule has nothing past layer 4, whatever is written there.
      if isDeny { rule = PortRule(ports: rule.ports, location: rule.location) }
      return rule.ports(path: "toPorts[\(index)]")
    }
    return ports + icmps.enumerated().flatMap { $1.ports(path: "icmps[\($0)]") }
  }

  private func peers(
    _ peers: PolicyPeers, _ direction: PolicyDirection, _ namespace: String?, selectsInit: Bool
  ) -> Peers {
    let hasEmptyList =
      peers.endpoints?.isEmpty ?? false || peers.nodes?.isEmpty ?? false || peers.entities?.isEmpty ?? false
      || peers.cidrs?.isEmpty ?? false || peers.cidrSets?.isEmpty ?? false
    let services = (peers.services ?? []).enumerated().flatMap { self.peers(of: $1, at: $0) }
    // A service's pods and addresses join the lists of endpoints and prefixes before those are looked at.
    if hasEmptyList, services.isEmpty { return .nobody }
    let from = direction == .ingress ? "from" : "to"
    var result: [Peer] = []
    func add(_ test: PeerTest, _ list: String, _ index: Int, _ location: SourceLocation) {
      result.append(Peer(test: test, list: from + list, index: index, location: location))
    }
    for (index, selector) in (peers.endpoints ?? []).enumerated() {
      let requirements = endpoint(selector, namespace, selectsInit: selectsInit)
      add(requirements.isEmpty ? .everyone : .labels(requirements), "Endpoints", index, selector.location)
    }
    for (index, selector) in (peers.nodes ?? []).enumerated() {
      var requirements = selector.requirements(defaultSource: "node")
      requirements.append(Requirement("reserved", "remote-node", .exists))
      add(.labels(requirements), "Nodes", index, selector.location)
    }
    for (index, entity) in (peers.entities ?? []).enumerated() {
      for test in tests(entity.value) { add(test, "Entities", index, entity.location) }
    }
    for (index, cidr) in (peers.cidrs ?? []).enumerated() {
      add(.block(AddressBlock(cidr.value)), "CIDR", index, cidr.location)
    }
    for (index, rule) in (peers.cidrSets ?? []).enumerated() {
      add(test(rule), "CIDRSet", index, rule.location)
    }
    for (index, selector) in (peers.fqdns ?? []).enumerated() {
      add(.name(NamePattern(selector)), "FQDNs", index, selector.location)
    }
    result += services
    return result.isEmpty ? .unspecified : .any(result)
  }

  /// An endpoint selector with the scope that it is given: its policy's namespace, and this cluster.
  ///
  /// One about reserved labels is left as it is.
  private func endpoint(
    _ selector: LabelSelector, _ namespace: String?, selectsInit: Bool
  ) -> [Requirement] {
    var requirements = selector.requirements(defaultSource: "any")
    if requirements.contains(where: { $0.source == "reserved" }) { return requirements }
    if !requirements.mention(LabelKey.namespace) {
      if let namespace {
        let namesNamespaces = requirements.contains {
          ["k8s", "any"].contains($0.source) && $0.key.hasPrefix(LabelKey.namespaceLabels + ".")
        }
        if !namesNamespaces { requirements.append(.equals(.k8s(LabelKey.namespace, namespace))) }
      } else if !selectsInit {
        requirements.append(Requirement("k8s", LabelKey.namespace, .exists))
      }
    }
    if settings.policy.defaultLocalCluster, !requirements.mention(LabelKey.cluster) {
      requirements.append(.equals(.k8s(LabelKey.cluster, settings.clusterName)))
    }
    return requirements
  }

  private func test(_ rule: CIDRRule) -> PeerTest {
    let exceptions = rule.except.map(\.value)
    if let name = rule.groupName {
      let label = Requirement("cidrgroup", "\(LabelKey.cidrGroupName)/\(name)", .exists)
      return .groups([label], except: exceptions.map { AddressBlock($0) }, groups)
    }
    if let selector = rule.groupSelector {
      let requirements = selector.requirements(defaultSource: "cidrgroup")
      return .groups(requirements, except: exceptions.map { AddressBlock($0) }, groups)
    }
    // The agent refuses an entry with none of the three, so that this is for policies that were never checked.
    guard let cidr = rule.cidr else { return .labels([Requirement("reserved", "none", .exists)]) }
    return .block(AddressBlock(cidr, except: exceptions))
  }

  /// Source: Cilium `pkg/policy/api/entity.go`.
  private func tests(_ entity: Entity) -> [PeerTest] {
    func reserved(_ names: String...) -> [PeerTest] {
      names.map { .labels([Requirement("reserved", $0, .exists)]) }
    }
    return switch entity {
    case .all: [.everyone]
    case .world: reserved("world", "world-ipv4", "world-ipv6")
    case .worldIPv4: reserved("world-ipv4")
    case .worldIPv6: reserved("world-ipv6")
    case .cluster:
      reserved("host", "remote-node", "init", "ingress", "health", "unmanaged", "kube-apiserver")
        + [.labels([.equals(.k8s(LabelKey.cluster, settings.clusterName))])]
    case .host: reserved("host")
    case .`init`: reserved("init")
    case .ingress: reserved("ingress")
    case .unmanaged: reserved("unmanaged")
    case .remoteNode: reserved("remote-node")
    case .health: reserved("health")
    case .none: reserved("none")
    case .kubeAPIServer: reserved("kube-apiserver")
    }
  }

  /// The peers behind an entry of `toServices`: the pods that each service selects, or the addresses of one
  /// without selector. A name without namespace is looked for in every namespace.
  ///
  /// Source: Cilium `pkg/policy/k8s/service.go`.
  private func peers(of entry: ServicePeer, at index: Int) -> [Peer] {
    // Of an entry that gives both forms, the selector counts.
    let selectors = entry.targets.filter { if case .selector = $0 { true } else { false } }
    let targets = selectors.isEmpty ? entry.targets : selectors
    let services = cluster.services.filter { service in targets.contains { service.isMeant(by: $0) } }
    let tests = services.flatMap { service -> [PeerTest] in
      if let selector = service.selector, !selector.isEmpty {
        var labels = selector.map { Requirement.equals(.k8s($0.key, $0.value)) }
        labels.append(.equals(.k8s(LabelKey.namespace, service.namespace)))
        if settings.policy.defaultLocalCluster {
          labels.append(.equals(.k8s(LabelKey.cluster, settings.clusterName)))
        }
        return [.labels(labels)]
      }
      return cluster.handWrittenAddresses(of: service).map { .block(AddressBlock(CIDR($0))) }
    }
    return tests.map { Peer(test: $0, list: "toServices", index: index, location: entry.location) }
  }
}

extension Service {
  fileprivate func isMeant(by target: ServicePeer.Target) -> Bool {
    switch target {
    case .name(let id):
      id.name == name && (id.namespace.isEmpty || id.namespace == namespace)
    case .selector(let selector, let namespace):
      (namespace.isEmpty || namespace == self.namespace)
        && selector.requirements(defaultSource: "any").allSatisfy { requirement in
          // Labels of services are compared without regard to a source.
          let value = labels[requirement.key]
          return switch requirement.op {
          case .in: value.map(requirement.values.contains) ?? false
          case .notIn: !(value.map(requirement.values.contains) ?? false)
          case .exists: value != nil
          case .doesNotExist: value == nil
          }
        }
    }
  }
}

extension LabelSelector {
  /// Whether it is about endpoints without labels.
  fileprivate var mentionsInit: Bool {
    requirements(defaultSource: "any").contains { $0.source == "reserved" && $0.key == "init" }
  }
}
