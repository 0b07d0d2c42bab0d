import Cluster
import ControlPlane
import Datapath
import MapABI
import Scenario
import Simulator
import Wire

/// The simulated world of a cluster: from what the control plane has decided to devices, addresses and names.
struct World {
  let controlPlane: ControlPlane
  let network: ClusterNetwork
  let externals: [ExternalHost]
  let dns: WorldDNS
  /// Every node that has ever been, in order of appearance: their places in the simulation never change.
  let nodeOrder: [String]
  /// Where Envoy is down.
  var envoysDown: Set<String> = []

  /// Pods and health endpoints, in the order of the simulation's list.
  var endpoints: [Endpoint] { controlPlane.endpoints }

  func topology(_ previous: Topology?) -> Topology {
    let nodes = nodeOrder.compactMap { name -> NodeSpec? in
      if let info = controlPlane.node(name) { return node(info) }
      return previous?.nodes.first { $0.name == name }
    }
    return Topology(
      nodes: nodes, pods: endpoints.compactMap(pod), externals: externals.map(external),
      underlay: UnderlaySpec(
        mtu: network.mtu, subnets: network.subnets.filter { !$0.nodes.isEmpty }.map(\.cidr)))
  }

  private func node(_ info: NodeInfo) -> NodeSpec {
    let options = controlPlane.options
    let masquerade = controlPlane.settings.masquerade
    var devices = info.devices.compactMap(device)
    devices += endpoints.filter { $0.node == info.name }.map { endpoint in
      NodeDevice(
        name: endpoint.device.name, ifindex: endpoint.device.ifindex, mac: endpoint.device.mac, kind: .lxc)
    }
    let encapsulation: NodeSpec.Tunnel.Encapsulation = options.tunnelProtocol == .vxlan ? .vxlan : .geneve
    return NodeSpec(
      name: info.name, devices: devices, addresses: info.addresses, routerAddresses: info.routerAddresses,
      podCIDRs: info.podCIDRs,
      tunnel: options.tunnel
        ? NodeSpec.Tunnel(encapsulation: encapsulation, port: options.tunnelPort) : nil,
      masqueradesIPv4: masquerade.ipv4 && !masquerade.bpf,
      masqueradesIPv6: masquerade.ipv6 && !masquerade.bpf,
      nativeCIDRs: [
        controlPlane.settings.routing.ipv4NativeCIDR, controlPlane.settings.routing.ipv6NativeCIDR,
      ].compactMap(\.self),
      endpointRoutes: options.endpointRoutes, nativeRouting: !options.tunnel,
      listeners: listeners(on: info), proxies: proxies(on: info),
      image: controlPlane.image(of: info.name) ?? MapImage(node: info.name))
  }

  private func device(_ device: ControlPlaneDevice) -> NodeDevice? {
    let kind: NodeDevice.Kind
    switch device.ifindex {
    case ControlPlaneDevice.underlayIndex: kind = .ethernet
    case ControlPlaneDevice.ciliumNetIndex: kind = .ciliumNet
    case ControlPlaneDevice.ciliumHostIndex: kind = .ciliumHost
    case ControlPlaneDevice.overlayIndex: kind = .tunnel
    default: return nil
    }
    return NodeDevice(name: device.name, ifindex: device.ifindex, mac: device.mac, kind: kind)
  }

  /// Envoy runs on its own or in the agent's pod; the DNS proxy is the agent.
  private func proxies(on info: NodeInfo) -> [ProxySpec] {
    let settings = controlPlane.settings
    guard settings.policy.l7Proxy else { return [] }
    let ports = ProxyPorts(node: info.name)
    let agentRuns = info.agent == .up
    let envoyRuns =
      !envoysDown.contains(info.name) && (settings.features.envoyDaemonSet || agentRuns)
    return ProxyListener.all.map { listener in
      ProxySpec(
        listener, port: ports[listener], isUp: listener.parser == .dns ? agentRuns : envoyRuns)
    }
  }

  /// What answers at a node's own addresses: the kubelet, the API server, and pods in the host's network.
  private func listeners(on info: NodeInfo) -> [Listener] {
    var listeners = [Listener(port: 10_250, protocol: .tcp, service: .plain)]
    if info.isControlPlane { listeners.append(Listener(port: 6443, protocol: .tcp, service: .plain)) }
    for pod in controlPlane.pods where pod.node == info.name && pod.pod.spec.hostNetwork {
      listeners += pod.listening.map { listener($0, of: pod.id.description) }
    }
    return listeners
  }

