import Cluster
import Wire

extension Cursor {
  func clusterNetworkPolicy(_ metadata: Metadata, _ fields: inout Fields) -> ClusterNetworkPolicy? {
    fields.ignore(["status"])
    return fields.required("spec")?.fields { spec in
      let tier = spec.required("tier")?.choice(ClusterNetworkPolicy.Tier.self)
      let priority = spec.required("priority")?.integer(0...1000)
      let subject = spec.required("subject")?.policySubject()
      let ingress = spec.optional("ingress")?.tieredRules(.ingress)
      let egress = spec.optional("egress")?.tieredRules(.egress)
      guard let tier, let priority, let subject else { return nil }
      return ClusterNetworkPolicy(
        metadata: metadata, tier: tier, priority: priority, subject: subject, ingress: ingress ?? [],
        egress: egress ?? [])
    }
  }

  private func policySubject() -> ClusterNetworkPolicy.Subject? {
    fields { fields in
      expectOne(of: ["namespaces", "pods"], in: fields)
      if let selector = fields.optional("namespaces")?.selector() { return .namespaces(selector) }
      return fields.optional("pods")?.namespacedPods().map { .pods($0) }
    }
  }

  private func namespacedPods() -> ClusterNetworkPolicy.Pods? {
    fields { fields in
      let namespaces = fields.required("namespaceSelector")?.selector()
      let pods = fields.required("podSelector")?.selector()
      guard let namespaces, let pods else { return nil }
      return ClusterNetworkPolicy.Pods(namespaces: namespaces, pods: pods)
    }
  }

  private func tieredRules(_ direction: PolicyDirection) -> [ClusterNetworkPolicy.Rule]? {
    limited(to: 25)
    return list { $0.tieredRule(direction) }
  }

  private func tieredRule(_ direction: PolicyDirection) -> ClusterNetworkPolicy.Rule? {
    fields { fields in
      let name = fields.optional("name")?.string() ?? ""
      if name.count > 100 { report("invalid-value", "the name of a rule has at most 100 characters") }
      let action = fields.required("action")?.choice(ClusterNetworkPolicy.Action.self)
      let peersCursor = fields.required(direction == .ingress ? "from" : "to")
      peersCursor?.limited(to: 25, atLeastOne: true)
      let peers = peersCursor?.list { item in
        item.tieredPeer(direction).map { Located($0, at: item.location) }
      }
      let portsCursor = fields.optional("protocols")
      portsCursor?.limited(to: 25, atLeastOne: true)
      let ports = portsCursor?.list { item in item.tieredPort().map { Located($0, at: item.location) } }
      guard let action, let peers else { return nil }
      checkNamedPorts(peers, ports)
      return ClusterNetworkPolicy.Rule(
        name: name, action: action, peers: peers, ports: ports, location: fields.location)
    }
  }

  private func tieredPeer(_ direction: PolicyDirection) -> ClusterNetworkPolicy.Peer? {
    fields { fields in
      let egress = ["nodes", "networks", "domainNames"]
      expectOne(of: ["namespaces", "pods"] + (direction == .egress ? egress : []), in: fields)
      if let selector = fields.optional("namespaces")?.selector() { return .namespaces(selector) }
      if let pods = fields.optional("pods")?.namespacedPods() { return .pods(pods) }
      guard direction == .egress else { return nil }
      if let selector = fields.optional("nodes")?.selector() { return .nodes(selector) }
      if let networks = fields.optional("networks") {
        networks.limited(to: 25, atLeastOne: true)
        return networks.list { $0.cidr() }.map { .networks($0) }
      }
      let names = fields.optional("domainNames")
      names?.limited(to: 25, atLeastOne: true)
      return names?.list { $0.nonEmptyString() }.map { .domainNames($0) }
    }
  }

  private func tieredPort() -> ClusterNetworkPolicy.Port? {
    fields { fields in
      expectOne(of: ["tcp", "udp", "sctp", "destinationNamedPort"], in: fields)
      let transports: [(String, TransportProtocol)] = [("tcp", .tcp), ("udp", .udp), ("sctp", .sctp)]
      for (key, transport) in transports {
        if let cursor = fields.optional(key) { return cursor.destinationPort(transport) }
      }
      return fields.optional("destinationNamedPort")?.nonEmptyString().map { .name($0) }
    }
  }

  private func destinationPort(_ transport: TransportProtocol) -> ClusterNetworkPolicy.Port? {
    fields { fields in
      guard let port = fields.required("destinationPort") else { return nil }
      return port.fields { fields in
        port.expectOne(of: ["number", "range"], in: fields)
        if let number = fields.optional("number")?.port() { return .number(number, transport) }
        return fields.optional("range")?.fields { range in
          let start = range.required("start")?.port()
          let end = range.required("end")?.port()
          guard let start, let end else { return nil }
          if start >= end {
            port.report("invalid-value", "the start of a range must be less than its end")
          }
          return .range(start, end, transport)
        }
      }
    }
  }

  private func expectOne(of keys: [String], in fields: Fields) {
    let given = keys.filter(fields.keys.contains)
    guard given.count != 1 else { return }
    let found = given.isEmpty ? "none" : given.joined(separator: " and ")
    report("conflict", "expected one of \(keys.joined(separator: ", ")); found \(found)")
  }

  private func limited(to most: Int, atLeastOne: Bool = false) {
    guard case .sequence(let items) = value.content else { return }
    if items.count > most { report("too-many", "at most \(most) are allowed, found \(items.count)") }
    if items.isEmpty, atLeastOne { report("empty-list", "at least one is needed") }
  }

  /// Nodes, networks and names have no ports by name.
  private func checkNamedPorts(
    _ peers: [Located<ClusterNetworkPolicy.Peer>], _ ports: [Located<ClusterNetworkPolicy.Port>]?
  ) {
    let named = (ports ?? []).first { if case .name = $0.value { true } else { false } }
    let nameless = peers.contains {
      switch $0.value {
      case .nodes, .networks, .domainNames: true
      case .namespaces, .pods: false
      }
    }
    if let named, nameless {
      report(
        "conflict",
        "nodes, networks and domainNames have no ports by name, so that destinationNamedPort "
          + "cannot stand beside them", at: named.location)
    }
  }
}
