internal import MapABI

/// What the node's load balancer made of a packet that comes in.
enum NodePortResult {
  /// Go on: no service, or its backend is on this node.
  case proceed
  /// Leave the packet to the stack.
  case punt
  /// The packet's way ends here.
  case finished(Outcome)
}

// The node as a load balancer, inwards: requests to services from outside, and answers to what the node translated.
// Direct server return, NAT46/64 and L7 load balancing are not modelled. Source: Cilium's bpf/lib/nodeport.h.
extension Run {
  /// `nodeport_lb4`, `nodeport_lb6`
  mutating func balance<F: IPFamily>(
    _ state: borrowing NodeState, _: F.Type, source identity: UInt32
  ) throws(Drop) -> NodePortResult {
    let transport = try transport(F.self)
    guard isServiceProtocol(transport.protocol) else {
      // ICMP may be about a translated packet, but only masquerading makes such.
      guard transport.protocol == F.icmpProtocol else { return .proceed }
      if !F.isIPv6 { cb[ControlSlot.sourceLabel] = identity }
      if masquerades(F.self) { throw stopUnmodelled("masquerading by the program") }
      return .proceed
    }
    var tuple = F.tuple(
      daddr: try destination(F.self), saddr: try source(F.self), dport: 0, sport: 0,
      nexthdr: transport.protocol, flags: 0)
    try loadPorts(state, &tuple, transport, F.self)
    note(.stage(.service))
    note(
      .parsed(
        protocol: transport.protocol, sourcePort: UInt16(bigEndian: tuple.dport),
        destinationPort: UInt16(bigEndian: tuple.sport), fragment: transport.fragment.isFragment))
    var frontend = Frontend<F>(address: tuple.daddr, port: tuple.sport, protocol: tuple.nexthdr)
    if let service = lookUpServiceOutside(state, &frontend) {
      return try request(state, service, frontend, &tuple, transport)
    }
    if !F.isIPv6, config.enable_ipv6 != 0, state.maps.nat6.count > 0 {
      let mapped = tuple.mappedToIPv6
      if state.maps.nat6[mapped] != nil { throw stopUnmodelled("an answer through NAT64") }
    }
    cb[ControlSlot.sourceLabel] = identity
    if F.isIPv6 { cb[1] = 0 }
    return answer(state, transport, F.self, source: identity)
  }

  func masquerades<F: IPFamily>(_: F.Type) -> Bool {
    (F.isIPv6 ? config.enable_masquerade_ipv6 : config.enable_masquerade_ipv4) != 0
  }

