internal import MapABI

// The policy stage of the receiving endpoint, tail-called from every hook that delivers to one.
// Source: `cil_lxc_policy` in Cilium's bpf/bpf_lxc.c.
extension Run {
  /// `tail_call_policy`: goes on in the endpoint's own program, if it is there.
  mutating func enterEndpointPolicy(
    _ state: borrowing NodeState, _ endpoint: UInt16
  ) throws(Drop) -> Outcome {
    guard let configuration = state.image.endpointConfig(endpoint) else { throw Drop(.epNotReady) }
    config = configuration
    object = .lxc
    extError = 0
    note(.stage(.policy))
    return .ended(endpointPolicy(state).ending)
  }

  /// `cil_lxc_policy`
  private mutating func endpointPolicy(_ state: borrowing NodeState) -> Outcome {
    let source = cb[ControlSlot.sourceLabel]
    do throws(Drop) {
      switch try frameEtherType() {
      case IPv6.etherType where config.enable_ipv6 != 0: return try policyProgram(state, IPv6.self)
      case IPv4.etherType where config.enable_ipv4 != 0: return try policyProgram(state, IPv4.self)
      default: throw Drop(.unknownL3)
      }
    } catch {
      return drop(
        error, at: .entry, source: source, destination: config.security_label,
        destinationID: config.endpoint_id, .ingress)
    }
  }

  /// `tail_ipv4_ct_ingress_policy_only`, then `tail_ipv4_policy`
  private mutating func policyProgram<F: IPFamily>(
    _ state: borrowing NodeState, _: F.Type
  ) throws(Drop) -> Outcome {
    try requireHeader(F.self)
    var ending = Outcome.pass
    guard let connection = trackConnection(state, F.self, .ingress, .both, &ending) else { return ending }
    extError = 0
    let flags = cb[ControlSlot.deliveryFlags]
    let source = takeControlBlock(ControlSlot.sourceLabel)
    let fromHost =
      takeControlBlock(ControlSlot.fromHost) != 0 || flags & DeliveryFlag.fromHost != 0
    if flags & DeliveryFlag.fromIngressProxy != 0 { tcIndex |= TCIndex.fromIngressProxy }
    if flags & DeliveryFlag.fromEgressProxy != 0 { tcIndex |= TCIndex.fromEgressProxy }
    if !F.isIPv6 { cb[ControlSlot.clusterIDIngress] = 0 }
    var fromTunnel = false
    if config.have_encap != 0 {
      fromTunnel = takeControlBlock(ControlSlot.fromTunnel) != 0 || flags & DeliveryFlag.fromTunnel != 0
    }
    do throws(Drop) {
      switch try enforceIngress(state, connection, source: source, fromTunnel: fromTunnel) {
      case .proxy(let port):
        if fromTunnel { packetType = .host }
        let redirected = try redirectToProxy(port, fromHost: fromHost)
        // The next program finds the proxy's port here when the mark is lost on the way.
        cb[ControlSlot.proxyMagic] = mark
        return redirected
      case .allowed:
        if config.enable_routing == 0, config.enable_nodeport == 0, fromTunnel {
          packetType = .host
          return .pass
        }
        guard flags & DeliveryFlag.redirect != 0 else { return .pass }
        return redirectToEndpoint(
          config.interface_ifindex, peer: redirectsToPeer(fromHost: fromHost), fromTunnel: fromTunnel)
      }
    } catch {
      return drop(
        error, at: .policy, source: source, destination: config.security_label,
        destinationID: config.endpoint_id, .ingress)
    }
  }

  enum IngressDecision {
    case allowed
    /// The proxy's port in network order; 0 for a reply, which finds the proxy's socket by itself.
    case proxy(UInt16)
  }

