internal import MapABI

extension Run {
  /// `cil_to_netdev`: a packet leaves on a native device.
  mutating func toNetdev(_ state: borrowing NodeState) -> Outcome {
    let magic = markMagic
    let type = packet.load(12, as: UInt16.self).map(UInt16.init(bigEndian:)) ?? 0
    clearControlBlock()
    note(.stage(.netdev))
    var identity = Identity.unknown
    switch magic {
    case Mark.host, Mark.overlay, Mark.encrypt: identity = Identity.host
    case Mark.proxyEgress: identity = identityFromMark
    case Mark.identity where config.enable_identity_mark != 0: identity = identityFromMark
    default: break
    }
    var context = TraceContext(reason: .unknown, monitor: 0)
    do throws(Drop) {
      if config.enable_l7_lb != 0, magic == Mark.proxyEgressEndpoint {
        throw stopUnmodelled("L7 load balancing")
      }
      if config.enable_host_firewall != 0, magic != Mark.snatDone {
        try guardOutgoing(
          state, etherType: type, source: identity, isFromProxy: magic == Mark.proxyEgress, &context)
      }
      if config.enable_wireguard != 0 { throw stopUnmodelled("WireGuard") }
      let isOverlay = config.have_encap != 0 && magic == Mark.overlay
      if config.enable_nodeport != 0, magic != Mark.snatDone, !isOverlay,
        let outcome = try translateOutgoing(
          state, etherType: outgoingEtherType(type), source: identity, .toNetwork, &context)
      {
        return outcome
      }
      trace(
        .toNetwork, source: identity, destination: 0, ifindex: config.interface_ifindex, context,
        etherType: outgoingEtherType(type))
      return .pass
    } catch {
      return drop(error, at: .entry, source: identity, .egress)
    }
  }

  /// `handle_to_netdev_ipv4` and its kin: policies of the host, before a packet leaves.
  private mutating func guardOutgoing(
    _ state: borrowing NodeState, etherType: UInt16, source: UInt32, isFromProxy: Bool,
    _ context: inout TraceContext
  ) throws(Drop) {
    guard let type = supportedEtherType() else { throw Drop(.unsupportedL2) }
    switch type {
    case IPv6.etherType where config.enable_ipv6 != 0:
      try guardOutgoing(state, IPv6.self, source, isFromProxy, &context)
    case IPv4.etherType where config.enable_ipv4 != 0:
      try guardOutgoing(state, IPv4.self, source, isFromProxy, &context)
    case EtherType.arp where config.enable_ipv4 != 0: break
    default: throw Drop(.unknownL3)
    }
  }

  private mutating func guardOutgoing<F: IPFamily>(
    _ state: borrowing NodeState, _: F.Type, _ source: UInt32, _ isFromProxy: Bool,
    _ context: inout TraceContext
  ) throws(Drop) {
    try requireHeader(F.self)
    if F.isIPv6 {
      let transport = try F.transport(packet, l3: l3)
      if transport.protocol == IPProtocol.icmpv6 {
        switch hostFirewallICMPv6(try packet.require(transport.offset, as: UInt8.self)) {
        case .policy: break
        case .passes: return
        case .forbidden: throw Drop(.forbiddenIcmp6)
        }
      }
    }
    var byAddress = Identity.unknown
    let given = source == Identity.host ? source : Identity.unknown
    let own = try resolveSource(state, F.self, given, &byAddress)
    guard let connection = try trackHostEgress(state, F.self, source: own, byAddress: byAddress) else {
      return
    }
    try enforceHostEgress(
      state, connection, isHost: own == Identity.host, isFromProxy: isFromProxy, &context)
  }

  /// A device without Ethernet header has its ethertype in the metadata only.
  private func outgoingEtherType(_ inFrame: UInt16) -> UInt16 {
    config.eth_header_length == 0 ? etherType : inFrame
  }
}