  /// `nodeport_svc_lb4`: a request to a service.
  private mutating func request<F: IPFamily>(
    _ state: borrowing NodeState, _ service: ServiceEntry, _ frontend: Frontend<F>, _ tuple: inout F.Tuple,
    _ transport: Transport
  ) throws(Drop) -> NodePortResult {
    // The address is a service's, the port is none of its: drop, or the packet would come back forever.
    if frontend.port == 0, frontend.protocol == 0 { throw Drop(.noService) }
    if service.checksSource { throw stopUnmodelled("source ranges of load balancers") }
    if !service.isRoutable { throw Drop(.isClusterIp) }
    if config.enable_l7_lb != 0, service.isL7LoadBalancer { throw stopUnmodelled("L7 load balancing") }
    if service.flags2 & ServiceFlag2.nat46x64 != 0 { throw stopUnmodelled("NAT46 and NAT64 services") }
    if service.flags2 & ServiceFlag2.forwardDSR != 0 { throw stopUnmodelled("direct server return") }
    var found = ConntrackState()
    let backend: F.Backend
    do throws(Drop) {
      backend = try selectBackend(state, frontend, service, &tuple, transport, F.self, &found)
    } catch {
      guard error.reason == DropReason.noService.rawValue else { throw error }
      if config.enable_no_service_endpoints_routable == 0 {
        if service.dropsWithoutLocalBackend { throw error }
        return .proceed
      }
      if config.service_no_backend_response != 0 {
        return .finished(.ended(refuseService(state, F.self).ending))
      }
      throw error
    }
    let isLocal = lookUpEndpoint(state, backend.address, F.self) != nil
    if !isLocal, service.isHostPort { throw Drop(.invalid) }
    if isLocal, !service.isHostPort, service.flags2 & ServiceFlag2.loopback != 0 { return .punt }
    try translate(&tuple, to: backend, transport, F.self, loopback: false)

    // An entry as if the client spoke to the backend: it tells that answers have to be translated back.
    tuple = tuple.swapped
    var entry = ConntrackState()
    entry.revNATIndex = found.revNATIndex
    let known = try lookUpKnown(
      state, &tuple, transport, F.self, .egress, .forward, .nodePort, &entry)
    if known.status == .new {
      entry.sourceIdentity = worldIdentity(F.self)
      entry.set(ConntrackFlag.nodePort, true)
      createConnection(state, tuple, F.self, .egress, entry, withErrors: false)
    }
    if isLocal { return .proceed }
    // The neighbour map, which says where answers go, is no map of ours.
    if !F.isIPv6 {
      cb[ControlSlot.sourceLabel] = worldIdentity(F.self)
      cb[ControlSlot.clusterIDEgress] = 0
    } else {
      cb[1] = 0
    }
    return .finished(toRemoteBackend(state, transport, F.self))
  }

  /// `tail_nodeport_nat_egress_ipv4`: to a backend on another node, from an address of this one.
  private mutating func toRemoteBackend<F: IPFamily>(
    _ state: borrowing NodeState, _ transport: Transport, _: F.Type
  ) -> Outcome {
    extError = 0
    note(.stage(.nat))
    do throws(Drop) {
      try requireHeader(F.self)
      guard let info = tunnel(state, to: try destination(F.self), F.self) else {
        throw stopUnmodelled("a backend that is reached without tunnel (FIB look-up)")
      }
      let gateway = F.Address(
        words: F.isIPv6
          ? config.router_ipv6 : AddressWords(w0: config.ipv4_gateway, w1: 0, w2: 0, w3: 0))
      var tuple = F.tuple(
        daddr: try destination(F.self), saddr: try source(F.self), dport: 0, sport: 0,
        nexthdr: transport.protocol, flags: TupleFlag.out)
      try loadPorts(state, &tuple, transport, F.self)
      tuple.swapPorts()
      if let answered = try countHop(F.self) { return answered }
      var context = TraceContext(reason: .policy, monitor: config.trace_payload_len)
      try translateSource(
        state, tuple, transport, NATTarget<F>(address: gateway, ports: natPorts), &context)
      markTranslated()
      return encapsulate(
        info, source: worldIdentity(F.self), destination: info.sec_identity, context,
        etherType: F.etherType)
    } catch {
      return drop(error, at: .nat, source: Identity.unknown, .egress)
    }
  }

  /// The node behind which an address is, if the way there is a tunnel.
  private mutating func tunnel<F: IPFamily>(
    _ state: borrowing NodeState, to address: F.Address, _: F.Type
  ) -> RemoteEndpointInfo? {
    guard config.tunnel_mode != 0, let info = lookUpIdentity(state, address, F.self),
      info.hasTunnelEndpoint, !info.skipsTunnel
    else { return nil }
    return info
  }

  /// A router hop without new Ethernet addresses; an outcome when the packet was answered.
  private mutating func countHop<F: IPFamily>(_: F.Type) throws(Drop) -> Outcome? {
    if let ttl = try F.decrementTTL(packet, l3: l3) {
      note(.ttl(ttl))
      return nil
    }
    if F.isIPv6 { return sendTimeExceeded(.egress) }
    throw Drop(.ttlExceeded)
  }

