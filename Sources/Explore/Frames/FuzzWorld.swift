import Cluster
import ControlPlane
public import Datapath
public import MapABI
public import Wire

/// A small cluster, and one of its nodes with everything that its agent renders: what frames are thrown at.
public struct FuzzWorld: Sendable {
  public let name: String
  public let image: MapImage
  /// The node's own endpoints.
  let locals: [Station]
  /// Pods of other nodes, nodes, routers, the world.
  let others: [Station]
  /// Where services answer: cluster IPs, node ports, and a port that no service has.
  let frontends: [(address: IPAddress, port: UInt16)]

  /// Somebody with addresses.
  struct Station: Sendable {
    /// A pod's name; empty for others.
    var name = ""
    var addresses: [IPAddress]
    var identity: UInt32 = 0
    /// The index of its device on this node; 0 if it has none.
    var ifindex: UInt32 = 0
    var mac = MACAddress(bits: 0x0242_ac12_00fe)
    var hostMAC = MACAddress(bits: 0x0242_ac12_0001)

    func address(_ family: AddressFamily) -> IPAddress? { addresses.first { $0.family == family } }
  }
}

extension FuzzWorld {
  /// Every hook of tc and XDP is attached in one of them at least.
  public static func all() -> [FuzzWorld] {
    [world("vxlan") { _ in }, world("endpoint routes, geneve", endpointRoutes)]
  }

  private static func endpointRoutes(_ settings: inout Settings) {
    settings.routing.endpointRoutes = true
    settings.routing.tunnelProtocol = .geneve
    settings.bpf.monitorAggregation = .none
    settings.bpf.ctAccounting = true
    settings.features.sctp = true
    settings.loadBalancer.acceleration = .native
  }

  private static func world(_ name: String, _ change: (inout Settings) -> Void) -> FuzzWorld {
    let kind = KindConfiguration(
      machines: [.init(role: .controlPlane), .init(role: .worker), .init(role: .worker)], ipFamily: .dual,
      kubeProxy: false)
    var settings = Settings()
    settings.ipam.mode = .kubernetes
    settings.kubeProxyReplacement.enabled = true
    settings.kubeProxyReplacement.socketLBHostNamespaceOnly = true
    settings.ipv6Enabled = true
    change(&settings)
    var plane = ControlPlane(settings: settings, network: kind.network)
    _ = plane.reconcile(ClusterState(kind.nodes.map(ClusterObject.node) + objects))
    return FuzzWorld(name, plane, node: "kind-worker")
  }

  init(_ name: String, _ plane: ControlPlane, node: String) {
    self.name = name
    var image = plane.image(of: node) ?? MapImage(node: node)
    if let xdp = image.attachments.firstIndex(where: { $0.hook == .xdpEntry }) {
      image.attachments[xdp].config.enable_xdp_prefilter = 1
    }
    image.attachments.removeAll { $0.hook.kind == .socket }
    self.image = image
    locals = plane.endpoints(on: node).map { endpoint in
      Station(
        name: endpoint.pod?.name ?? "", addresses: endpoint.addresses, identity: endpoint.identity,
        ifindex: endpoint.device.ifindex,
        mac: endpoint.containerMAC, hostMAC: endpoint.device.mac)
    }
    let remote = plane.endpoints.filter { $0.node != node }.map {
      Station(name: $0.pod?.name ?? "", addresses: $0.addresses, identity: $0.identity)
    }
    let nodes = plane.nodes.flatMap { node in
      [
        Station(addresses: node.addresses, identity: node.name == image.node ? 1 : 6),
        Station(addresses: node.routerAddresses, identity: node.name == image.node ? 1 : 6),
      ]
    }
    others = remote + nodes + [Station(addresses: Self.addresses("203.0.113.9", "2001:db8::9"), identity: 2)]
    frontends = plane.services.flatMap { service in
      service.frontends.map { ($0.address, $0.port) }
        + service.clusterIPs.map { ($0, UInt16(9)) }
    }
  }

  static func addresses(_ texts: String...) -> [IPAddress] { texts.compactMap { IPAddress($0) } }
}

