import Cluster
import Wire

/// Turns CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy objects into statements.
///
/// Source: Cilium `pkg/k8s/apis/cilium.io/utils/utils.go`, `pkg/policy/api/rule_validation.go`.
struct CiliumPolicyReader {
  let settings: Settings
  let options: DatapathOptions
  let services: ServicePeers
  let policy: CiliumNetworkPolicy
  private(set) var statements: [PolicyStatement] = []
  private(set) var findings: [Finding] = []

  /// Whether the agent refuses the policy; it then imports no part of it.
  private(set) var isRefused = false

  init(
    _ policy: CiliumNetworkPolicy, _ settings: Settings, _ options: DatapathOptions, _ services: ServicePeers
  ) {
    self.policy = policy
    self.services = services
    self.settings = settings
    self.options = options
    for (index, rule) in policy.rules.enumerated() { read(rule, index) }
    if isRefused { statements.removeAll() }
  }

  private mutating func read(_ rule: PolicyRule, _ index: Int) {
    let name = policy.rules.count > 1 ? "specs[\(index)]." : ""
    let lists = [rule.ingress, rule.ingressDeny, rule.egress, rule.egressDeny]
    if lists.allSatisfy({ $0?.isEmpty ?? true }) {
      return refuse("rule must have at least one of ingress, ingressDeny, egress, egressDeny", rule.location)
    }
    guard let subject = subject(rule) else { return }
    let matchesInit = rule.endpointSelector?.mentionsInit ?? false
    func add(_ rules: [TrafficRule]?, _ list: String, isIngress: Bool, _ verdict: PolicyVerdict) {
      let explicit = isIngress ? rule.enableDefaultDeny.ingress : rule.enableDefaultDeny.egress
      for (position, traffic) in (rules ?? []).enumerated() {
        check(traffic, isIngress: isIngress)
        let defaultDeny = settings.policy.nonDefaultDeny ? explicit ?? true : true
        let origin = PolicyOrigin(
          policy: policy.reference, rule: "\(name)\(list)[\(position)]", location: traffic.location,
          log: rule.log)
        statements.append(
          PolicyStatement(
            subject: subject, isAboutNodes: rule.nodeSelector != nil, namespace: policy.namespace,
            isIngress: isIngress, verdict: verdict, defaultDeny: defaultDeny,
            peers: peers(traffic.peers, matchesInit: matchesInit),
            ports: ports(traffic, origin),
            authentication: verdict == .allow ? traffic.authentication?.value : nil, origin: origin))
      }
    }
    add(rule.ingress, "ingress", isIngress: true, .allow)
    add(rule.ingressDeny, "ingressDeny", isIngress: true, .deny)
    add(rule.egress, "egress", isIngress: false, .allow)
    add(rule.egressDeny, "egressDeny", isIngress: false, .deny)
  }

  /// Endpoints of the policy's namespace, or of all, or nodes.
  private mutating func subject(_ rule: PolicyRule) -> PeerSelector? {
    switch (rule.endpointSelector, rule.nodeSelector) {
    case (nil, nil):
      refuse("rule must have one of endpointSelector or nodeSelector", rule.location)
      return nil
    case (_?, let nodes?):
      refuse("rule cannot have both endpointSelector and nodeSelector", nodes.location)
      return nil
    case (nil, let nodes?):
      if policy.scope == .namespaced {
        refuse("nodeSelector is only allowed in a CiliumClusterwideNetworkPolicy", nodes.location)
        return nil
      }
      if !settings.policy.hostFirewall {
        findings.append(
          finding(.warning, "a host policy does nothing without hostFirewall.enabled", rule.location))
      }
      return PeerSelector(nodes, source: "any")
    case (var selector?, nil):
      guard policy.scope == .namespaced else { return PeerSelector(selector, source: "any") }
      // The policy's namespace takes the place of one that is spelled like this.
      selector.matchLabels["k8s:\(IdentityLabels.namespaceKey)"] = nil
      var subject = PeerSelector(selector, source: "any")
      subject.add(PeerSelector.equals("k8s", IdentityLabels.namespaceKey, policy.namespace))
      return subject
    }
  }

  private mutating func refuse(_ message: String, _ location: SourceLocation) {
    isRefused = true
    findings.append(finding(.error, message, location))
  }

  private func finding(
    _ severity: Finding.Severity, _ message: String, _ location: SourceLocation
  ) -> Finding {
    let id =
      switch severity {
      case .error: "policy-refused"
      case .warning: "policy-without-effect"
      case .unmodelled: "unmodelled"
      }
    return Finding(
      id, severity, message, object: policy.reference,
      at: location.isKnown ? location : policy.location, authority: severity == .error ? .agent : nil)
  }
}

