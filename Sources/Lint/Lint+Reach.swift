import Cluster
import Intent
import Wire

/// Traps that show only beside other objects: pods, services, other policies.
extension Linter {
  mutating func lintReach() {
    let intent = Intent(cluster, settings: settings)
    let policies = Array(cluster.ciliumPolicies) + Array(cluster.ciliumClusterwidePolicies)
    for policy in policies {
      let selected = intent.endpoints(selectedBy: policy)
      if !intent.endpoints.isEmpty {
        lintSelection(
          policy.reference, selected, intent.peerSelections(policy), policy.location,
          isAboutPods: policy.rules.contains { $0.endpointSelector != nil })
        for spec in policy.rules { lintPortNames(spec, policy, selected, intent) }
      }
      for spec in policy.rules {
        let place = spec.location.or(policy.location)
        lintServices(spec, policy, place)
        lintPrefixes(spec, policy, place)
        lintShadows(spec, policy, policies)
        if spec.egress?.contains(where: { !$0.peers.areAbsent || $0.toPorts != nil }) ?? false {
          lintNames(
            policy.reference, selected.first ?? .sample(spec, policy), spec.egress?.first?.location, intent)
        }
      }
    }
    for policy in cluster.networkPolicies { lint(policy, intent) }
  }

  private mutating func lint(_ policy: NetworkPolicy, _ intent: Intent) {
    let selected = intent.endpoints(selectedBy: policy)
    if !intent.endpoints.isEmpty {
      lintSelection(
        policy.reference, selected, intent.peerSelections(policy), policy.location, isAboutPods: true)
    }
    for rules in [policy.ingress, policy.egress] {
      for block in (rules ?? []).flatMap({ $0.peers ?? [] }) {
        guard let ipBlock = block.ipBlock else { continue }
        lintPrefix(
          ipBlock.cidr, except: ipBlock.except, "\(policy.reference)", block.location.or(policy.location))
      }
    }
    if let first = policy.egress?.first {
      lintNames(policy.reference, selected.first ?? .sample(policy), first.location, intent)
    }
  }

  private mutating func lintSelection(
    _ policy: ObjectReference, _ selected: [Subject], _ peers: [(site: RuleSite, selected: Int)],
    _ place: SourceLocation, isAboutPods: Bool
  ) {
    if selected.isEmpty, isAboutPods {
      add(.selectsNothing, place, "\(policy) selects no pod")
    }
    for peer in peers where peer.selected == 0 {
      add(.peerSelectsNothing, peer.site.location.or(place), "\(policy) \(peer.site.path) selects no pod")
    }
  }

  private mutating func lintPortNames(
    _ spec: PolicyRule, _ policy: CiliumNetworkPolicy, _ selected: [Subject], _ intent: Intent
  ) {
    let directions = [
      (spec.ingress, selected), (spec.ingressDeny, selected), (spec.egress, intent.endpoints),
      (spec.egressDeny, intent.endpoints),
    ]
    for (entries, pods) in directions {
      for port in (entries ?? []).flatMap({ $0.toPorts ?? [] }).flatMap({ $0.ports ?? [] }) {
        guard case .name(let name)? = port.port else { continue }
        let isKnown = pods.contains { pod in
          pod.ports.contains { $0.name == name && [nil, $0.transport.number].contains(port.protocol.number) }
        }
        if !isKnown {
          add(
            .unknownPortName, port.location.or(policy.location),
            "\(policy.reference) names port \(name), which no pod that is meant has: it matches nothing")
        }
      }
    }
  }

  private mutating func lintServices(
    _ spec: PolicyRule, _ policy: CiliumNetworkPolicy, _ place: SourceLocation
  ) {
    for entry in spec.egress ?? [] {
      for peer in entry.peers.services ?? [] {
        for case .name(let id) in peer.targets {
          let isThere = cluster.services.contains {
            $0.name == id.name && (id.namespace.isEmpty || id.namespace == $0.namespace)
          }
          if isThere { continue }
          // Nothing is left of the peers, and a rule with ports and no peers is about everyone.
          let opens = !(entry.toPorts ?? []).isEmpty
          add(
            .missingService, peer.location.or(place),
            "\(policy.reference) names service \(id), which is not there: "
              + (opens ? "its ports are open to everyone" : "nobody is selected"))
        }
      }
    }
  }