  private func pod(_ endpoint: Endpoint) -> Simulator.PodSpec? {
    guard let info = controlPlane.node(endpoint.node) else { return nil }
    return Simulator.PodSpec(
      name: endpoint.name, node: endpoint.node, ifindex: endpoint.device.ifindex, mac: endpoint.containerMAC,
      hostMAC: endpoint.device.mac, addresses: endpoint.addresses,
      listeners: endpoint.listening.map { listener($0, of: endpoint.name) },
      nameserver: nameserver(for: endpoint), routeMTU: info.routeMTU)
  }

  private func nameserver(for endpoint: Endpoint) -> IPAddress? {
    guard endpoint.pod != nil else { return nil }
    let dns = controlPlane.services.first {
      $0.id == NamespacedName(namespace: "kube-system", name: "kube-dns")
    }
    return dns?.clusterIPs.first { address in endpoint.addresses.contains { $0.family == address.family } }
  }

  /// TCP servers speak HTTP and say who they are; CoreDNS answers names; the rest echoes.
  private func listener(_ port: ListeningPort, of name: String) -> Listener {
    let isDNS = name.hasPrefix("kube-system/coredns")
    let service: Listener.Service
    switch port.transport {
    case .tcp: service = isDNS ? .plain : .http(HTTPBehaviour(body: "\(name)\n"))
    case .udp: service = isDNS && port.number == 53 ? .dns : .plain
    case .sctp: service = .plain
    }
    return Listener(
      port: port.number, protocol: IPProtocol(rawValue: port.transport.number), service: service)
  }

  private func external(_ host: ExternalHost) -> ExternalSpec {
    ExternalSpec(
      name: host.name, addresses: host.addresses,
      listeners: host.servers.map { server in
        var statuses: [String: Int] = [:]
        for entry in server.statuses { statuses[entry.path] = entry.status }
        let service: Listener.Service =
          server.transport == .tcp
          ? .http(HTTPBehaviour(statuses: statuses, body: "external/\(host.name)\n")) : .plain
        return Listener(
          port: server.port, protocol: IPProtocol(rawValue: server.transport.number), service: service)
      })
  }

  /// What CoreDNS answers: services, pods of headless services, and the world's names.
  func names() -> NameTable {
    var records: [String: [IPAddress]] = [:]
    for record in dns.records { if let addresses = record.addresses { records[record.name] = addresses } }
    for service in controlPlane.services {
      let name = "\(service.id.name).\(service.id.namespace).svc.cluster.local"
      if service.clusterIPs.isEmpty {
        records[name] = service.backends.filter { $0.state == .active }.map(\.address)
      } else {
        records[name] = service.clusterIPs
      }
    }
    let ttl = dns.ttl.map { UInt32(clamping: $0.nanoseconds / 1_000_000_000) } ?? 30
    return NameTable(records: records, ttl: ttl)
  }

  /// Names for what stands in journeys as numbers.
  func nameBook() -> NameBook {
    var book = NameBook()
    for identity in controlPlane.identities {
      book.identities[identity.number] = Self.shortName(identity.labels)
      book.labels[identity.number] = identity.labels.labels.map { label in
        "\(label.source):\(label.key)" + (label.value.isEmpty ? "" : "=\(label.value)")
      }
    }
    for info in controlPlane.nodes {
      for device in info.devices { book.devices["\(info.name)/\(device.ifindex)"] = device.name }
      for address in info.addresses + info.routerAddresses {
        book.addresses["\(address)"] = "node/\(info.name)"
      }
      book.endpoints["\(info.name)/\(info.hostEndpointID)"] = "host"
    }
    for endpoint in endpoints {
      book.devices["\(endpoint.node)/\(endpoint.device.ifindex)"] = "lxc(\(endpoint.name))"
      book.endpoints["\(endpoint.node)/\(endpoint.id)"] = endpoint.name
      for address in endpoint.addresses { book.addresses["\(address)"] = endpoint.name }
    }
    for service in controlPlane.services {
      for address in service.clusterIPs { book.addresses["\(address)"] = "svc/\(service.id)" }
    }
    return book
  }

  /// The labels that tell an identity from others: those of the pod itself, or its reserved name.
  private static func shortName(_ labels: IdentityLabels) -> String {
    if let reserved = labels.labels.first(where: { $0.source == "reserved" }) { return reserved.key }
    let own = labels.labels.filter {
      $0.source == "k8s" && !$0.key.contains("io.cilium.k8s") && !$0.key.hasPrefix("io.kubernetes")
    }
    if !own.isEmpty { return own.map { "\($0.key)=\($0.value)" }.joined(separator: ",") }
    let namespace = labels.labels.first { $0.key == "io.kubernetes.pod.namespace" }?.value ?? ""
    return labels.labels.contains { $0.source == "cidr" }
      ? labels.labels.map { "\($0.key)" }.joined(separator: ",") : "no labels, namespace \(namespace)"
  }
}
