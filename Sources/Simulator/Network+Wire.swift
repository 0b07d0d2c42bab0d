import Datapath
import MapABI
import Wire

// Between the nodes: the segment, the router, the world.
extension Network where Observer: ~Copyable {
  /// A frame leaves a node's native device.
  mutating func putOnWire(_ flight: Flight, _ node: Int, _ device: NodeDevice) {
    guard let destination = FrameEdit.destinationMAC(flight.buffer.frame) else {
      return lose(flight, .malformed)
    }
    guard flight.buffer.frame.count - FrameEdit.ethernetLength <= topology.underlay.mtu else {
      return lose(flight, .tooBig)
    }
    if let other = topology.nodes.indices.first(where: { hasNativeDevice($0, destination) }) {
      // It has left the device, whatever becomes of it on the link: a sniffer there sees it.
      note(flight, .wire(to: topology.nodes[other].name), device: device.name)
      return cross(flight, from: node, to: other)
    }
    guard destination == topology.underlay.gatewayMAC else { return lose(flight, .noNeighbour) }
    var flight = flight
    note(flight, .wire(to: "router"), device: device.name)
    flight.node = nil
    flight.place = .router
    schedule(flight, after: Latency.wire)
  }

  private func hasNativeDevice(_ node: Int, _ mac: MACAddress) -> Bool {
    topology.nodes[node].devices.contains { $0.kind == .ethernet && $0.mac == mac }
  }

  /// From one node to another, by the link between them.
  private mutating func cross(_ flight: Flight, from: Int, to: Int) {
    var delay = Latency.wire
    let (a, b) = (topology.nodes[from].name, topology.nodes[to].name)
    for fault in faults where fault.concerns(a, b) {
      if fault.isDown { return lose(flight, .linkDown) }
      if let mtu = fault.mtu, flight.buffer.frame.count - FrameEdit.ethernetLength > mtu {
        return lose(flight, .tooBig)
      }
      if fault.filters.contains(where: { matches($0, flight.buffer.frame) }) {
        return lose(flight, .filteredOnLink)
      }
      if fault.lossPerMillion > 0, draw() % 1_000_000 < fault.lossPerMillion {
        return lose(flight, .lossyLink)
      }
      delay.nanoseconds &+= fault.delay.nanoseconds
    }
    guard let device = nodes[to].device(.ethernet) else { return lose(flight, .noRoute) }
    var flight = flight
    arrive(&flight, node: to, ifindex: device.ifindex)
    schedule(flight, after: delay)
  }

  /// Makes the packet a newly received one of that node.
  private func arrive(_ flight: inout Flight, node: Int, ifindex: UInt32) {
    flight.buffer = SocketBuffer(frame: flight.buffer.frame, ifindex: ifindex, ingressIfindex: ifindex)
    flight.node = node
    flight.place = .ingress(ifindex)
  }

  private func matches(_ filter: LinkFault.Filter, _ frame: [UInt8]) -> Bool {
    guard let packet = Packet(frame: frame), let pair = packet.socketPair else { return false }
    let number: IPProtocol =
      switch packet.body {
      case .tcp: .tcp
      case .udp: .udp
      case .sctp: .sctp
      default: .reserved
      }
    return number == filter.protocol && (filter.port == nil || filter.port == pair.remotePort)
  }

  /// A packet outside the nodes: at the router, or at an outside host.
  mutating func handleOutside(_ flight: Flight) {
    switch flight.place {
    case .router: routeOutside(flight)
    case .external(let host): deliver(flight, to: .external(host))
    default: lose(flight, .noRoute)
    }
  }

  private mutating func routeOutside(_ flight: Flight) {
    var flight = flight
    guard FrameEdit.decrementTTL(&flight.buffer.frame) else { return lose(flight, .ttlExpired) }
    guard let (_, destination) = FrameEdit.addresses(flight.buffer.frame) else {
      return lose(flight, .malformed)
    }
    if let host = topology.externals.firstIndex(where: { $0.addresses.contains(destination) }) {
      flight.place = .external(host)
      return schedule(flight, after: Latency.world)
    }
    guard let node = topology.nodes.firstIndex(where: { $0.addresses.contains(destination) }),
      let device = nodes[node].device(.ethernet)
    else { return lose(flight, .noRoute) }
    FrameEdit.setAddresses(
      &flight.buffer.frame, source: topology.underlay.gatewayMAC, destination: device.mac)
    note(flight, .wire(to: topology.nodes[node].name), device: device.name)
    arrive(&flight, node: node, ifindex: device.ifindex)
    schedule(flight, after: Latency.wire)
  }
}