  private mutating func lintPrefixes(
    _ spec: PolicyRule, _ policy: CiliumNetworkPolicy, _ place: SourceLocation
  ) {
    let sections = [spec.ingress, spec.ingressDeny, spec.egress, spec.egressDeny]
    for entry in sections.flatMap({ $0 ?? [] }) {
      for cidr in entry.peers.cidrs ?? [] {
        lintPrefix(cidr.value, except: [], "\(policy.reference)", cidr.location.or(entry.location).or(place))
      }
      for set in entry.peers.cidrSets ?? [] {
        guard let cidr = set.cidr else { continue }
        let place = set.location.or(entry.location).or(place)
        lintPrefix(cidr, except: set.except.map(\.value), "\(policy.reference)", place)
      }
    }
  }

  private mutating func lintPrefix(_ cidr: CIDR, except: [CIDR], _ name: String, _ place: SourceLocation) {
    let reached = clusterPrefixes.first { prefix in
      prefix.overlaps(cidr) && !except.contains { $0.contains(prefix) }
    }
    guard let reached else { return }
    add(
      .cidrCoversCluster, place,
      "\(name) names \(cidr), which covers \(reached) of the cluster: prefixes never match pods")
  }

  /// Where pods are: the addresses that are known, or else what they will be taken from.
  private var clusterPrefixes: [CIDR] {
    let pinned = cluster.pods.flatMap(\.podIPs).map { CIDR($0) }
    let ofNodes = cluster.nodes.flatMap(\.podCIDRs)
    if !pinned.isEmpty || !ofNodes.isEmpty { return ofNodes + pinned }
    return settings.ipam.mode == .kubernetes ? ClusterNetwork.kindPodCIDRs : settings.ipam.ipv4PodCIDRs
  }

  /// Whether DNS gets through from a pod that a policy selects.
  private mutating func lintNames(
    _ policy: ObjectReference, _ pod: Subject, _ place: SourceLocation?, _ intent: Intent
  ) {
    // The servers of the cluster's DNS ask others.
    if pod.labels["k8s-app"] == "kube-dns" { return }
    let resolver = intent.endpoints.first { $0.labels["k8s-app"] == "kube-dns" } ?? .resolver
    let answer = intent.answer(Traffic(from: pod, to: resolver, .udp(53))).egress
    guard answer.verdict == .denied, let place else { return }
    add(
      .egressWithoutDNS, place,
      "\(policy) turns default deny on for egress, and nothing lets pods that it selects ask the cluster's DNS (53/UDP to "
        + "k8s-app=kube-dns in kube-system)")
  }
}

extension Subject {
  /// The cluster's DNS as it is everywhere.
  fileprivate static var resolver: Subject {
    Subject(
      kind: .pod, id: NamespacedName(namespace: "kube-system", name: "kube-dns"),
      labels: ["k8s-app": "kube-dns"],
      namespaceLabels: [Namespace.nameLabel: "kube-system"], serviceAccount: "coredns",
      ports: [ContainerPort(name: "dns", 53, .udp), ContainerPort(name: "dns-tcp", 53)])
  }

  /// A pod as a policy's selector describes it.
  fileprivate static func sample(_ spec: PolicyRule, _ policy: CiliumNetworkPolicy) -> Subject {
    let namespace = policy.scope == .namespaced ? policy.namespace : "default"
    return sample(spec.endpointSelector ?? LabelSelector(), namespace)
  }

  fileprivate static func sample(_ policy: NetworkPolicy) -> Subject {
    sample(policy.podSelector, policy.namespace)
  }

  private static func sample(_ selector: LabelSelector, _ namespace: String) -> Subject {
    var labels = Labels()
    for label in selector.matchLabels { labels[label.key.withoutSource] = label.value }
    for expression in selector.matchExpressions {
      switch expression.op {
      case .in: labels[expression.key.withoutSource] = expression.values.first ?? ""
      case .exists: labels[expression.key.withoutSource] = "x"
      case .notIn, .doesNotExist: break
      }
    }
    return Subject(
      kind: .pod, id: NamespacedName(namespace: namespace, name: "…"), labels: labels,
      namespaceLabels: [Namespace.nameLabel: namespace])
  }
}

extension String {
  /// A label key without `k8s:` or `any:`.
  fileprivate var withoutSource: String {
    for source in ["k8s:", "any:"] where hasPrefix(source) { return String(dropFirst(source.count)) }
    return self
  }
}
