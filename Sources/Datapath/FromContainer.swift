internal import MapABI

// A packet leaves a pod. Source: `cil_from_container` and its tail calls in Cilium's bpf/bpf_lxc.c.
//
// entry ─▶ family (source check) ─▶ service translation ─▶ conntrack ─▶ policy, forwarding ─▶ policy of the receiver
extension Run {
  /// `cil_from_container`
  mutating func fromContainer(_ state: borrowing NodeState) -> Outcome {
    clearControlBlock()
    note(.stage(.entry))
    do throws(Drop) {
      let type = packet.load(12, as: UInt16.self).map(UInt16.init(bigEndian:)) ?? 0
      trace(
        .fromLXC, source: config.security_label, destination: 0,
        TraceContext(reason: .unknown, monitor: config.trace_payload_len), etherType: type)
      switch try frameEtherType() {
      case IPv6.etherType where config.enable_ipv6 != 0:
        try requireHeader(IPv6.self)
        return containerFamily(state, IPv6.self)
      case IPv4.etherType where config.enable_ipv4 != 0:
        try requireHeader(IPv4.self)
        return containerFamily(state, IPv4.self)
      case EtherType.arp where config.enable_ipv4 != 0:
        guard packet.count >= 14 + 8 + 20 else { throw Drop(.invalid) }
        return config.enable_arp_responder != 0 ? answerARP() : .pass
      default: throw Drop(.unknownL3)
      }
    } catch {
      return drop(error, at: .entry, source: config.security_label, .egress)
    }
  }

  /// `tail_handle_ipv4`, `tail_handle_ipv6`
  private mutating func containerFamily<F: IPFamily>(
    _ state: borrowing NodeState, _: F.Type
  ) -> Outcome {
    extError = 0
    do throws(Drop) {
      try refuseFragments(F.self)
      if F.isIPv6, let type = neighbourDiscoveryType() {
        return type == ICMPv6.neighbourSolicitation ? answerSolicitation(state, .egress) : .pass
      }
      let own = F.Address(
        words: F.isIPv6
          ? config.endpoint_ipv6 : AddressWords(w0: config.endpoint_ipv4, w1: 0, w2: 0, w3: 0))
      guard F.Address.same(try source(F.self), own) else {
        note(.spoofedSource)
        throw Drop(.invalidSip)
      }
      if config.enable_per_packet_lb == 0 {
        return containerConntrack(state, F.self, ServiceResult())
      }
      var result = ServiceResult()
      if let ending = try containerService(state, F.self, &result) { return ending }
      return containerConntrack(state, F.self, result)
    } catch {
      return drop(error, at: .family, source: config.security_label, .egress)
    }
  }

  /// What service translation tells the stages after it, besides what stands in the control block.
  struct ServiceResult {
    var state = ConntrackState()
    /// The service's address, when a node port's wildcard entry was used (`cilium_nodeport_nat_buffer`).
    var natAddress = NATAddress()
    var natPort: UInt16 = 0
  }

  /// `__per_packet_lb_svc_xlate_4`: returns an outcome when the packet's way ends here.
  private mutating func containerService<F: IPFamily>(
    _ state: borrowing NodeState, _: F.Type, _ result: inout ServiceResult
  ) throws(Drop) -> Outcome? {
    note(.stage(.service))
    let transport = try transport(F.self)
    if let ending = try translateService(state, transport, F.self, &result) { return ending }
    // The state travels to the next tail call in the control block.
    cb[ControlSlot.proxyMagic] = 0
    cb[ControlSlot.conntrackState] =
      UInt32(result.state.revNATIndex) << 16 | (result.state.isLoopback ? 1 : 0)
    if !F.isIPv6 { cb[ControlSlot.clusterIDEgress] = 0 }
    return nil
  }

  private mutating func translateService<F: IPFamily>(
    _ state: borrowing NodeState, _ transport: Transport, _: F.Type, _ result: inout ServiceResult
  ) throws(Drop) -> Outcome? {
    guard isServiceProtocol(transport.protocol) else { return nil }
    var tuple = F.tuple(
      daddr: try destination(F.self), saddr: try source(F.self), dport: 0, sport: 0,
      nexthdr: transport.protocol, flags: 0)
    try loadPorts(state, &tuple, transport, F.self)
    note(
      .parsed(
        protocol: transport.protocol, sourcePort: UInt16(bigEndian: tuple.dport),
        destinationPort: UInt16(bigEndian: tuple.sport), fragment: transport.fragment.isFragment))
    var frontend = Frontend<F>(address: tuple.daddr, port: tuple.sport, protocol: tuple.nexthdr)
    var service =
      config.enable_nodeport != 0
      ? lookUpServiceInside(state, &frontend) : lookUpServiceOutside(state, &frontend)
    if service == nil, config.enable_nodeport != 0, profile.has(.nodePortFromPods),
      peek(state, tuple.swapped.with(flags: TupleFlag.out), F.self) == nil
    {
      service = lookUpServiceOnNode(state, &frontend)
      if service != nil {
        result.natAddress = F.natAddress(tuple.daddr)
        result.natPort = tuple.sport
      }
    }
    guard let service else { return nil }
    if config.enable_l7_lb != 0, service.flags2 & (ServiceFlag2.l7LoadBalancer | ServiceFlag2.loopback) != 0 {
      throw stopUnmodelled("L7 load balancing")
    }
    if config.enable_lrp != 0, service.isLocalRedirect { throw stopUnmodelled("local redirect policy") }
    let backend: F.Backend
    do throws(Drop) {
      backend = try selectBackend(
        state, frontend, service, &tuple, transport, F.self, &result.state)
    } catch {
      guard error.reason == DropReason.noService.rawValue else { throw error }
      if config.enable_no_service_endpoints_routable == 0 {
        if service.dropsWithoutLocalBackend { throw error }
        return .pass
      }
      if config.service_no_backend_response != 0 { return refuseService(state, F.self) }
      throw error
    }
    if F.Address.same(tuple.saddr, backend.address), !F.isIPv6 || profile.has(.loopbackIPv6) {
      result.state.set(ConntrackFlag.loopback, true)
    }
    try translate(&tuple, to: backend, transport, F.self, loopback: result.state.isLoopback)
    return nil
  }

  /// `lb_is_svc_proto`
  func isServiceProtocol(_ protocol: UInt8) -> Bool {
    `protocol` == IPProtocol.tcp || `protocol` == IPProtocol.udp
      || `protocol` == IPProtocol.sctp && config.enable_sctp != 0
  }

  /// `tail_ipv4_ct_egress`: a translated packet is looked up in the forward direction only.
  private mutating func containerConntrack<F: IPFamily>(
    _ state: borrowing NodeState, _: F.Type, _ service: ServiceResult
  ) -> Outcome {
    note(.stage(.conntrack))
    var ending = Outcome.pass
    let scope: ConntrackScope = service.state.revNATIndex != 0 ? .forward : .both
    guard let connection = trackConnection(state, F.self, .egress, scope, &ending) else { return ending }
    return containerForward(state, connection, service)
  }
}

enum EtherType {
  static let arp: UInt16 = 0x0806
}