  /// `ipv4_policy`, `ipv6_policy`: may the packet enter the endpoint?
  mutating func enforceIngress<F: IPFamily>(
    _ state: borrowing NodeState, _ connection: Connection<F>, source: UInt32, fromTunnel: Bool
  ) throws(Drop) -> IngressDecision {
    let original = try self.source(F.self)
    if connection.tuple.saddr.isZero { throw Drop(.invalidTcBuffer) }
    var new = ConntrackState()
    var proxyPort: UInt16 = 0
    switch connection.status {
    case .reply, .related:
      if config.enable_l7_lb != 0 && connection.state.isFromL7LB
        || connection.state.isProxyRedirect && tcIndex & TCIndex.fromEgressProxy == 0
      {
        traceIngress(.toProxy, connection, source: source, original: original, id: 0)
        return .proxy(0)
      }
      if connection.state.revNATIndex != 0 || connection.state.natPort != 0 {
        try reverseTranslate(state, connection)
      }
    case .new, .established:
      if tcIndex & TCIndex.fromIngressProxy != 0 { break }
      if isLoopback(state, connection, original, &new) { break }
      proxyPort = try applyIngressPolicy(state, connection, source: source, original: original)
    }
    if connection.status == .new {
      new.sourceIdentity = source
      new.set(ConntrackFlag.fromTunnel, fromTunnel)
      new.set(ConntrackFlag.proxyRedirect, proxyPort != 0)
      createConnection(state, connection.tuple, F.self, .ingress, new, withErrors: true)
    }
    if proxyPort != 0 {
      traceIngress(
        .toProxy, connection, source: source, original: original, id: UInt16(bigEndian: proxyPort))
      return .proxy(proxyPort)
    }
    traceIngress(.toLXC, connection, source: source, original: original, id: config.endpoint_id)
    return .allowed
  }

  /// An endpoint that reaches itself through a service needs no policy.
  private mutating func isLoopback<F: IPFamily>(
    _ state: borrowing NodeState, _ connection: Connection<F>, _ source: F.Address,
    _ new: inout ConntrackState
  ) -> Bool {
    guard config.enable_per_packet_lb != 0 else { return false }
    if connection.status == .new, F.Address.same(source, loopbackAddress(F.self)),
      let egress = peek(state, connection.tuple.with(flags: TupleFlag.out), F.self),
      egress.flags & ConntrackFlag.loopback != 0
    {
      new.set(ConntrackFlag.loopback, true)
      return true
    }
    return connection.state.isLoopback
  }

  /// The address that stands for the client of a loopback connection.
  func loopbackAddress<F: IPFamily>(_: F.Type) -> F.Address {
    F.Address(
      words: F.isIPv6
        ? config.service_loopback_ipv6
        : AddressWords(w0: config.service_loopback_ipv4, w1: 0, w2: 0, w3: 0))
  }

  /// Returns the proxy's port, or 0.
  private mutating func applyIngressPolicy<F: IPFamily>(
    _ state: borrowing NodeState, _ connection: Connection<F>, source: UInt32, original: F.Address
  ) throws(Drop) -> UInt16 {
    let tuple = connection.tuple
    var decision = policyIngress(state, tuple, connection.transport, F.self, remote: source)
    if decision.denial == DropReason.policyAuthRequired.rawValue {
      if let sender = lookUpIdentity(state, original, F.self) {
        decision.denial = authDenial(
          state, local: config.security_label, remote: source, node: sender.tunnel_endpoint.w0,
          type: decision.authType)
      } else {
        decision.authType = 0
      }
    }
    if decision.denial != nil || connection.status == .new {
      reportPolicyVerdict(
        F.self, decision, remote: source, port: tuple.dport, protocol: tuple.nexthdr, egress: false)
    }
    if let denial = decision.denial { throw Drop(code: denial) }
    return decision.proxyPort
  }

  private mutating func traceIngress<F: IPFamily>(
    _ point: TracePoint, _ connection: Connection<F>, source: UInt32, original: F.Address, id: UInt16
  ) {
    trace(
      point, source: source, destination: config.security_label, destinationID: id,
      ifindex: config.interface_ifindex, connection.trace, etherType: F.etherType,
      original: original.words)
  }

  /// `ctx_redirect_to_proxy4`: marks the packet for the proxy; the stack delivers it.
  mutating func redirectToProxy(_ port: UInt16, fromHost: Bool) throws(Drop) -> Outcome {
    if config.enable_tproxy != 0, !fromHost { throw stopUnmodelled("redirect to a proxy's socket (tproxy)") }
    mark = Mark.toProxy | UInt32(port) << 16
    note(.toProxy(port: UInt16(bigEndian: port)))
    return .pass
  }
}
