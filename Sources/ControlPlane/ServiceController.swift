import Cluster
import Wire

/// Services from their objects to frontends and backends: ClusterIPs and node ports are given out, endpoints found.
struct ServiceController: Sendable {
  private(set) var statuses: [ServiceStatus] = []
  /// Differs when anything does.
  private(set) var version = 0
  /// Where the API server answers.
  private(set) var apiServers: Set<IPAddress> = []

  private var clusterIPs: [AddressFamily: NumberSpace] = [:]
  private var nodePorts: NumberSpace?
  private var frontendIDs = NumberSpace("service", 1...65_535)
  private var backendIDs = NumberSpace("backend", 1...65_535)
  /// Addresses that frontends of node ports stand for, to see whether they changed.
  private var nodeAddresses: [IPAddress] = []

  /// The index of a frontend by its name, once drawn.
  func frontendID(_ name: String) -> UInt16 { UInt16(frontendIDs.numbers[name] ?? 0) }

  mutating func reconcile(
    _ state: ClusterState, pods: [PodStatus], nodes: [NodeInfo], _ settings: Settings,
    _ options: DatapathOptions, _ network: ClusterNetwork, _ findings: inout [Finding]
  ) {
    let cidrs = prepareAllocators(settings, network)
    releaseAddresses(state)
    pinAddresses(state, cidrs, &findings)
    var new: [ServiceStatus] = []
    let endpoints = ServiceEndpoints(state: state, pods: pods, nodes: nodes)
    for service in state.services {
      let families = families(of: service, network, options, &findings)
      let addresses = addresses(of: service, families, network, &findings)
      var status = ServiceStatus(
        service: service, families: families, clusterIPs: addresses, frontends: [],
        backends: endpoints.backends(of: service).filter { options.families.contains($0.address.family) })
      status.frontends = frontends(status, settings, options)
      report(status, settings, &findings)
      new.append(status)
    }
    new += HostPorts(settings: settings, options: options).services(pods, &findings)
    let addresses = nodes.flatMap(\.addresses).filter { options.families.contains($0.family) }
    drawNumbers(&new, addresses)
    let kubernetes = new.first { $0.id == SystemObjects.kubernetesService }
    apiServers = Set((kubernetes?.backends ?? []).map(\.address))
    if new != statuses || addresses != nodeAddresses {
      statuses = new
      nodeAddresses = addresses
      version += 1
    }
  }

  /// Ranges of the service prefixes that are given out: what the API server keeps for pinned addresses is left
  /// out.
  private mutating func prepareAllocators(
    _ settings: Settings, _ network: ClusterNetwork
  ) -> [AddressFamily: CIDR] {
    var cidrs: [AddressFamily: CIDR] = [:]
    for cidr in network.serviceCIDRs.reversed() { cidrs[cidr.family] = cidr }
    for (family, cidr) in cidrs where clusterIPs[family] == nil {
      let size = min(cidr.count, 1 << 16)
      let reserved = min(max(16, size / 16), 256)
      guard size > reserved + 2 else { continue }
      clusterIPs[family] = NumberSpace("clusterip", reserved...(size - 2))
    }
    if nodePorts == nil {
      let range = settings.loadBalancer.nodePorts
      nodePorts = NumberSpace("nodeport", UInt64(range.lowerBound)...UInt64(range.upperBound))
    }
    return cidrs
  }

  private mutating func pinAddresses(
    _ state: ClusterState, _ cidrs: [AddressFamily: CIDR], _ findings: inout [Finding]
  ) {
    for service in state.services {
      func refuse(_ message: String, _ location: SourceLocation) {
        findings.append(
          Finding(
            "already-allocated", .error, message, object: service.reference,
            at: location.isKnown ? location : service.location, authority: .apiServer))
      }
      for address in service.clusterIPs {
        guard let cidr = cidrs[address.family], let offset = cidr.offset(of: address) else { continue }
        if clusterIPs[address.family]?.pin(service.id.description, to: offset) == false {
          refuse("clusterIP \(address): provided IP is already allocated", service.location)
        }
      }
      for port in service.ports {
        guard let number = port.nodePort, number > 0 else { continue }
        if nodePorts?.pin(ServiceController.nodePortName(service, port), to: UInt64(number)) == false {
          refuse("nodePort \(number): provided port is already allocated", port.location)
        }
      }
    }
  }

