import Datapath
import MapABI
import Wire

// The node's IP stack between the hooks: local delivery, forwarding, netfilter's masquerading. Simulated, not compared.
extension Network where Observer: ~Copyable {
  /// A packet that a device's ingress hook let through.
  mutating func handleStack(_ flight: Flight, _ node: Int, from ifindex: UInt32) {
    let runtime = nodes[node]
    guard flight.buffer.packetType != .otherHost else { return lose(flight, .notForThisHost) }
    guard let (_, destination) = FrameEdit.addresses(flight.buffer.frame) else {
      // ARP and neighbour discovery are resolved beforehand; nothing else but IP concerns the simulated stack.
      return lose(flight, .malformed)
    }
    if divertToProxy(flight, node) { return }
    guard isLocal(destination, runtime.spec) else { return forward(flight, node) }
    if let tunnel = runtime.spec.tunnel, runtime.spec.addresses.contains(destination),
      Self.udpDestinationPort(flight.buffer.frame) == tunnel.port
    {
      return decapsulate(flight, node)
    }
    if let pod = unmasquerade(flight.buffer.frame, node) {
      return forwardUnmasqueraded(flight, node, to: pod)
    }
    deliver(flight, to: .node(node))
  }

  private func isLocal(_ address: IPAddress, _ spec: NodeSpec) -> Bool {
    spec.addresses.contains(address) || spec.routerAddresses.contains(address)
  }

  /// Routes a packet that is for somebody else.
  private mutating func forward(_ flight: Flight, _ node: Int) {
    var flight = flight
    guard FrameEdit.decrementTTL(&flight.buffer.frame) else { return lose(flight, .ttlExpired) }
    guard let (source, destination) = FrameEdit.addresses(flight.buffer.frame) else {
      return lose(flight, .malformed)
    }
    if !isTrackedReply(flight.buffer.frame, node) {
      masquerade(&flight, node, source: source, destination: destination)
    }
    transmitRouted(flight, node, to: destination)
  }

  /// Routes a packet that the node itself made.
  mutating func routeOutput(_ flight: Flight, _ node: Int) {
    guard let (source, destination) = FrameEdit.addresses(flight.buffer.frame) else {
      return lose(flight, .malformed)
    }
    if isLocal(destination, nodes[node].spec) {
      if divertToProxy(flight, node) { return }
      return deliver(flight, to: .node(node))
    }
    var flight = flight
    if flight.buffer.mark == 0 {
      // The agent's netfilter rule marks what local processes send, so that the hooks know it.
      flight.buffer.mark = MARK_MAGIC_HOST.rawValue
    } else {
      // A proxy that speaks for a pod uses the pod's address.
      masquerade(&flight, node, source: source, destination: destination)
    }
    transmitRouted(flight, node, to: destination)
  }

  /// Chooses the device by the routing table, writes the addresses of the link, and hands the packet over.
  mutating func transmitRouted(_ flight: Flight, _ node: Int, to destination: IPAddress) {
    var flight = flight
    let spec = nodes[node].spec
    guard let route = route(spec, to: destination), let device = nodes[node].device(route.ifindex) else {
      return lose(flight, .noRoute)
    }
    guard let nextHop = neighbour(spec, device, route.nextHop ?? destination) else {
      return lose(flight, .noNeighbour)
    }
    FrameEdit.setAddresses(&flight.buffer.frame, source: device.mac, destination: nextHop)
    flight.buffer.ingressIfindex = 0
    flight.buffer.packetType = .outgoing
    note(flight, .routed(to: device.name), device: device.name)
    flight.place = .egress(device.ifindex)
    schedule(flight, after: Latency.stack)
  }

  private struct Route {
    var ifindex: UInt32
    var nextHop: IPAddress?
  }

  /// The node's routes, as the agent installs them: pod prefixes by cilium_host (or the underlay, or each pod's own
  /// device), the rest by the native device.
  private func route(_ spec: NodeSpec, to destination: IPAddress) -> Route? {
    if spec.endpointRoutes,
      let pod = topology.pods.first(where: { $0.node == spec.name && $0.addresses.contains(destination) })
    {
      return Route(ifindex: pod.ifindex)
    }
    let host = spec.devices.first { $0.kind == .ciliumHost }
    let native = spec.devices.first { $0.kind == .ethernet }
    if spec.podCIDRs.contains(where: { $0.contains(destination) }) {
      return host.map { Route(ifindex: $0.ifindex) }
    }
    if let other = topology.nodes.first(where: { $0.podCIDRs.contains { $0.contains(destination) } }) {
      guard spec.nativeRouting else { return host.map { Route(ifindex: $0.ifindex) } }
      guard let via = other.addresses.first(where: { $0.family == destination.family }) else { return nil }
      return native.map { Route(ifindex: $0.ifindex, nextHop: via) }
    }
    guard spec.addresses.contains(where: { $0.family == destination.family }) else { return nil }
    return native.map { Route(ifindex: $0.ifindex) }
  }

