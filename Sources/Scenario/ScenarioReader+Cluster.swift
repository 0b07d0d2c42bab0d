import Cluster
import Manifests
import Wire

extension Cursor {
  func ciliumInstallation() -> CiliumInstallation? {
    fields { fields in
      var cilium = CiliumInstallation()
      cilium.profile = fields.optional("profile")?.profile() ?? .latest
      cilium.values = fields.optional("values")?.helmValues() ?? []
      return cilium
    }
  }

  /// `"1.20"`; the number 1.20 is taken by its text, since the quotes are easily forgotten.
  private func profile() -> Profile? { choice(Profile.self) }

  /// A list of files and maps, or one of them.
  func helmValues() -> [CiliumInstallation.Values]? {
    switch value.content {
    case .sequence: list { $0.helmValue() }
    default: helmValue().map { [$0] }
    }
  }

  private func helmValue() -> CiliumInstallation.Values? {
    switch value.content {
    case .mapping: return .inline(value)
    case .string: return nonEmptyString().map { .file(Located($0, at: location)) }
    default:
      wrongType("a file of Helm values, or the values themselves")
      return nil
    }
  }

  func clusterPlan(inMesh: Bool) -> ClusterPlan? {
    fields { fields in
      var plan = ClusterPlan(location: fields.location)
      plan.name = (inMesh ? fields.required("name") : fields.optional("name"))?.nonEmptyString()
      plan.id = fields.optional("id")?.integer(0...511)
      plan.kindFile = fields.optional("kind").flatMap { cursor in
        cursor.nonEmptyString().map { Located($0, at: cursor.location) }
      }
      let nodes = fields.optional("nodes")
      plan.nodes = nodes?.list { $0.clusterNode() } ?? []
      if let nodes, plan.kindFile != nil {
        nodes.report("conflict", "nodes and kind exclude each other", at: fields.keyLocation("nodes"))
      }
      plan.podCIDRs = fields.optional("podCIDRs")?.list { $0.cidr() } ?? []
      plan.serviceCIDRs = fields.optional("serviceCIDRs")?.list { $0.cidr() } ?? []
      _ = fields.optional("underlay")?.fields { underlay -> Bool? in
        plan.subnets = underlay.optional("subnets")?.list { $0.subnet(of: plan.nodes.map(\.name)) } ?? []
        plan.mtu = underlay.optional("mtu")?.integer(68...65_535)
        return true
      }
      if inMesh {
        plan.values = fields.optional("values")?.helmValues() ?? []
        plan.manifests = fields.optional("manifests")?.paths() ?? []
      }
      reportDuplicateNodes(plan.nodes)
      return plan
    }
  }

  private func reportDuplicateNodes(_ nodes: [Node]) {
    var seen: Set<String> = []
    for node in nodes where !seen.insert(node.name).inserted {
      report("duplicate-name", "two nodes are named \(quoted(node.name))", at: node.location)
    }
  }

  private func clusterNode() -> Node? {
    fields { fields in
      let nameCursor = fields.required("name")
      let name = nameCursor?.nonEmptyString()
      if let name, let problem = LabelSyntax.problem(subdomain: name) {
        nameCursor?.report("invalid-value", "the name \(quoted(name)) \(problem)")
      }
      var labels = fields.optional("labels")?.labels() ?? [:]
      if let zone = fields.optional("zone")?.nonEmptyString() { labels[Node.zoneLabel] = zone }
      if let name, labels[Node.hostnameLabel] == nil { labels[Node.hostnameLabel] = name }
      let addresses = fields.optional("ips")?.list { $0.address() } ?? []
      let podCIDRs = fields.optional("podCIDRs")?.list { $0.cidr() } ?? []
      let limit = fields.optional("podLimit")?.integer(0...100_000) ?? 110
      let kernel: Node.Kernel? = fields.optional("kernel")?.fields { kernel in
        Node.Kernel(cgroup: kernel.optional("cgroup")?.choice(Node.Kernel.CGroup.self) ?? .v2)
      }
      guard let name else { return nil }
      return Node(
        metadata: Metadata(name: name, labels: labels, location: fields.location), addresses: addresses,
        podCIDRs: podCIDRs, podLimit: limit, kernel: kernel ?? Node.Kernel())
    }
  }

  private func subnet(of nodes: [String]) -> ClusterNetwork.Subnet? {
    fields { fields in
      let cidr = fields.required("cidr")?.cidr()
      let names: [String]? = fields.optional("nodes")?.list { item in
        guard let name = item.nonEmptyString() else { return nil }
        if !nodes.isEmpty, !nodes.contains(name) {
          item.report("unknown-node", "no node is named \(quoted(name)); \(suggestion(name, nodes))")
        }
        return name
      }
      return cidr.map { ClusterNetwork.Subnet(cidr: $0, nodes: names ?? []) }
    }
  }

  func externalHost() -> ExternalHost? {
    fields { fields in
      let name = fields.required("name")?.nonEmptyString()
      let addresses: [IPAddress] = fields.required("ips")?.list { $0.address() } ?? []
      let servers = fields.optional("serves")?.list { $0.server() } ?? []
      return name.map {
        ExternalHost(name: $0, addresses: addresses, servers: servers, location: fields.location)
      }
    }
  }

  /// `{port: 80, protocol: TCP, http: {/: 200}}`, or `80/TCP`.
  private func server() -> ExternalHost.Server? {
    switch value.content {
    case .string, .integer:
      guard let port = probePort() else { return nil }
      guard let transport = TransportProtocol(rawValue: port.transport.rawValue) else {
        report("invalid-value", "\(port) is nothing to listen on")
        return nil
      }
      return ExternalHost.Server(port: port.number, transport: transport)
    default: break
    }
    return fields { fields in
      let port = fields.required("port")?.port()
      let transport = fields.optional("protocol")?.choice(TransportProtocol.self) ?? .tcp
      let statuses: [ExternalHost.PathStatus]? = fields.optional("http")?.members()?.compactMap {
        path, status in
        status.integer(100...599).map { ExternalHost.PathStatus(path: path.value, status: $0) }
      }
      return port.map { ExternalHost.Server(port: $0, transport: transport, statuses: statuses ?? []) }
    }
  }

  func worldDNS() -> WorldDNS? {
    fields { fields in
      var dns = WorldDNS()
      let members = fields.optional("records")?.members() ?? []
      dns.records = members.compactMap { name, value in value.record(of: name) }.sorted { $0.name < $1.name }
      dns.ttl = fields.optional("ttl")?.duration()
      return dns
    }
  }

  private func record(of name: Located<String>) -> WorldDNS.Record? {
    var text = name.value.lowercased()
    if text.hasSuffix(".") { text.removeLast() }
    guard !text.isEmpty, text.utf8.count <= 253 else {
      report("invalid-value", "\(quoted(name.value)) is no DNS name", at: name.location)
      return nil
    }
    let addresses: [IPAddress]?
    switch value.content {
    case .null: addresses = nil
    case .string:
      guard let address = address() else { return nil }
      addresses = [address]
    default:
      guard let several = list({ $0.address() }) else { return nil }
      addresses = several
    }
    return WorldDNS.Record(name: text, addresses: addresses, location: name.location)
  }
}