  private static func nodePortName(_ service: Service, _ port: ServicePort) -> String {
    "\(service.id):\(port.port)/\(port.transport.rawValue)"
  }

  private func families(
    of service: Service, _ network: ClusterNetwork, _ options: DatapathOptions, _ findings: inout [Finding]
  ) -> [AddressFamily] {
    var available: [AddressFamily] = []
    for cidr in network.serviceCIDRs where !available.contains(cidr.family) { available.append(cidr.family) }
    if !service.clusterIPs.isEmpty, service.ipFamilyPolicy == nil {
      return service.clusterIPs.map(\.family)
    }
    let wanted = service.ipFamilies.isEmpty ? service.clusterIPs.map(\.family) : service.ipFamilies
    if wanted.contains(where: { !available.contains($0) })
      || service.ipFamilyPolicy == .requireDualStack && available.count < 2
    {
      findings.append(
        Finding(
          "ip-family", .error, "asks for an IP family that the cluster's service prefixes do not have",
          object: service.reference, at: service.location))
    }
    let first = wanted.filter { available.contains($0) }
    guard service.ipFamilyPolicy == .preferDualStack || service.ipFamilyPolicy == .requireDualStack else {
      return first.isEmpty ? Array(available.prefix(1)) : first
    }
    return first + available.filter { !first.contains($0) }
  }

  private mutating func addresses(
    of service: Service, _ families: [AddressFamily], _ network: ClusterNetwork,
    _ findings: inout [Finding]
  ) -> [IPAddress] {
    guard !service.isHeadless, service.type != .externalName else { return [] }
    return families.compactMap { family in
      if let pinned = service.clusterIPs.first(where: { $0.family == family }) { return pinned }
      if let cidr = network.serviceCIDRs.first(where: { $0.family == family }),
        let offset = clusterIPs[family]?.number(for: service.id.description),
        let address = cidr.address(at: offset)
      {
        return address
      }
      findings.append(
        Finding(
          "clusterip-exhausted", .warning,
          "no address is left in the service prefix for family \(family.rawValue)",
          object: service.reference, at: service.location))
      return nil
    }
  }

  private mutating func drawNumbers(_ statuses: inout [ServiceStatus], _ addresses: [IPAddress]) {
    var names: Set<String> = []
    for frontend in statuses.lazy.flatMap(\.frontends) {
      names.insert(frontend.name)
      guard frontend.isForEveryNodeAddress else { continue }
      for address in addresses where address.family == frontend.address.family {
        var expanded = frontend
        expanded.address = address
        names.insert(expanded.name)
      }
    }
    for name in frontendIDs.numbers.keys where !names.contains(name) { frontendIDs.release(name) }
    for name in names.sorted() { _ = frontendIDs.number(for: name) }
    let backends = Set(statuses.lazy.flatMap(\.backends).map(\.name))
    for name in backendIDs.numbers.keys where !backends.contains(name) { backendIDs.release(name) }
    for name in backends.sorted() { _ = backendIDs.number(for: name) }
    for service in statuses.indices {
      for index in statuses[service].frontends.indices {
        statuses[service].frontends[index].id = frontendID(statuses[service].frontends[index].name)
      }
      for index in statuses[service].backends.indices {
        let number = backendIDs.numbers[statuses[service].backends[index].name] ?? 0
        statuses[service].backends[index].id = UInt32(truncatingIfNeeded: number)
      }
    }
  }