extension FuzzWorld {
  /// A TCP SYN over IPv4 as it leaves a pod of the node, and the program that sees it; nil when there are no such
  /// pods.
  public func syn(
    from client: String, to server: String, port: UInt16, sourcePort: UInt16 = 40_000
  ) -> (attachment: Attachment, input: HookInput)? {
    guard let sender = locals.first(where: { $0.name == client }), let source = sender.address(.ipv4),
      let target = (locals + others).first(where: { $0.name == server })?.address(.ipv4),
      let attachment = image.attachment(.fromContainer, ifindex: sender.ifindex),
      let packet = RawFrame.packet(source, target, .tcp(source: sourcePort, destination: port, flags: 2))
    else { return nil }
    let frame = RawFrame.ethernet(sender.mac, sender.hostMAC, 0x0800, packet)
    let buffer = SocketBuffer(frame: frame, ifindex: sender.ifindex, ingressIfindex: sender.ifindex)
    return (
      attachment,
      HookInput(.skb(buffer), environment: Environment(ktime: Instant.start.ktime, random: 7))
    )
  }

  /// The endpoint id and the identity of a pod of the node.
  public func endpoint(_ name: String) -> (id: UInt16, identity: UInt32, address: IPAddress)? {
    guard let station = locals.first(where: { $0.name == name }), let address = station.address(.ipv4),
      let info = image.maps.endpoints[EndpointKey(address)]
    else { return nil }
    return (info.lxc_id, station.identity, address)
  }

  private static var objects: [ClusterObject] {
    [
      pod("client", on: "kind-worker"), pod("server", on: "kind-worker"), pod("open", on: "kind-worker"),
      pod("remote", on: "kind-worker2"),
      service("web", [ServicePort(name: "http", 80, target: .number(8080), nodePort: 30_080)]) {
        $0.type = .nodePort
        $0.sessionAffinity = .init(timeoutSeconds: 100)
      },
      service("dns", [ServicePort(53, target: .number(5353), .udp)]) { _ in },
      service("empty", [ServicePort(80)]) { $0.selector = ["app": "nobody"] },
      policy(
        "server",
        PolicyRule(
          ingress: [
            TrafficRule(
              peers: PolicyPeers(endpoints: [selector("client")]),
              toPorts: [PortRule(ports: [PortProtocol(.number(8080), .tcp)])]),
            TrafficRule(peers: PolicyPeers(entities: [Located(.host), Located(.world)])),
            TrafficRule(icmps: [ICMPRule(fields: [.init(type: 8), .init(family: .ipv6, type: 128)])]),
          ],
          ingressDeny: [TrafficRule(peers: PolicyPeers(endpoints: [selector("remote")]))])),
      policy(
        "client",
        PolicyRule(egress: [
          TrafficRule(
            peers: PolicyPeers(endpoints: [LabelSelector()]),
            toPorts: [PortRule(ports: [PortProtocol(.number(5000), endPort: 9000)])]),
          TrafficRule(
            peers: PolicyPeers(cidrs: ["203.0.113.0/24"].compactMap { CIDR($0) }.map { Located($0) })),
        ])),
    ]
  }

  private static func selector(_ app: String) -> LabelSelector { LabelSelector(matchLabels: ["app": app]) }

  private static func pod(_ name: String, on node: String) -> ClusterObject {
    .pod(
      Pod(
        metadata: Metadata(namespace: "default", name: name, labels: ["app": name, "role": "pod"]),
        spec: PodSpec(containers: [Container(name: "main")], nodeName: node)))
  }

  private static func service(
    _ name: String, _ ports: [ServicePort], _ change: (inout Service) -> Void
  ) -> ClusterObject {
    var service = Service(
      metadata: Metadata(namespace: "default", name: name), ports: ports, selector: ["role": "pod"])
    service.ipFamilyPolicy = .preferDualStack
    change(&service)
    return .service(service)
  }

  private static func policy(_ app: String, _ rule: PolicyRule) -> ClusterObject {
    var rule = rule
    rule.endpointSelector = selector(app)
    return .ciliumPolicy(
      CiliumNetworkPolicy(metadata: Metadata(namespace: "default", name: app), rules: [rule]))
  }
}