  /// The address that a stack sends from.
  ///
  /// A node's routes to pod prefixes name the address of cilium_host as their source: so a node's packet to a pod
  /// elsewhere gets its answer through the tunnel.
  /// Source: Cilium `pkg/datapath/linux/node.go` (createNodeRouteSpec).
  func sourceAddress(of stack: StackID, for destination: IPAddress) -> IPAddress? {
    if case .node(let index) = stack {
      let spec = topology.nodes[index]
      let host = spec.devices.first { $0.kind == .ciliumHost }
      if let host, route(spec, to: destination)?.ifindex == host.ifindex,
        let router = spec.routerAddresses.first(where: { $0.family == destination.family && !$0.isLinkLocal })
      {
        return router
      }
    }
    return stacks[stack]?.addresses.first { $0.family == destination.family && !$0.isLinkLocal }
  }

  /// The link address to send to. Neighbours are taken as resolved: ARP and NDP have been answered before.
  private func neighbour(_ spec: NodeSpec, _ device: NodeDevice, _ address: IPAddress) -> MACAddress? {
    switch device.kind {
    // cilium_host is NOARP: the kernel writes the device's own address.
    case .ciliumHost, .ciliumNet, .tunnel: return device.mac
    case .lxc: return topology.pods.first { $0.node == spec.name && $0.ifindex == device.ifindex }?.mac
    case .ethernet:
      guard let other = topology.nodes.first(where: { $0.addresses.contains(address) }) else {
        return topology.underlay.gatewayMAC
      }
      guard onOneSegment(spec, other) else { return topology.underlay.gatewayMAC }
      return other.devices.first { $0.kind == .ethernet }?.mac
    }
  }

  /// Whether two nodes reach each other without the router.
  func onOneSegment(_ a: NodeSpec, _ b: NodeSpec) -> Bool {
    guard !topology.underlay.subnets.isEmpty else { return true }
    return topology.underlay.subnets.contains { subnet in
      a.addresses.contains { subnet.contains($0) } && b.addresses.contains { subnet.contains($0) }
    }
  }

  private static func udpDestinationPort(_ frame: [UInt8]) -> UInt16? {
    let transport: Int
    switch FrameEdit.etherType(frame) {
    case 0x0800 where frame.count >= 34 && frame[23] == 17: transport = 14 + Int(frame[14] & 15) * 4
    case 0x86dd where frame.count >= 54 && frame[20] == 17: transport = 54
    default: return nil
    }
    guard frame.count >= transport + 8 else { return nil }
    return UInt16(frame[transport + 2]) << 8 | UInt16(frame[transport + 3])
  }
}

// Netfilter's MASQUERADE, as Cilium's iptables rules ask for it when eBPF does not do it.
extension Network where Observer: ~Copyable {
  /// Whether netfilter has seen the first packet of the connection go the other way: the nat table is asked about
  /// first packets only. Remembers the connection otherwise.
  private mutating func isTrackedReply(_ frame: [UInt8], _ node: Int) -> Bool {
    guard let pair = Packet(frame: frame)?.socketPair else { return false }
    let reply = SocketPair(
      local: pair.remote, localPort: pair.remotePort, remote: pair.local, remotePort: pair.localPort)
    if nodes[node].tracked.contains(reply) { return true }
    nodes[node].tracked.insert(pair)
    return false
  }

  /// Replaces the source of a pod's packet that leaves the cluster by the node's address.
  private mutating func masquerade(
    _ flight: inout Flight, _ node: Int, source: IPAddress, destination: IPAddress
  ) {
    let spec = nodes[node].spec
    guard source.family == .ipv4 ? spec.masqueradesIPv4 : spec.masqueradesIPv6 else { return }
    guard spec.podCIDRs.contains(where: { $0.contains(source) }) else { return }
    let isInside =
      topology.nodes.contains { $0.podCIDRs.contains { $0.contains(destination) } }
      || spec.nativeCIDRs.contains { $0.contains(destination) }
      || spec.nativeRouting && topology.nodes.contains { $0.addresses.contains(destination) }
    guard !isInside, let address = spec.addresses.first(where: { $0.family == source.family }) else { return }
    guard var packet = Packet(frame: flight.buffer.frame), let pair = packet.socketPair else { return }
    packet.source = address
    nodes[node].masquerades[
      SocketPair(
        local: address, localPort: pair.localPort, remote: destination, remotePort: pair.remotePort)] = source
    guard let frame = packet.frame(from: MACAddress(bits: 0), to: MACAddress(bits: 0)) else { return }
    flight.buffer.frame = frame
    note(flight, .masqueraded(address))
  }