  /// Takes back what services had that are gone.
  private mutating func releaseAddresses(_ state: ClusterState) {
    let ids = Set(state.services.map(\.id.description))
    for family in AddressFamily.allCases {
      for name in clusterIPs[family]?.numbers.keys.sorted() ?? [] where !ids.contains(name) {
        clusterIPs[family]?.release(name)
      }
    }
    let ports = Set(
      state.services.flatMap { service in
        service.ports.map { ServiceController.nodePortName(service, $0) }
      })
    for name in nodePorts?.numbers.keys.sorted() ?? [] where !ports.contains(name) {
      nodePorts?.release(name)
    }
  }
}

extension ServiceController {
  /// Source: Cilium `pkg/loadbalancer/reflectors/conversions.go`.
  private mutating func frontends(
    _ status: ServiceStatus, _ settings: Settings, _ options: DatapathOptions
  ) -> [Frontend] {
    let service = status.service
    guard !service.isHeadless, service.type != .externalName else { return [] }
    var frontends: [Frontend] = []
    func add(
      _ kind: Frontend.Kind, _ address: IPAddress, _ port: ServicePort, number: UInt16? = nil,
      inScope isInternal: Bool = false
    ) {
      guard options.families.contains(address.family) else { return }
      frontends.append(
        Frontend(
          kind: kind, address: address, port: number ?? port.port, transport: port.transport,
          isInternalScope: isInternal, portName: port.name, servicePort: port.port, id: 0))
    }
    let hasTwoScopes = (service.externalTrafficPolicy == .local) != status.isInternallyLocal(settings)
    let scopes = hasTwoScopes ? [false, true] : [false]
    for address in status.clusterIPs.sorted() {
      for port in service.ports { add(.clusterIP, address, port) }
    }
    let hasNodePorts =
      service.type == .nodePort
      || service.type == .loadBalancer && service.allocateLoadBalancerNodePorts
    if options.kubeProxyReplacement, hasNodePorts {
      for scope in scopes {
        for family in status.families {
          for port in service.ports {
            let name = ServiceController.nodePortName(service, port)
            guard let number = nodePorts?.number(for: name) else { continue }
            add(.nodePort, family.unspecified, port, number: UInt16(number), inScope: scope)
          }
        }
      }
    }
    if service.type == .loadBalancer {
      for address in service.loadBalancerIngress {
        for scope in scopes {
          for port in service.ports { add(.loadBalancer, address, port, inScope: scope) }
        }
      }
    }
    for address in service.externalIPs {
      for port in service.ports { add(.externalIP, address, port) }
    }
    return frontends
  }

  private func report(_ status: ServiceStatus, _ settings: Settings, _ findings: inout [Finding]) {
    let service = status.service
    func add(_ id: String, _ severity: Finding.Severity, _ message: String) {
      findings.append(Finding(id, severity, message, object: service.reference, at: service.location))
    }
    if service.selector != nil, status.backends.isEmpty, service.type != .externalName {
      add("no-endpoints", .warning, "its selector selects no pod with an address")
    }
    if !service.loadBalancerSourceRanges.isEmpty, !status.frontends.isEmpty {
      add("unmodelled", .unmodelled, "loadBalancerSourceRanges")
    }
    if service.trafficDistribution != nil, settings.loadBalancer.serviceTopology {
      add("unmodelled", .unmodelled, "trafficDistribution with loadBalancer.serviceTopology")
    }
    if service.type == .loadBalancer, service.loadBalancerIngress.isEmpty, settings.loadBalancer.ipam {
      add("no-external-address", .warning, "has no external address: its EXTERNAL-IP stays <pending>")
    }
    if settings.loadBalancer.algorithm == .maglev, status.frontends.contains(where: { $0.kind != .clusterIP })
    {
      add("unmodelled", .unmodelled, "loadBalancer.algorithm maglev")
    }
  }
}

extension CIDR {
  /// How far an address is from the first one; nil outside of the prefix, or past 2^64.
  func offset(of address: IPAddress) -> UInt64? {
    guard contains(address) else { return nil }
    switch (address, network) {
    case (.v4(let address), .v4(let first)): return UInt64(address.bits &- first.bits)
    case (.v6(let address), .v6(let first)):
      return address.high == first.high ? address.low &- first.low : nil
    default: return nil
    }
  }
}
