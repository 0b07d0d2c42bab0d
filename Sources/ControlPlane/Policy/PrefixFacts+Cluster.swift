import Cluster
import Wire

extension PrefixFacts {
  /// Those of a cluster, without what policies name.
  ///
  /// Source: Cilium `pkg/policy/k8s/cilium_cidr_group.go`, `pkg/k8s/watchers/endpoints.go` (the API server).
  init(
    _ state: ClusterState, _ settings: Settings, nodes: [NodeInfo], apiServers: Set<IPAddress>
  ) {
    for node in nodes {
      for address in node.addresses + node.routerAddresses + node.healthAddresses {
        reserved.insert(CIDR(address))
      }
      var labels: [IdentityLabel] = []
      if settings.policy.nodeSelectorLabels {
        for label in state.nodes["", node.name]?.labels ?? [:] {
          labels.append(IdentityLabel("node", label.key, label.value))
        }
        labels.append(IdentityLabel("k8s", IdentityLabels.clusterKey, settings.clusterName))
      }
      self.nodes.append(
        NodeFacts(
          name: node.name, addresses: node.addresses + node.routerAddresses, labels: labels,
          isAPIServer: node.addresses.contains { apiServers.contains($0) }))
    }
    for address in apiServers where !reserved.contains(CIDR(address)) {
      add(.reserved("kube-apiserver"), to: CIDR(address))
    }
    for group in state.cidrGroups { add(group) }
  }

  private mutating func add(_ group: CiliumCIDRGroup) {
    var labels = [IdentityLabel("cidrgroup", PeerSelector.groupNameKey(group.name))]
    for label in group.labels where !label.key.hasPrefix("io.cilium.k8s") {
      labels.append(IdentityLabel("cidrgroup", label.key, label.value))
      labels.append(IdentityLabel("cidrgroup", PeerSelector.encoded(label.key, label.value)))
    }
    for prefix in group.externalCIDRs {
      for label in labels { add(label, to: prefix.value) }
    }
  }

  /// The prefixes that selectors name, those that they leave out among them.
  mutating func add(prefixesOf selectors: some Sequence<PeerSelector>) {
    for selector in selectors {
      for prefix in selector.cidrs { add(.cidr(prefix), to: prefix) }
    }
  }
}

extension PeerSelector {
  static func groupNameKey(_ name: String) -> String { "io.cilium.policy.cidrgroupname/\(name)" }

  /// The prefixes of a CiliumCIDRGroup by its name.
  init(groupNamed name: String, except: [CIDR], options: DatapathOptions) {
    self.init(
      [PeerSelector.exists("cidrgroup", PeerSelector.groupNameKey(name))], except: except, options: options)
  }

  /// The prefixes of CiliumCIDRGroups by their labels.
  init(groups selector: LabelSelector, except: [CIDR], options: DatapathOptions) {
    var requirements = PeerSelector(selector, source: "cidrgroup", readsSources: true).requirements
    for index in requirements.indices { requirements[index].isEncoded = true }
    self.init(requirements, except: except, options: options)
  }
}