extension CiliumPolicyReader {
  /// Reports what is refused and what is not modelled.
  private mutating func check(_ rule: TrafficRule, isIngress: Bool) {
    let peers = rule.peers
    let direction = isIngress ? "from" : "to"
    let present: [(String, Bool)] = [
      ("\(direction)Endpoints", peers.endpoints?.isEmpty == false),
      ("\(direction)CIDR", peers.cidrs?.isEmpty == false),
      ("\(direction)CIDRSet", peers.cidrSets?.isEmpty == false),
      ("\(direction)Entities", peers.entities?.isEmpty == false),
      ("\(direction)Nodes", peers.nodes?.isEmpty == false),
      ("\(direction)Groups", peers.groups?.isEmpty == false),
      ("toServices", peers.services?.isEmpty == false), ("toFQDNs", peers.fqdns?.isEmpty == false),
    ]
    let names = present.filter(\.1).map(\.0)
    if names.count > 1 { refuse("combining \(names[0]) and \(names[1]) is not supported yet", rule.location) }
    if rule.toPorts?.isEmpty == false, rule.icmps?.isEmpty == false {
      refuse("the ICMPs block may only be present without ToPorts", rule.location)
    }
    func unmodelled(_ what: String, _ location: SourceLocation) {
      findings.append(finding(.unmodelled, what, location))
    }
    if let first = peers.nodes?.first, !settings.policy.nodeSelectorLabels {
      refuse(
        "\(direction)Nodes can only be used with nodeSelectorLabels (enable-node-selector-labels)",
        first.location)
    }
    if let first = peers.groups?.first { unmodelled("\(direction)Groups", first.location) }
    if let first = peers.requires?.first { unmodelled("\(direction)Requires", first.location) }
    for set in peers.cidrSets ?? [] { check(set) }
    for name in peers.fqdns ?? [] {
      if let problem = L7Check.problem(name) { refuse(problem, name.location) }
    }
    for port in rule.toPorts ?? [] {
      check(port)
      for problem in L7Check(settings).problems(port, isIngress: isIngress) {
        refuse(problem.message, problem.location.isKnown ? problem.location : port.location)
      }
    }
  }

  private mutating func check(_ rule: PortRule) {
    func unmodelled(_ what: String, _ location: SourceLocation) {
      findings.append(finding(.unmodelled, what, location.isKnown ? location : rule.location))
    }
    if let opaque = rule.rules, opaque.kafka != nil || opaque.l7 != nil || opaque.l7proto != nil {
      unmodelled("Kafka and generic rules of layer 7, which Cilium 1.20 has no more", opaque.location)
    }
    if let tls = rule.terminatingTLS ?? rule.originatingTLS { unmodelled("TLS interception", tls.location) }
    if let listener = rule.listener { unmodelled("listener", listener.location) }
    if (rule.ports ?? []).count > 40 { refuse("too many ports, the max is 40", rule.location) }
    for port in rule.ports ?? [] {
      switch port.port {
      case nil: refuse("port must be specified", port.location)
      case .number(0)?: break
      case .number?, .name?:
        if port.protocol.isPortless { refuse("port must be empty or 0", port.location) }
      }
    }
  }

  private mutating func check(_ set: CIDRRule) {
    guard let cidr = set.cidr, set.groupName == nil, set.groupSelector == nil else { return }
    for except in set.except where !cidr.contains(except.value) {
      refuse(
        "allow CIDR prefix \(cidr) does not contain exclude CIDR prefix \(except.value)", except.location)
    }
  }

  /// nil where a list that is there and empty selects nobody.
  private func peers(_ peers: PolicyPeers, matchesInit: Bool) -> [PeerSelector]? {
    // What stands behind services joins the lists of endpoints and prefixes before those are looked at.
    let services = (peers.services ?? []).flatMap { self.services.selectors(of: $0) }
    let isEmptied = [
      peers.endpoints?.isEmpty, peers.nodes?.isEmpty, peers.entities?.isEmpty, peers.cidrs?.isEmpty,
      peers.cidrSets?.isEmpty, peers.fqdns?.isEmpty,
    ].contains(true)
    if isEmptied, services.isEmpty { return nil }
    // What is not modelled (and reported) selects nobody, rather than everybody.
    if peers.groups != nil { return nil }
    var selectors = services
    for endpoint in peers.endpoints ?? [] { selectors.append(self.endpoint(endpoint, matchesInit)) }
    for entity in peers.entities ?? [] { selectors += selectorsOf(entity.value) }
    for cidr in peers.cidrs ?? [] { selectors.append(PeerSelector(cidr.value, options: options)) }
    for name in peers.fqdns ?? [] { selectors.append(PeerSelector(name)) }
    for set in peers.cidrSets ?? [] { selectors += self.selectors(set) }
    for node in peers.nodes ?? [] { selectors.append(self.node(node)) }
    return selectors
  }

