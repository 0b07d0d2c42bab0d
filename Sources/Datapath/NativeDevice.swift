internal import MapABI

// What from_netdev and from_host share: who sent the packet, and where it goes. Source: `do_netdev` and the tail calls
// after it in Cilium's bpf/bpf_host.c.
extension Run {
  /// Where the packet was seen: on a native device, or on cilium_host.
  enum HostSide {
    case network, host
  }

  /// `do_netdev`
  mutating func receive(
    _ state: borrowing NodeState, etherType type: UInt16, identity given: UInt32, _ point: TracePoint,
    _ side: HostSide
  ) -> Outcome {
    extError = 0
    let context = TraceContext(reason: .unknown, monitor: config.trace_payload_len)
    do throws(Drop) {
      switch type {
      case IPv4.etherType where config.enable_ipv4 != 0:
        return try receiveFamily(state, IPv4.self, given, point, side, context)
      case IPv6.etherType where config.enable_ipv6 != 0:
        return try receiveFamily(state, IPv6.self, given, point, side, context)
      case EtherType.arp where config.enable_ipv4 != 0:
        guard packet.count >= l3 + 8 + 20 else { throw Drop(.invalid) }
        fallthrough
      default:
        trace(point, source: given, destination: 0, ifindex: ingressIfindex, context, etherType: type)
        let isARP = type == EtherType.arp && config.enable_ipv4 != 0
        if config.enable_host_firewall != 0, !isARP { throw Drop(.unknownL3) }
        return .pass
      }
    } catch {
      return drop(error, at: .entry, source: given, .ingress)
    }
  }

  private mutating func receiveFamily<F: IPFamily>(
    _ state: borrowing NodeState, _: F.Type, _ given: UInt32, _ point: TracePoint, _ side: HostSide,
    _ context: TraceContext
  ) throws(Drop) -> Outcome {
    try requireHeader(F.self)
    var byAddress = Identity.unknown
    let identity = try resolveSource(state, F.self, given, &byAddress)
    cb[ControlSlot.sourceLabel] = identity
    if config.enable_host_firewall != 0, side == .host { cb[ControlSlot.addressIdentity] = byAddress }
    trace(
      point, source: identity, destination: 0, ifindex: ingressIfindex, context, etherType: F.etherType)
    return .ended(hostFamily(state, F.self, side).ending)
  }

  /// `resolve_srcid_ipv4`: a reserved identity is made more precise by the address.
  ///
  /// - Parameter byAddress: what the address says, if it was asked.
  mutating func resolveSource<F: IPFamily>(
    _ state: borrowing NodeState, _: F.Type, _ given: UInt32, _ byAddress: inout UInt32
  ) throws(Drop) -> UInt32 {
    guard isReserved(given), let info = lookUpIdentity(state, try source(F.self), F.self)
    else { return given }
    byAddress = info.sec_identity
    return info.sec_identity == Identity.host ? given : info.sec_identity
  }

  /// `tail_handle_ipv4`, `handle_ipv4`
  private mutating func hostFamily<F: IPFamily>(
    _ state: borrowing NodeState, _: F.Type, _ side: HostSide
  ) -> Outcome {
    extError = 0
    var byAddress = Identity.unknown
    if config.enable_host_firewall != 0, side == .host {
      byAddress = takeControlBlock(ControlSlot.addressIdentity)
    }
    let identity = takeControlBlock(ControlSlot.sourceLabel)
    var connection: Connection<F>?
    do throws(Drop) {
      try requireHeader(F.self)
      try refuseFragments(F.self)
      var skipsFirewall = false
      if F.isIPv6, side == .network || config.enable_host_firewall != 0 {
        switch try hostICMPv6(state, answers: side == .network) {
        case .finished(let outcome): return outcome
        case .proceed(let skips): skipsFirewall = skips
        }
      }
      if side == .network {
        if config.enable_nodeport != 0, !takeSkipNodePort() {
          switch try balance(state, F.self, source: identity) {
          case .proceed: break
          case .punt: return .pass
          case .finished(let outcome): return outcome
          }
        }
      }
      if config.enable_host_firewall != 0, !skipsFirewall {
        switch side {
        case .host:
          connection = try trackHostEgress(state, F.self, source: identity, byAddress: byAddress)
        case .network where takeSkipHostFirewall(): break
        case .network: connection = try trackHostIngress(state, F.self)
        }
      }
    } catch {
      return drop(error, at: .family, source: identity, .ingress)
    }
    return continueOnHost(state, connection, identity, side)
  }

