import Cluster
import Wire

extension Cursor {
  func ciliumPolicy(
    _ metadata: Metadata, _ scope: CiliumNetworkPolicy.Scope, _ profile: Profile, _ fields: inout Fields
  ) -> CiliumNetworkPolicy? {
    fields.ignore(["status"])
    let spec = fields.optional("spec")
    let specs = fields.optional("specs")
    if spec == nil, specs == nil {
      report("missing-field", "the policy has neither \"spec\" nor \"specs\"", authority: .agent)
      return nil
    }
    let rules = [spec].compactMap(\.self) + (specs?.items() ?? [])
    let policy = CiliumNetworkPolicy(
      metadata: metadata, scope: scope, rules: rules.compactMap { $0.policyRule(profile) })
    log.add(PolicyValidation(policy: policy).findings)
    return policy
  }

  private func policyRule(_ profile: Profile) -> PolicyRule? {
    fields { fields in
      var rule = PolicyRule(location: fields.location)
      rule.endpointSelector = fields.optional("endpointSelector")?.selector(sourced: true)
      rule.nodeSelector = fields.optional("nodeSelector")?.selector(sourced: true)
      rule.ingress = fields.optional("ingress")?.list { $0.trafficRule(.ingress, isDeny: false, profile) }
      rule.ingressDeny = fields.optional("ingressDeny")?.list {
        $0.trafficRule(.ingress, isDeny: true, profile)
      }
      rule.egress = fields.optional("egress")?.list { $0.trafficRule(.egress, isDeny: false, profile) }
      rule.egressDeny = fields.optional("egressDeny")?.list { $0.trafficRule(.egress, isDeny: true, profile) }
      rule.enableDefaultDeny =
        fields.optional("enableDefaultDeny")?.fields { fields in
          let ingress = fields.optional("ingress")?.bool()
          return .init(ingress: ingress, egress: fields.optional("egress")?.bool())
        } ?? .init()
      rule.description = fields.optional("description")?.string() ?? ""
      rule.labels = fields.optional("labels")?.list { $0.ruleLabel() } ?? []
      rule.log = fields.optional("log")?.fields { $0.optional("value")?.string() }
      return rule
    }
  }

  private func ruleLabel() -> PolicyRule.RuleLabel? {
    fields { fields in
      let key = fields.required("key")?.string()
      let value = fields.optional("value")?.string() ?? ""
      let source = fields.optional("source")?.string() ?? ""
      return key.map { .init(key: $0, value: value, source: source) }
    }
  }

  private func trafficRule(_ direction: PolicyDirection, isDeny: Bool, _ profile: Profile) -> TrafficRule? {
    fields { fields in
      var rule = TrafficRule(location: fields.location)
      rule.peers = fields.policyPeers(direction, isDeny: isDeny)
      rule.toPorts = fields.optional("toPorts")?.list { $0.portRule(isDeny: isDeny, profile) }
      rule.icmps = fields.optional("icmps")?.list { $0.icmpRule() }
      if !isDeny, let cursor = fields.optional("authentication") {
        rule.authentication = cursor.fields { fields in
          fields.required("mode")?.choice(AuthenticationMode.self).map { Located($0, at: cursor.location) }
        }
      }
      return rule
    }
  }

  fileprivate func entity() -> Located<Entity>? {
    // The schema of the CRD leaves the two families of the world out, though the agent knows them.
    choice(Entity.self) { $0 != .worldIPv4 && $0 != .worldIPv6 }.map { Located($0, at: location) }
  }

  fileprivate func cidrRule() -> CIDRRule? {
    fields { fields in
      let cidr = fields.optional("cidr")?.cidr()
      let group = fields.optional("cidrGroupRef")?.nonEmptyString()
      let selector = fields.optional("cidrGroupSelector")?.selector(sourced: true)
      let except =
        fields.optional("except")?.list { item in item.cidr().map { Located($0, at: item.location) } } ?? []
      let given = ["cidr", "cidrGroupRef", "cidrGroupSelector"].filter(fields.keys.contains)
      if given.count != 1 {
        let found = given.isEmpty ? "none" : given.joined(separator: " and ")
        report("conflict", "expected one of cidr, cidrGroupRef, cidrGroupSelector; found \(found)")
      }
      return CIDRRule(
        cidr: cidr, groupName: group, groupSelector: selector, except: except, location: fields.location)
    }
  }

  fileprivate func servicePeer() -> ServicePeer? {
    fields { fields in
      var targets: [ServicePeer.Target] = []
      let named: NamespacedName? = fields.optional("k8sService")?.fields { fields in
        let namespace = fields.optional("namespace")?.string() ?? ""
        return NamespacedName(namespace: namespace, name: fields.optional("serviceName")?.string() ?? "")
      }
      if let named { targets.append(.name(named)) }
      let selected: ServicePeer.Target? = fields.optional("k8sServiceSelector")?.fields { fields in
        let namespace = fields.optional("namespace")?.string() ?? ""
        let selector = fields.required("selector")?.selector()
        return selector.map { .selector($0, namespace: namespace) }
      }
      if let selected { targets.append(selected) }
      return ServicePeer(targets: targets, location: fields.location)
    }
  }

  func fqdnSelector() -> FQDNSelector? {
    fields { fields in
      let name = fields.optional("matchName")?.string()
      let pattern = fields.optional("matchPattern")?.string()
      return FQDNSelector(matchName: name, matchPattern: pattern, location: fields.location)
    }
  }

  fileprivate func cloudGroup() -> CloudGroup? {
    fields { fields in
      fields.optional("aws")?.fields { aws in
        CloudGroup(
          labels: aws.optional("labels")?.labels(checked: false) ?? [:],
          securityGroupIDs: aws.optional("securityGroupsIds")?.list { $0.string() } ?? [],
          securityGroupNames: aws.optional("securityGroupsNames")?.list { $0.string() } ?? [],
          region: aws.optional("region")?.string() ?? "", location: location)
      }
    }
  }

  fileprivate func requirement() -> LabelSelector? {
    selector(sourced: true)
  }
}

extension Fields {
  /// `fromEndpoints` and its kin, or `toEndpoints` and its.
  fileprivate mutating func policyPeers(_ direction: PolicyDirection, isDeny: Bool) -> PolicyPeers {
    let prefix = direction == .ingress ? "from" : "to"
    var peers = PolicyPeers()
    peers.endpoints = optional(prefix + "Endpoints")?.list { $0.selector(sourced: true) }
    peers.nodes = optional(prefix + "Nodes")?.list { $0.selector(sourced: true) }
    peers.cidrs = optional(prefix + "CIDR")?.list { item in
      item.cidr().map { Located($0, at: item.location) }
    }
    peers.cidrSets = optional(prefix + "CIDRSet")?.list { $0.cidrRule() }
    peers.entities = optional(prefix + "Entities")?.list { $0.entity() }
    peers.groups = optional(prefix + "Groups")?.list { $0.cloudGroup() }
    peers.requires = optional(prefix + "Requires")?.list { $0.requirement() }
    if direction == .egress {
      peers.services = optional("toServices")?.list { $0.servicePeer() }
      if !isDeny { peers.fqdns = optional("toFQDNs")?.list { $0.fqdnSelector() } }
    }
    return peers
  }
}
