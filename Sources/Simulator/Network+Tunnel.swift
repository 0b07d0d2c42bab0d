import Datapath
import MapABI
import Wire

// The tunnel device: what Linux's vxlan and geneve drivers do in collect-metadata mode.
extension Network where Observer: ~Copyable {
  /// Writes the outer headers of the packet's tunnel key, and hands it to the node's native device.
  mutating func encapsulate(_ flight: Flight, _ node: Int, _ device: NodeDevice) {
    let spec = nodes[node].spec
    // Without metadata (neighbour discovery on the device itself, say) the driver has nowhere to send it.
    guard let tunnel = spec.tunnel, let key = flight.buffer.tunnelKey else { return lose(flight, .noRoute) }
    guard let source = spec.addresses.first(where: { $0.family == key.remote.family }) else {
      return lose(flight, .noRoute)
    }
    var flight = flight
    guard
      let frame = Tunnel.encapsulate(
        flight.buffer.frame, key: key, tunnel: tunnel, from: source,
        identification: nextIdentification(.node(node)))
    else { return lose(flight, .malformed) }
    flight.buffer.frame = frame
    flight.buffer.tunnelKey = nil
    note(flight, .encapsulated(vni: key.id, from: source, to: key.remote), device: device.name)
    transmitRouted(flight, node, to: key.remote)
  }

  /// Takes the outer headers off a packet for the node's tunnel port; it appears on the tunnel device.
  mutating func decapsulate(_ flight: Flight, _ node: Int) {
    guard let inner = Tunnel.decapsulate(flight.buffer.frame), let device = nodes[node].device(.tunnel) else {
      return lose(flight, .malformed)
    }
    var flight = flight
    flight.buffer.frame = inner.frame
    flight.buffer.tunnelKey = inner.key
    flight.buffer.packetType =
      FrameEdit.destinationMAC(inner.frame) == device.mac ? .host : .otherHost
    note(flight, .decapsulated(vni: inner.key.id), device: device.name)
    flight.place = .ingress(device.ifindex)
    schedule(flight, after: Latency.stack)
  }

  mutating func nextIdentification(_ stack: StackID) -> UInt16 {
    defer { stacks[stack]?.identification &+= 1 }
    return stacks[stack]?.identification ?? 0
  }
}

/// Outer headers as Linux writes and reads them.
public enum Tunnel {
  /// The frame inside UDP, VXLAN or Geneve, with room for an Ethernet header whose addresses are zero.
  ///
  /// TTL 64 when the key has 0; UDP checksum 0 over IPv4 and IPv6 alike, as Cilium asks for; DF clear. The source
  /// port comes from the inner flow, in the kernel's default local range (`udp_flow_src_port`).
  public static func encapsulate(
    _ frame: [UInt8], key: TunnelKey, tunnel: NodeSpec.Tunnel, from source: IPAddress, identification: UInt16
  ) -> [UInt8]? {
    var layers: [Layer] = [
      .ethernet(EthernetHeader(destination: MACAddress(bits: 0), source: MACAddress(bits: 0)))
    ]
    let ttl = key.ttl == 0 ? 64 : key.ttl
    switch (source, key.remote) {
    case (.v4(let source), .v4(let remote)):
      var header = IPv4Header(source: source, destination: remote, timeToLive: ttl)
      header.typeOfService = key.tos
      header.identification = identification
      layers.append(.ipv4(header))
    case (.v6(let source), .v6(let remote)):
      layers.append(.ipv6(IPv6Header(source: source, destination: remote, hopLimit: ttl)))
    default: return nil
    }
    layers.append(.udp(UDPHeader(sourcePort: sourcePort(frame), destinationPort: tunnel.port)))
    switch tunnel.encapsulation {
    case .vxlan: layers.append(.vxlan(VXLANHeader(vni: key.id)))
    case .geneve:
      var header = GeneveHeader(vni: key.id)
      header.options = GeneveOptions(octets: key.options)
      layers.append(.geneve(header))
    }
    return try? Frame.build(layers, payload: frame)
  }

  /// The inner frame, and the key that the tunnel device attaches to it.
  static func decapsulate(_ frame: [UInt8]) -> (frame: [UInt8], key: TunnelKey)? {
    guard let (source, _) = FrameEdit.addresses(frame) else { return nil }
    let udp = FrameEdit.etherType(frame) == 0x0800 ? 14 + Int(frame[14] & 15) * 4 : 54
    guard frame.count >= udp + 16 else { return nil }
    let start = udp + 8
    let vni = UInt32(frame[start + 4]) << 16 | UInt32(frame[start + 5]) << 8 | UInt32(frame[start + 6])
    let isVXLAN = frame[start] & 0x08 != 0 && frame[start + 2] == 0 && frame[start + 3] == 0
    let optionsLength = isVXLAN ? 0 : Int(frame[start] & 0x3f) * 4
    let inner = start + 8 + optionsLength
    guard frame.count >= inner + FrameEdit.ethernetLength else { return nil }
    let ttl = FrameEdit.etherType(frame) == 0x0800 ? frame[22] : frame[21]
    return (
      Array(frame[inner...]),
      TunnelKey(
        id: vni, remote: source, tos: 0, ttl: ttl, options: Array(frame[start + 8..<inner]))
    )
  }

  static func sourcePort(_ frame: [UInt8]) -> UInt16 {
    var hash = FrameEdit.flowHash(frame)
    hash ^= hash << 16
    let low: UInt64 = 32768
    let high: UInt64 = 60999
    return UInt16(truncatingIfNeeded: (UInt64(hash) * (high - low)) >> 32 + low)
  }
}