  /// The pod that a packet to the node's address is really for.
  private func unmasquerade(_ frame: [UInt8], _ node: Int) -> IPAddress? {
    guard let packet = Packet(frame: frame), let pair = packet.socketPair else { return nil }
    return nodes[node].masquerades[
      SocketPair(
        local: pair.remote, localPort: pair.remotePort, remote: pair.local, remotePort: pair.localPort)]
  }

  private mutating func forwardUnmasqueraded(_ flight: Flight, _ node: Int, to pod: IPAddress) {
    guard var packet = Packet(frame: flight.buffer.frame) else { return lose(flight, .malformed) }
    packet.destination = pod
    if case .error(let kind, let quoted) = packet.body {
      packet.body = .error(kind, quoted: Packet.replacingSource(ofQuoted: quoted, by: pod))
    }
    guard let frame = packet.frame(from: MACAddress(bits: 0), to: MACAddress(bits: 0)) else {
      return lose(flight, .malformed)
    }
    var flight = flight
    flight.buffer.frame = frame
    note(flight, .unmasqueraded(pod))
    forward(flight, node)
  }
}

extension Packet {
  /// Sender's and receiver's ends; for echo messages the identifier stands for the sender's port, for errors the
  /// ends of the packet that they quote count, reversed.
  var socketPair: SocketPair? {
    switch body {
    case .tcp(let header, _):
      return SocketPair(
        local: source, localPort: header.sourcePort, remote: destination, remotePort: header.destinationPort)
    case .udp(let sourcePort, let destinationPort, _):
      return SocketPair(
        local: source, localPort: sourcePort, remote: destination, remotePort: destinationPort)
    case .sctp(let header, _):
      return SocketPair(
        local: source, localPort: header.sourcePort, remote: destination, remotePort: header.destinationPort)
    case .echo(let request, let identifier, _, _):
      return SocketPair(
        local: source, localPort: request ? identifier : 0, remote: destination,
        remotePort: request ? 0 : identifier)
    case .error(_, let quoted):
      guard let inner = Packet.quotedPair(quoted) else { return nil }
      return SocketPair(
        local: inner.remote, localPort: inner.remotePort, remote: inner.local, remotePort: inner.localPort)
    case .other: return nil
    }
  }

  /// The ends of the packet that an ICMP error quotes: of its IP header and the first octets behind it.
  static func quotedPair(_ quoted: [UInt8]) -> SocketPair? {
    guard let first = quoted.first else { return nil }
    let isIPv4 = first >> 4 == 4
    let frame = [UInt8](repeating: 0, count: 12) + (isIPv4 ? [0x08, 0x00] : [0x86, 0xdd]) + quoted
    guard let (source, destination) = FrameEdit.addresses(frame) else { return nil }
    let transport = isIPv4 ? 14 + Int(first & 15) * 4 : 54
    let number = isIPv4 ? frame[23] : frame[20]
    guard frame.count >= transport + 4 else { return nil }
    func word(_ offset: Int) -> UInt16 { UInt16(frame[offset]) << 8 | UInt16(frame[offset + 1]) }
    if number == 1 || number == 58 {
      guard frame.count >= transport + 6 else { return nil }
      return SocketPair(local: source, localPort: word(transport + 4), remote: destination, remotePort: 0)
    }
    return SocketPair(
      local: source, localPort: word(transport), remote: destination, remotePort: word(transport + 2))
  }

  /// A quoted IPv4 packet with another source, its header checksum put right.
  static func replacingSource(ofQuoted quoted: [UInt8], by source: IPAddress) -> [UInt8] {
    var quoted = quoted
    switch source {
    case .v4(let address) where quoted.count >= 20:
      let old = quoted[12..<16].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      let sum = Checksum.update(UInt16(quoted[10]) << 8 | UInt16(quoted[11]), from: old, to: address.bits)
      quoted.replaceSubrange(12..<16, with: address.octets)
      quoted[10] = UInt8(sum >> 8)
      quoted[11] = UInt8(sum & 255)
    case .v6(let address) where quoted.count >= 40: quoted.replaceSubrange(8..<24, with: address.octets)
    default: break
    }
    return quoted
  }
}
