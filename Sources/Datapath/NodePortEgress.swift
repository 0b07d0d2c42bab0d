internal import MapABI

// The node as a load balancer, outwards: answers get the service's address, the node's own connections are entered
// into the NAT map. Source: Cilium's bpf/lib/nodeport_egress.h.
extension Run {
  /// `handle_nat_fwd`: nil when the calling program has to go on, and is to trace with `context`.
  mutating func translateOutgoing(
    _ state: borrowing NodeState, etherType: UInt16, source: UInt32, _ point: TracePoint,
    _ context: inout TraceContext
  ) throws(Drop) -> Outcome? {
    // With both families compiled in, or the host firewall, each half is a tail call; else it runs in place.
    if translatesByTailCall {
      cb[ControlSlot.natFlags] = 0
      cb[ControlSlot.clusterIDEgress] = 0
      cb[ControlSlot.sourceLabel] = source
    }
    switch etherType {
    case IPv4.etherType where config.enable_ipv4 != 0:
      return try translateOutgoing(state, IPv4.self, source, point, &context)
    case IPv6.etherType where config.enable_ipv6 != 0:
      return try translateOutgoing(state, IPv6.self, source, point, &context)
    default: return nil
    }
  }

  private var translatesByTailCall: Bool {
    isDualStack || object == .host && config.enable_host_firewall != 0
  }

  private mutating func translateOutgoing<F: IPFamily>(
    _ state: borrowing NodeState, _: F.Type, _ source: UInt32, _ point: TracePoint,
    _ context: inout TraceContext
  ) throws(Drop) -> Outcome? {
    guard translatesByTailCall else {
      do throws(Drop) {
        return try answerOutgoing(state, F.self, source, point, &context)
      } catch {
        return drop(error, at: .nat, source: source, .egress)
      }
    }
    // `tail_handle_nat_fwd_ipv4`
    extError = 0
    cb[ControlSlot.natFlags] = 0
    if !F.isIPv6 { cb[ControlSlot.clusterIDEgress] = 0 }
    cb[ControlSlot.sourceLabel] = 0
    var own = TraceContext(reason: .unknown, monitor: config.trace_payload_len)
    do throws(Drop) {
      if let outcome = try answerOutgoing(state, F.self, source, point, &own) { return outcome }
      trace(
        point, source: source, destination: 0, ifindex: config.interface_ifindex, own,
        etherType: F.etherType)
      return .ended(.pass)
    } catch {
      return drop(error, at: .nat, source: source, .egress)
    }
  }

  /// `__handle_nat_fwd_ipv4`: nil when the packet was an answer, and was translated.
  private mutating func answerOutgoing<F: IPFamily>(
    _ state: borrowing NodeState, _: F.Type, _ source: UInt32, _ point: TracePoint,
    _ context: inout TraceContext
  ) throws(Drop) -> Outcome? {
    note(.stage(.nat))
    guard try restoreServiceAddress(state, F.self, &context) else {
      return trackOutgoing(state, F.self, source, point)
    }
    if object == .host { markTranslated() }
    return nil
  }

  /// `nodeport_rev_dnat_fwd_ipv4`: whether the packet was an answer to a node port's client.
  private mutating func restoreServiceAddress<F: IPFamily>(
    _ state: borrowing NodeState, _: F.Type, _ context: inout TraceContext
  ) throws(Drop) -> Bool {
    try requireHeader(F.self)
    let transport = try transport(F.self)
    guard isServiceProtocol(transport.protocol) else { return false }
    var tuple = F.tuple(
      daddr: try destination(F.self), saddr: try self.source(F.self), dport: 0, sport: 0,
      nexthdr: transport.protocol, flags: 0)
    try loadPorts(state, &tuple, transport, F.self)
    guard let entry = peek(state, tuple.with(flags: TupleFlag.out), F.self),
      entry.flags & ConntrackFlag.nodePort != 0, entry.rev_nat_index != 0,
      F.reverseNAT(state, entry.rev_nat_index) != nil
    else { return false }
    if object == .host { throw stopUnmodelled("an answer of a node port on its way out (FIB look-up)") }
    var found = ConntrackState()
    let result = try lookUpKnown(
      state, &tuple, transport, F.self, .ingress, .reverse, .nodePort, &found)
    guard result.status == .reply else { return false }
    context = TraceContext(reason: .reply, monitor: result.monitor)
    var known = ConntrackState()
    known.revNATIndex = entry.rev_nat_index
    try reverseTranslate(state, tuple, transport, F.self, known, loopback: false)
    return true
  }

