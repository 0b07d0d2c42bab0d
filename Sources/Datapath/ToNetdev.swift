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
      if config.enable_host_firewall != 0 { throw stopUnmodelled("host firewall") }
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

  /// A device without Ethernet header has its ethertype in the metadata only.
  private func outgoingEtherType(_ inFrame: UInt16) -> UInt16 {
    config.eth_header_length == 0 ? etherType : inFrame
  }
}