  /// `tail_nodeport_nat_ingress_ipv4`: the packet may be an answer to one that the node translated.
  private mutating func answer<F: IPFamily>(
    _ state: borrowing NodeState, _ transport: Transport, _: F.Type, source identity: UInt32
  ) -> NodePortResult {
    extError = 0
    note(.stage(.nat))
    var context = TraceContext(
      reason: F.isIPv6 ? .reply : .unknown, monitor: config.trace_payload_len)
    var sender = identity
    do throws(Drop) {
      switch try translateDestinationBack(state, transport, F.self, &context) {
      case .notMapped: break
      case .translated:
        markTranslated()
        if object == .host, config.enable_host_firewall != 0 {
          if let connection = try trackHostIngress(state, F.self) {
            try enforceHostIngress(state, connection, source: &sender, &context)
          }
          // Once is enough.
          tcIndex |= TCIndex.skipHostFirewall
        }
        if let outcome = try answerFromBackend(state, F.self, &context) { return .finished(outcome) }
      }
    } catch {
      return .finished(drop(error, at: .nat, source: sender, .ingress))
    }
    // Back to the beginning of the family's program, which now passes this stage by.
    extError = 0
    cb[ControlSlot.sourceLabel] = 0
    return .proceed
  }

  /// `nodeport_rev_dnat_ipv4`: an answer of a backend gets the service's address; nil when it is none.
  mutating func answerFromBackend<F: IPFamily>(
    _ state: borrowing NodeState, _: F.Type, _ context: inout TraceContext
  ) throws(Drop) -> Outcome? {
    try requireHeader(F.self)
    let transport = try transport(F.self)
    guard isServiceProtocol(transport.protocol) else { return nil }
    var tuple = F.tuple(
      daddr: try destination(F.self), saddr: try source(F.self), dport: 0, sport: 0,
      nexthdr: transport.protocol, flags: 0)
    try loadPorts(state, &tuple, transport, F.self)
    var found = ConntrackState()
    let result = try lookUpKnown(
      state, &tuple, transport, F.self, .ingress, .reverse, .nodePort, &found)
    guard result.status == .reply else { return nil }
    context = TraceContext(reason: .reply, monitor: result.monitor)
    if F.isIPv6, let answered = try countHop(F.self) { return answered }
    found.natPort = 0
    try reverseTranslate(state, tuple, transport, F.self, found, loopback: false)
    markTranslated()
    let info = tunnel(state, to: try destination(F.self), F.self)
    if !F.isIPv6, let answered = try countHop(F.self) { return answered }
    guard let info else { throw stopUnmodelled("an answer sent on by the program (FIB look-up)") }
    return encapsulate(
      info, source: Identity.remoteNode, destination: info.sec_identity, context, etherType: F.etherType)
  }

  /// `tail_nodeport_rev_dnat_ipv4` in the endpoint's object: here the answer has to go on.
  mutating func answerFromEndpoint<F: IPFamily>(_ state: borrowing NodeState, _: F.Type) -> Outcome {
    extError = 0
    note(.stage(.nat))
    var context = TraceContext(
      reason: F.isIPv6 ? .reply : .unknown, monitor: config.trace_payload_len)
    do throws(Drop) {
      guard let outcome = try answerFromBackend(state, F.self, &context) else { throw Drop(.natNoMapping) }
      return outcome
    } catch {
      return drop(error, at: .nat, source: Identity.unknown, .egress)
    }
  }
}

extension FlowTuple {
  /// `snat_v6_has_v4_match`: the tuple under which NAT64 would have the packet's mapping.
  fileprivate var mappedToIPv6: CTTuple6 {
    func mapped(_ address: Address) -> AddressWords {
      AddressWords(w0: 0, w1: 0, w2: UInt32(0xffff).bigEndian, w3: address.words.w0)
    }
    return CTTuple6(
      daddr: mapped(daddr), saddr: mapped(saddr), dport: sport, sport: dport, nexthdr: nexthdr,
      flags: TupleFlag.in)
  }
}
