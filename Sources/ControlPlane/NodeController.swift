import Cluster
import Wire

/// What the operator and the agents have decided about nodes, and keep deciding the same way.
///
/// A node keeps its prefixes, its addresses and its numbers as long as its object exists.
struct NodeController: Sendable {
  /// The memory of one node.
  struct Record: Sendable {
    var podCIDRs: [CIDR] = []
    var pools: [AddressPool] = []
    var routers: [IPAddress] = []
    var health: [IPAddress] = []
    var endpointIDs = NumberSpace("endpoint", 1...65_535)
    var ifindexes = NumberSpace("ifindex", UInt64(Device.firstEndpointIndex)...4_095)
    var agentDown = false
    var failure: String?
  }

  private(set) var records: [String: Record] = [:]
  /// Facts, control planes first, then by name.
  private(set) var infos: [NodeInfo] = []
  /// Nodes of the API server with the addresses that were given to them, in the same order.
  private(set) var nodes: [Node] = []
  private var prefixPools: [AddressFamily: PrefixPool] = [:]
  private var nodeIDs = NumberSpace("node", 1...65_535)

  func info(_ name: String) -> NodeInfo? { infos.first { $0.name == name } }
  func node(_ name: String) -> Node? { nodes.first { $0.name == name } }

  mutating func setAgent(_ name: String, down: Bool) { records[name]?.agentDown = down }

  mutating func withRecord<Result>(_ name: String, _ body: (inout Record) -> Result) -> Result? {
    guard records[name] != nil else { return nil }
    return body(&records[name, default: Record()])
  }

  /// Brings memory and facts in line with the nodes that exist.
  mutating func reconcile(
    _ state: ClusterState, _ settings: Settings, _ options: DatapathOptions, _ network: ClusterNetwork,
    _ findings: inout [Finding]
  ) {
    var nodes = state.nodes.sorted { a, b in
      a.isControlPlane == b.isControlPlane ? a.name < b.name : a.isControlPlane
    }
    network.assignAddresses(to: &nodes, families: options.families)
    self.nodes = nodes
    for name in records.keys.sorted() where !nodes.contains(where: { $0.name == name }) { forget(name) }
    makePools(settings, network)
    for node in nodes where !node.podCIDRs.isEmpty {
      for cidr in node.podCIDRs { prefixPools[cidr.family]?.claim(cidr) }
    }
    for node in nodes { complete(node, settings, options) }
    infos = nodes.map { info(of: $0, options, network, settings) }
    for node in nodes {
      if let failure = records[node.name]?.failure {
        findings.append(
          Finding("agent-not-started", .warning, failure, object: node.reference, at: node.location))
      }
    }
  }

  private mutating func forget(_ name: String) {
    for cidr in records[name]?.podCIDRs ?? [] { prefixPools[cidr.family]?.release(cidr) }
    records[name] = nil
    nodeIDs.release(name)
  }

  private mutating func makePools(_ settings: Settings, _ network: ClusterNetwork) {
    guard prefixPools.isEmpty else { return }
    for family in AddressFamily.allCases {
      let (cidrs, mask) = NodeController.prefixes(family, settings, network)
      prefixPools[family] = PrefixPool(cidrs, maskSize: mask)
    }
  }

  /// Where the prefixes of nodes come from, and how long they are.
  private static func prefixes(
    _ family: AddressFamily, _ settings: Settings, _ network: ClusterNetwork
  ) -> ([CIDR], Int) {
    if settings.ipam.mode == .clusterPool || settings.ipam.mode == .multiPool {
      return family == .ipv4
        ? (settings.ipam.ipv4PodCIDRs, settings.ipam.ipv4MaskSize)
        : (settings.ipam.ipv6PodCIDRs, settings.ipam.ipv6MaskSize)
    }
    let cidrs = network.podCIDRs.filter { $0.family == family }
    let length = cidrs.first?.prefixLength ?? 0
    // kube-controller-manager's --node-cidr-mask-size as kubeadm sets it.
    let usual = family == .ipv4 ? 24 : 64
    return (cidrs, length <= usual ? usual : min(length + 8, family.bitWidth))
  }

