import Cluster
import TestSupport
import Wire

/// Policies of every kind, about a town of four pods, drawn at random.
struct RandomPolicies {
  var random: SplitMix64
  /// Authentication and passes do not go together in Cilium.
  let hasTiers: Bool
  /// Whether prefixes select nodes: those of routers, which manifests do not name, are kept out of it then.
  let sparesRouters: Bool

  init(seed: UInt64) {
    random = SplitMix64(seed: seed)
    hasTiers = seed % 3 == 0
    sparesRouters = seed % 4 == 1
  }

  private mutating func one<Item>(_ items: [Item]) -> Item {
    items[Int.random(in: 0..<items.count, using: &random)]
  }
  private mutating func flip(_ odds: Int = 2) -> Bool { Int.random(in: 0..<odds, using: &random) == 0 }

  mutating func objects() -> [ClusterObject] {
    (0..<Int.random(in: 1...4, using: &random)).map { index in
      switch Int.random(in: 0..<(hasTiers ? 8 : 6), using: &random) {
      case 0: .networkPolicy(networkPolicy("np\(index)"))
      case 1: .ciliumPolicy(ciliumPolicy("wide\(index)", in: ""))
      case 2: .ciliumPolicy(hostPolicy("host\(index)"))
      case 6, 7: .clusterPolicy(clusterPolicy("tier\(index)"))
      default: .ciliumPolicy(ciliumPolicy("p\(index)", in: one(["default", "ops"])))
      }
    }
  }

  private mutating func labels() -> Labels {
    one([[:], ["app": "web"], ["app": "client"], ["role": "monitor"]])
  }

  private mutating func selector() -> LabelSelector {
    switch Int.random(in: 0..<5, using: &random) {
    case 0: return LabelSelector()
    case 1:
      let op: LabelSelector.Operator = one([.in, .notIn])
      return LabelSelector(
        matchExpressions: [.init(key: "app", op: op, values: one([["web"], ["client", "web"]]))])
    case 2:
      let op: LabelSelector.Operator = one([.exists, .doesNotExist])
      return LabelSelector(matchExpressions: [.init(key: "app", op: op)])
    case 3:
      var own = labels()
      own["k8s:io.kubernetes.pod.namespace"] = one(["default", "ops"])
      return LabelSelector(matchLabels: own)
    default: return LabelSelector(matchLabels: labels())
    }
  }

  private mutating func cidr() -> CIDR? {
    CIDR(
      one([
        "203.0.113.0/24", "203.0.113.7/32", "0.0.0.0/0", "172.18.0.0/16", "203.0.0.0/16",
        sparesRouters ? "192.0.2.0/24" : "10.0.0.0/8",
      ]))
  }

  private mutating func peers(isEgress: Bool) -> PolicyPeers {
    switch Int.random(in: 0..<(isEgress ? 9 : 8), using: &random) {
    case 0: return PolicyPeers()
    case 1: return PolicyPeers(endpoints: [])
    case 2: return PolicyPeers(entities: [Located(one(Entity.allCases)), Located(one(Entity.allCases))])
    case 3: return PolicyPeers(cidrs: [cidr(), cidr()].compactMap(\.self).map { Located($0) })
    case 4:
      let except = CIDR("203.0.113.0/25").map { [Located($0)] } ?? []
      return PolicyPeers(cidrSets: [CIDRRule(cidr: CIDR("203.0.113.0/24"), except: flip() ? except : [])])
    case 5:
      let rule =
        flip()
        ? CIDRRule(groupName: one(["partners", "offices", "missing"]))
        : CIDRRule(
          groupSelector: LabelSelector(matchExpressions: [
            .init(key: "kind", op: one([.in, .notIn]), values: [one(["partner", "office"])])
          ]))
      return PolicyPeers(cidrSets: [rule])
    case 6: return PolicyPeers(nodes: [one([LabelSelector(), LabelSelector(matchLabels: ["zone": "a"])])])
    case 8:
      let id = NamespacedName(namespace: one(["default", ""]), name: one(["web", "outside", "typo"]))
      return PolicyPeers(services: [
        ServicePeer(targets: [
          flip()
            ? .name(id) : .selector(LabelSelector(matchLabels: ["kind": one(["in", "out"])]), namespace: "")
        ])
      ])
    default: return PolicyPeers(endpoints: [selector()])
    }
  }

  private mutating func port() -> PortProtocol {
    one([
      PortProtocol(.number(80), .tcp), PortProtocol(.number(53)), PortProtocol(.number(0), .udp),
      PortProtocol(.number(1), endPort: 500, .tcp), PortProtocol(.name("http"), .tcp),
      PortProtocol(.number(80), endPort: 81, .tcp), PortProtocol(.number(0)),
    ])
  }

  private mutating func entry(isEgress: Bool, isDeny: Bool) -> TrafficRule {
    var rule = TrafficRule(peers: peers(isEgress: isEgress))
    switch Int.random(in: 0..<4, using: &random) {
    case 0: rule.icmps = [ICMPRule(fields: [.init(family: .ipv4, type: one([8, 0, 13]))])]
    case 1: break
    default: rule.toPorts = [PortRule(ports: [port(), port()])]
    }
    if !isDeny, !hasTiers, flip(5) { rule.authentication = Located(one([.required, .disabled])) }
    return rule
  }

