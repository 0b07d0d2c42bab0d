internal import MapABI

extension Run {
  /// `cil_to_host`: a packet arrives at cilium_host or cilium_net, for the node or for its proxy.
  mutating func toHost(_ state: borrowing NodeState) -> Outcome {
    note(.stage(.host))
    var magic = cb[ControlSlot.proxyMagic]
    var identity: UInt32 = 0
    if config.enable_identity_mark != 0, markMagic == Mark.identity { identity = identityFromMark }
    if markMagic == Mark.toProxy { magic = mark }
    if magic & 0xffff == Mark.toProxy {
      cb[ControlSlot.proxyMagic] = 0
      return redirectToProxyFirst(UInt16(truncatingIfNeeded: magic >> 16))
    }
    var type: UInt16 = 0
    if config.enable_host_firewall != 0 {
      do throws(Drop) {
        type = try frameEtherType()
        if let outcome = try guardHost(state, etherType: type, identity) { return outcome }
      } catch {
        return drop(error, at: .entry, source: identity, .ingress)
      }
    }
    traceToStack(identity, TraceContext(reason: .unknown, monitor: 0), etherType: type)
    note(.toStack)
    return .pass
  }

  private mutating func traceToStack(_ source: UInt32, _ context: TraceContext, etherType: UInt16) {
    trace(
      .toStack, source: source, destination: 0, ifindex: config.cilium_host_ifindex, context,
      etherType: etherType)
  }

  /// `host_ingress_policy`: nil for what is no packet of a family, which is traced once more.
  private mutating func guardHost(
    _ state: borrowing NodeState, etherType type: UInt16, _ source: UInt32
  ) throws(Drop) -> Outcome? {
    extError = 0
    try requireNetworkHeader(type)
    switch type {
    case IPv6.etherType where config.enable_ipv6 != 0: return guardHost(state, IPv6.self, source)
    case IPv4.etherType where config.enable_ipv4 != 0: return guardHost(state, IPv4.self, source)
    case EtherType.arp where config.enable_ipv4 != 0:
      traceToStack(source, TraceContext(reason: .unknown, monitor: 0), etherType: type.byteSwapped)
      return nil
    default: throw Drop(.unknownL3)
    }
  }

  /// `tail_ipv4_host_policy_ingress`
  private mutating func guardHost<F: IPFamily>(
    _ state: borrowing NodeState, _: F.Type, _ given: UInt32
  ) -> Outcome {
    cb[ControlSlot.sourceLabel] = given
    cb[1] = 0
    extError = 0
    var source = given
    var context = TraceContext(reason: .unknown, monitor: 0)
    do throws(Drop) {
      if let connection = try trackHostIngress(state, F.self) {
        try enforceHostIngress(state, connection, source: &source, &context)
      }
    } catch {
      return drop(error, at: .policy, source: source, .ingress)
    }
    traceToStack(source, context, etherType: F.etherType)
    note(.toStack)
    return .ended(.pass)
  }

  /// `ctx_redirect_to_proxy_first`: the program before has traced the packet.
  private mutating func redirectToProxyFirst(_ port: UInt16) -> Outcome {
    if config.enable_tproxy != 0 { unmodelled = "redirect to a proxy's socket (tproxy)" }
    mark = Mark.toProxy | UInt32(port) << 16
    packetType = .host
    note(.toProxy(port: UInt16(bigEndian: port)))
    return .pass
  }
}