  /// Gives a node what it lacks: prefix, router and health address of each family.
  private mutating func complete(_ node: Node, _ settings: Settings, _ options: DatapathOptions) {
    var record = records[node.name] ?? Record()
    record.failure = node.addresses.isEmpty ? "it has no address: its agent does not start" : nil
    let hasHealth = settings.features.healthChecking && settings.features.endpointHealthChecking
    for family in options.families {
      guard let index = pool(family, node, &record) else {
        record.failure = "no pod CIDR is left for \(family.rawValue): its agent does not start"
        continue
      }
      if !record.routers.contains(where: { $0.family == family }) {
        if let router = record.pools[index].allocate(for: "router") {
          record.routers.append(router)
        } else {
          record.failure = "unable to allocate router address: range is full: its agent does not start"
        }
      }
      if hasHealth, !record.health.contains(where: { $0.family == family }) {
        if let health = record.pools[index].allocate(for: "health") {
          record.health.append(health)
        } else {
          record.failure = "unable to allocate health address: range is full: its agent does not start"
        }
      }
    }
    records[node.name] = record
  }

  /// The position of a family's pool, made now if there is none and a prefix is left.
  private mutating func pool(_ family: AddressFamily, _ node: Node, _ record: inout Record) -> Int? {
    if let index = record.pools.firstIndex(where: { $0.cidr.family == family }) { return index }
    let pinned = node.podCIDRs.first { $0.family == family }
    guard let cidr = pinned ?? prefixPools[family]?.allocate() else { return nil }
    var pool = AddressPool(cidr)
    if let address = node.addresses.first(where: { $0.family == family }), cidr.contains(address) {
      _ = pool.claim(address, for: "node-ip")
    }
    record.podCIDRs.append(cidr)
    record.pools.append(pool)
    return record.pools.count - 1
  }

  private mutating func info(
    of node: Node, _ options: DatapathOptions, _ network: ClusterNetwork, _ settings: Settings
  ) -> NodeInfo {
    let name = node.name
    let agent: NodeInfo.Agent =
      if let failure = records[name]?.failure {
        .notStarted(failure)
      } else {
        records[name]?.agentDown == true ? .down : .up
      }
    let mtu = settings.routing.mtu > 0 ? settings.routing.mtu : network.mtu
    let overhead = options.tunnel ? (options.underlayIPv6 ? 70 : 50) : 0
    let hostEndpoint = records[name, default: Record()].endpointIDs.number(for: "host/\(name)") ?? 0
    return NodeInfo(
      name: name, addresses: node.addresses, podCIDRs: records[name]?.podCIDRs ?? [],
      routerAddresses: records[name]?.routers ?? [], healthAddresses: records[name]?.health ?? [],
      devices: NodeController.devices(name, options), mtu: mtu, routeMTU: mtu - overhead, zone: node.zone,
      isControlPlane: node.isControlPlane, agent: agent, hostEndpointID: UInt16(hostEndpoint),
      nodeID: UInt16(nodeIDs.number(for: name) ?? 0))
  }

  private static func devices(_ node: String, _ options: DatapathOptions) -> [Device] {
    func device(_ name: String, _ index: UInt32) -> Device {
      Device(
        name: name, ifindex: index, mac: MACAddress(bits: Numbers.macBits("mac", "\(node)/\(name)")))
    }
    var devices = [
      Device(name: "lo", ifindex: Device.loopbackIndex, mac: MACAddress(bits: 0)),
      device("eth0", Device.underlayIndex), device("cilium_net", Device.ciliumNetIndex),
      device("cilium_host", Device.ciliumHostIndex),
    ]
    if options.tunnel {
      devices.append(device("cilium_\(options.tunnelProtocol.rawValue)", Device.overlayIndex))
    }
    return devices
  }
}