  private mutating func rules(_ isEgress: Bool, _ isDeny: Bool) -> [TrafficRule]? {
    flip()
      ? (0..<Int.random(in: 1...2, using: &random)).map { _ in entry(isEgress: isEgress, isDeny: isDeny) }
      : nil
  }

  private mutating func spec() -> PolicyRule {
    var rule = PolicyRule(
      ingress: rules(false, false), ingressDeny: rules(false, true), egress: rules(true, false),
      egressDeny: rules(true, true))
    if flip(3) { rule.enableDefaultDeny = .init(ingress: flip(), egress: flip()) }
    if rule.ingress == nil, rule.egress == nil { rule.ingress = [entry(isEgress: false, isDeny: false)] }
    return rule
  }

  private mutating func ciliumPolicy(_ name: String, in namespace: String) -> CiliumNetworkPolicy {
    var rule = spec()
    rule.endpointSelector = flip() ? LabelSelector(matchLabels: labels()) : selector()
    return CiliumNetworkPolicy(
      metadata: Metadata(namespace: namespace, name: name),
      scope: namespace.isEmpty ? .clusterwide : .namespaced, rules: [rule])
  }

  private mutating func hostPolicy(_ name: String) -> CiliumNetworkPolicy {
    var rule = spec()
    rule.nodeSelector = one([LabelSelector(), LabelSelector(matchLabels: ["zone": "a"])])
    return CiliumNetworkPolicy(metadata: Metadata(name: name), scope: .clusterwide, rules: [rule])
  }

  private mutating func networkPolicy(_ name: String) -> NetworkPolicy {
    func peer() -> NetworkPolicyPeer {
      if flip(3), let cidr = cidr() { return NetworkPolicyPeer(ipBlock: .init(cidr: cidr)) }
      let pods = flip(3) ? nil : LabelSelector(matchLabels: labels())
      let namespaces = one([nil, LabelSelector(), LabelSelector(matchLabels: ["team": "ops"])])
      return pods == nil && namespaces == nil
        ? NetworkPolicyPeer(podSelector: LabelSelector())
        : NetworkPolicyPeer(podSelector: pods, namespaceSelector: namespaces)
    }
    func rule() -> NetworkPolicyRule {
      NetworkPolicyRule(
        peers: flip(4) ? nil : [peer(), peer()],
        ports: flip()
          ? nil
          : [
            one([
              NetworkPolicyPort(.number(80), .tcp), NetworkPolicyPort(.name("dns"), .udp),
              NetworkPolicyPort(nil, .tcp), NetworkPolicyPort(.number(50), .tcp, endPort: 90),
            ])
          ])
    }
    return NetworkPolicy(
      metadata: Metadata(namespace: one(["default", "ops"]), name: name),
      podSelector: LabelSelector(matchLabels: labels()),
      policyTypes: one([nil, [.ingress], [.egress], [.ingress, .egress]]),
      ingress: flip() ? [rule()] : one([nil, []]), egress: flip() ? [rule()] : nil)
  }

  private mutating func clusterPolicy(_ name: String) -> ClusterNetworkPolicy {
    func peer(isEgress: Bool) -> Located<ClusterNetworkPolicy.Peer> {
      let namespaces = one([LabelSelector(), LabelSelector(matchLabels: ["team": "ops"])])
      switch Int.random(in: 0..<(isEgress ? 4 : 2), using: &random) {
      case 0: return Located(.namespaces(namespaces))
      case 2: return Located(.networks([cidr()].compactMap(\.self)))
      case 3: return Located(.nodes(one([LabelSelector(), LabelSelector(matchLabels: ["zone": "a"])])))
      default:
        return Located(.pods(.init(namespaces: namespaces, pods: LabelSelector(matchLabels: labels()))))
      }
    }
    func rule(isEgress: Bool) -> ClusterNetworkPolicy.Rule {
      let ports: [Located<ClusterNetworkPolicy.Port>]? = one([
        nil, [Located(.number(80, .tcp))], [Located(.range(50, 90, .tcp))], [Located(.every(.udp))],
        [Located(.name("http"))],
      ])
      return ClusterNetworkPolicy.Rule(
        action: one([.accept, .deny, .pass]), peers: [peer(isEgress: isEgress), peer(isEgress: isEgress)],
        ports: ports)
    }
    return ClusterNetworkPolicy(
      metadata: Metadata(name: name), tier: one([.admin, .baseline]), priority: one([0, 1, 2, 50]),
      subject: one([
        .namespaces(LabelSelector()), .namespaces(LabelSelector(matchLabels: ["team": "ops"])),
        .pods(.init(pods: LabelSelector(matchLabels: ["app": "web"]))),
      ]),
      ingress: flip() ? [rule(isEgress: false), rule(isEgress: false)] : [],
      egress: flip() ? [rule(isEgress: true), rule(isEgress: true)] : [])
  }
}
