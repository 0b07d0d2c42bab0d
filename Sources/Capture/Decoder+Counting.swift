import Wire

extension Decoder {
  /// The long way: counts a packet by its dissection, and gives the number of its tunnel where it has one.
  /// `counts.packets` counts it already.
  @inline(never) @discardableResult
  mutating func count(_ dissection: TunnelDissection, _ packet: CapturedPacket) -> UInt32? {
    switch dissection {
    case .tunnel(let tunnel): return count(tunnel, packet)
    case .plain(let dsr): if dsr != nil { counts.dsr &+= 1 }
    case .laterFragment: counts.laterFragments &+= 1
    case .wireguard: counts.wireguard &+= 1
    case .ipsec: counts.ipsec &+= 1
    case .broken(let fault): note(fault, packet)
    case .unknownLinkType:
      if counts.unknownLinkType == 0 { note(.linkType, packet.offset, "\(packet.linkType) is not decoded") }
      counts.unknownLinkType &+= 1
    }
    return nil
  }

  private mutating func note(_ fault: Fault, _ packet: CapturedPacket) {
    let offset = packet.offset &+ UInt64(fault.offset)
    switch fault.kind {
    case .malformed:
      counts.malformed &+= 1
      note(.malformed, offset, "\(fault.reason)")
    case .truncated:
      counts.truncated &+= 1
      note(.truncated, offset, "\(fault.reason): \(packet.captured) of \(packet.original) octets captured")
    }
  }

  private mutating func count(_ tunnel: TunnelPacket, _ packet: CapturedPacket) -> UInt32 {
    counts.tunnel &+= 1
    if tunnel.vni == 0 {
      counts.vniZero &+= 1
      note(.vniZero, packet.offset, "\(tunnel.tunnel) packet with VNI 0: no identity")
    }
    var key = UInt64(tunnel.vni)
    if tunnel.tunnel == .geneve { key |= TunnelTable.geneve }
    if case .v6 = tunnel.source { key |= TunnelTable.ipv6 }
    let bytes = UInt64(tunnel.innerLength)
    let number = tunnels.count(ends: pair(tunnel.source, tunnel.destination), key: key, bytes: bytes)
    switch tunnel.inner {
    case .failure(let fault): note(fault, packet)
    case .success(let inner):
      let option = tunnel.dsr ?? inner.dsr
      if option != nil { counts.dsr &+= 1 }
      guard countsFlows else { return number }
      let key = flowKey(inner, tunnel: number)
      flows.count(key, bytes: bytes, time: packet.time)
      if let option, services.count < 4096, services[key] == nil { services[key] = option }
    }
    return number
  }

  private mutating func flowKey(_ inner: InnerPacket, tunnel: UInt32) -> FlowKey {
    let ends: UInt64
    switch (inner.source, inner.destination) {
    case (.ip(let source), .ip(let destination)): ends = pair(source, destination)
    case (.mac(let source), .mac(let destination)):
      ends = UInt64(addresses.number(source)) << 32 | UInt64(addresses.number(destination))
    default: ends = 0  // a frame has addresses of one kind
    }
    var ports = UInt64(inner.sourcePort) << 48 | UInt64(inner.destinationPort) << 32 | UInt64(tunnel)
    let kind: UInt64
    switch inner.kind {
    case .ipv4: kind = FlowKey.Kind.ipv4
    case .ipv6: kind = FlowKey.Kind.ipv6
    case .arp: kind = FlowKey.Kind.arp
    case .other(let type):
      kind = FlowKey.Kind.other
      ports |= UInt64(type) << 32
    }
    return FlowKey(ends: ends, ports: ports, kind: kind | UInt64(inner.transport))
  }

  private mutating func pair(_ source: IPAddress, _ destination: IPAddress) -> UInt64 {
    switch (source, destination) {
    case (.v4(let source), .v4(let destination)): UInt64(source.bits) << 32 | UInt64(destination.bits)
    case (.v6(let source), .v6(let destination)):
      UInt64(addresses.number(source)) << 32 | UInt64(addresses.number(destination))
    default: 0  // a packet has addresses of one family
    }
  }
}