  private func selectors(_ set: CIDRRule) -> [PeerSelector] {
    let except = set.except.map(\.value)
    if let name = set.groupName {
      return [PeerSelector(groupNamed: name, except: except, options: options)]
    }
    if let selector = set.groupSelector {
      return [PeerSelector(groups: selector, except: except, options: options)]
    }
    return set.cidr.map { [PeerSelector($0, except: except, options: options)] } ?? []
  }

  /// Other nodes of the cluster, by their labels.
  private func node(_ selector: LabelSelector) -> PeerSelector {
    var peer = PeerSelector(selector, source: "any")
    peer.add(PeerSelector.exists("reserved", "remote-node"))
    if settings.policy.defaultLocalCluster, !peer.mentions(IdentityLabels.clusterKey) {
      peer.add(PeerSelector.equals("k8s", IdentityLabels.clusterKey, settings.clusterName))
    }
    return peer
  }

  /// A peer of the policy's own namespace and cluster, unless it says otherwise.
  private func endpoint(_ selector: LabelSelector, _ matchesInit: Bool) -> PeerSelector {
    var peer = PeerSelector(selector, source: "any")
    if peer.mentionsReserved { return peer }
    if !peer.mentions(IdentityLabels.namespaceKey) {
      if policy.scope == .clusterwide {
        if !matchesInit { peer.add(PeerSelector.exists("k8s", IdentityLabels.namespaceKey)) }
      } else if !peer.mentions(prefix: IdentityLabels.namespaceLabelsPrefix) {
        peer.add(PeerSelector.equals("k8s", IdentityLabels.namespaceKey, policy.namespace))
      }
    }
    if settings.policy.defaultLocalCluster, !peer.mentions(IdentityLabels.clusterKey) {
      peer.add(PeerSelector.equals("k8s", IdentityLabels.clusterKey, settings.clusterName))
    }
    return peer
  }

  private func selectorsOf(_ entity: Entity) -> [PeerSelector] {
    switch entity {
    case .all: return [PeerSelector()]
    case .world: return ["world", "world-ipv4", "world-ipv6"].map(PeerSelector.reserved)
    case .cluster:
      let reserved = [
        "host", "remote-node", "init", "ingress", "health", "unmanaged", "kube-apiserver",
      ]
      return reserved.map(PeerSelector.reserved) + [
        PeerSelector([PeerSelector.equals("k8s", IdentityLabels.clusterKey, settings.clusterName)])
      ]
    default: return [PeerSelector.reserved(entity.rawValue)]
    }
  }

  /// nil for every port.
  private func ports(
    _ rule: TrafficRule, _ origin: PolicyOrigin
  ) -> [PolicyStatement.PortSpec]? {
    let toPorts = rule.toPorts ?? []
    let icmps = rule.icmps ?? []
    guard !toPorts.isEmpty || icmps.contains(where: { $0.fields?.isEmpty == false }) else { return nil }
    var specs: [PolicyStatement.PortSpec] = []
    for (index, entry) in toPorts.enumerated() {
      let place = "\(origin).toPorts[\(index)]"
      for port in entry.ports ?? [] {
        guard let reference = port.port else { continue }
        let transports: [UInt8] = port.protocol == .any ? [6, 17, 132] : [port.protocol.number ?? 0]
        specs += transports.map { transport in
          PolicyStatement.PortSpec(
            port: .init(reference, end: port.endPort), transport: transport,
            redirect: ProxyRedirect(
              entry, transport: transport, place: place))
        }
      }
    }
    for field in icmps.flatMap({ $0.fields ?? [] }) {
      // A type stands where a port does; type 0 reads as every type.
      specs.append(
        PolicyStatement.PortSpec(
          port: .number(UInt16(field.type), end: 0), transport: field.family == .ipv4 ? 1 : 58))
    }
    return specs
  }
}

extension LabelSelector {
  /// Whether it is about endpoints that have no labels yet.
  fileprivate var mentionsInit: Bool {
    matchLabels.contains(key: "reserved:init") || matchExpressions.contains { $0.key == "reserved:init" }
  }
}

extension PolicyProtocol {
  fileprivate var isPortless: Bool {
    switch self {
    case .any, .tcp, .udp, .sctp: false
    case .vrrp, .igmp, .gre, .ipip, .ipv6, .esp, .ah: true
    }
  }
}

extension PolicyStatement.Port {
  init(_ reference: PortReference, end: UInt16?) {
    switch reference {
    case .number(let number): self = .number(number, end: end ?? 0)
    case .name(let name): self = .name(name.lowercased())
    }
  }
}