  /// `tail_handle_snat_fwd_ipv4`
  private mutating func trackOutgoing<F: IPFamily>(
    _ state: borrowing NodeState, _: F.Type, _ source: UInt32, _ point: TracePoint
  ) -> Outcome {
    cb[ControlSlot.sourceLabel] = 0
    if !F.isIPv6 { cb[ControlSlot.clusterIDEgress] = 0 }
    extError = 0
    var context = TraceContext(reason: .unknown, monitor: 0)
    var original = F.Address(words: AddressWords(w0: 0, w1: 0, w2: 0, w3: 0))
    do throws(Drop) {
      try translateOwn(state, F.self, &original, &context)
      trace(
        point, source: source, destination: 0, ifindex: config.interface_ifindex, context,
        etherType: F.etherType, original: original.words)
      return .ended(.pass)
    } catch {
      return drop(error, at: .nat, source: source, .egress)
    }
  }

  /// `nodeport_snat_fwd_ipv4`: connections of the node itself get their ports reserved, or others if taken.
  private mutating func translateOwn<F: IPFamily>(
    _ state: borrowing NodeState, _: F.Type, _ original: inout F.Address, _ context: inout TraceContext
  ) throws(Drop) {
    try requireHeader(F.self)
    let transport = try transport(F.self)
    if object == .host, masquerades(F.self) { throw stopUnmodelled("masquerading by the program") }
    guard isServiceProtocol(transport.protocol), let address = try conflict(state, F.self) else { return }
    original = address
    if !tracksFragments(F.self), transport.fragment.isFragment { throw Drop(.fragNosupport) }
    var tuple = F.tuple(
      daddr: try destination(F.self), saddr: address, dport: 0, sport: 0, nexthdr: transport.protocol,
      flags: TupleFlag.out)
    try loadPorts(state, &tuple, transport, F.self)
    tuple.swapPorts()
    // Ports that translation never gives away need no entry.
    if UInt16(bigEndian: tuple.sport) < natPorts.lowerBound { return }
    let target = NATTarget<F>(address: address, ports: natPorts, needsConntrack: true)
    try translateSource(state, tuple, transport, target, &context)
    if object == .host { markTranslated() }
  }

  /// `nodeport_has_nat_conflict_ipv4`: the packet's source, if it is an address that translation uses.
  private mutating func conflict<F: IPFamily>(
    _ state: borrowing NodeState, _: F.Type
  ) throws(Drop) -> F.Address? {
    let source = try self.source(F.self)
    if object == .overlay, config.tunnel_mode != 0 {
      let gateway = F.Address(
        words: F.isIPv6
          ? config.router_ipv6 : AddressWords(w0: config.ipv4_gateway, w1: 0, w2: 0, w3: 0))
      return F.Address.same(source, gateway) ? source : nil
    }
    guard object == .host else { return nil }
    guard profile.has(.reservesHostPorts) else { return directRoutingAddress(source, F.self) }
    let endpoint = lookUpEndpoint(state, source, F.self)
    let isNode = (endpoint?.flags ?? 0) & EndpointFlag.host != 0
    return markMagic == Mark.host || isNode ? source : nil
  }

  /// Before 1.20 only the direct routing device's own address counted.
  private func directRoutingAddress<F: IPFamily>(_ source: F.Address, _: F.Type) -> F.Address? {
    let own = F.Address(
      words: F.isIPv6
        ? config.ipv6_direct_routing : AddressWords(w0: config.ipv4_direct_routing, w1: 0, w2: 0, w3: 0))
    guard config.direct_routing_dev_ifindex == config.interface_ifindex else { return nil }
    return F.Address.same(source, own) ? own : nil
  }
}