  /// `tail_handle_ipv4_cont`
  private mutating func continueOnHost<F: IPFamily>(
    _ state: borrowing NodeState, _ connection: Connection<F>?, _ identity: UInt32, _ side: HostSide
  ) -> Outcome {
    var context = TraceContext(reason: .unknown, monitor: config.trace_payload_len)
    do throws(Drop) {
      if let connection {
        if connection.tuple.saddr.isZero { throw Drop(.invalidTcBuffer) }
        switch side {
        case .host:
          try enforceHostEgress(
            state, connection, isHost: identity == Identity.host,
            isFromProxy: tcIndex & (TCIndex.fromIngressProxy | TCIndex.fromEgressProxy) != 0, &context)
        case .network:
          var source = F.isIPv6 ? worldIdentity(F.self) : Identity.unknown
          try enforceHostIngress(state, connection, source: &source, &context)
        }
      }
      let outcome = try forwardOnHost(state, F.self, identity, side, context)
      guard side == .host, outcome == .pass else { return outcome }
      // The other end of the pair is to take the packet for its own.
      guard packet.storeMAC(MACWord(config.cilium_net_mac), 0) else { throw Drop(.writeError) }
      note(.toHost)
      return .pass
    } catch {
      return drop(error, at: .family, source: identity, .ingress)
    }
  }

  private enum HostICMPv6Result {
    /// - Parameter skipsFirewall: the message passes whatever policy says.
    case proceed(skipsFirewall: Bool)
    case finished(Outcome)
  }

  /// `icmp6_host_handle`: solicitations are answered, and with the host firewall messages sorted out.
  private mutating func hostICMPv6(
    _ state: borrowing NodeState, answers: Bool
  ) throws(Drop) -> HostICMPv6Result {
    let transport = try IPv6.transport(packet, l3: l3)
    guard transport.protocol == IPProtocol.icmpv6 else { return .proceed(skipsFirewall: false) }
    let type = try packet.require(transport.offset, as: UInt8.self)
    if answers, type == ICMPv6.neighbourSolicitation {
      return .finished(.ended(answerSolicitation(state, .ingress).ending))
    }
    guard config.enable_host_firewall != 0 else { return .proceed(skipsFirewall: false) }
    switch hostFirewallICMPv6(type) {
    case .policy: return .proceed(skipsFirewall: false)
    case .passes: return .proceed(skipsFirewall: true)
    case .forbidden: throw Drop(.forbiddenIcmp6)
    }
  }

  /// `handle_ipv4_cont`: to an endpoint of this node, into the tunnel, or on to the stack.
  private mutating func forwardOnHost<F: IPFamily>(
    _ state: borrowing NodeState, _: F.Type, _ identity: UInt32, _ side: HostSide, _ context: TraceContext
  ) throws(Drop) -> Outcome {
    var magic = Mark.identity
    var isFromProxy = false
    if side == .host, tcIndex & TCIndex.fromIngressProxy != 0 {
      isFromProxy = true
      magic = Mark.proxyIngress
    }
    if side == .host, tcIndex & TCIndex.fromEgressProxy != 0 {
      isFromProxy = true
      magic = Mark.proxyEgress
    }
    // With routing by the stack, what comes from the network is the stack's.
    if side == .network, config.enable_host_routing == 0 { return .pass }
    let address = try destination(F.self)
    if let endpoint = lookUpEndpoint(state, address, F.self) {
      if endpoint.isHostDelivery { return .pass }
      if side == .network, config.eth_header_length == 0 {
        throw stopUnmodelled("delivery from a device without Ethernet header")
      }
      return try deliverLocally(
        state, F.self, to: endpoint, source: identity, magic: magic, .ingress, fromHost: side == .host,
        fromTunnel: false)
    }
    guard side == .host else { return .pass }
    let info = lookUpIdentity(state, address, F.self)
    if config.tunnel_mode != 0, let info, !info.skipsTunnel, info.hasTunnelEndpoint {
      return encapsulate(
        info, source: identity, destination: info.sec_identity, context, etherType: F.etherType)
    }
    if isFromProxy {
      mark = Mark.skipTProxy
      return .pass
    }
    guard let info, !isWorld(info.sec_identity, F.self) else { throw Drop(.unroutable) }
    return .pass
  }
}
