internal import MapABI

// Egress policy of a pod, and where its packet goes. Source: `tail_handle_ipv4_cont`, `handle_ipv4_from_lxc` and
// `ipv4_forward_to_destination` in Cilium's bpf/bpf_lxc.c.
extension Run {
  /// `tail_handle_ipv4_cont`
  mutating func containerForward<F: IPFamily>(
    _ state: borrowing NodeState, _ connection: Connection<F>, _ service: ServiceResult
  ) -> Outcome {
    extError = 0
    note(.stage(.forward))
    var destinationIdentity: UInt32 = 0
    do throws(Drop) {
      return try handleFromContainer(state, connection, service, &destinationIdentity)
    } catch {
      return drop(
        error, at: .forward, source: config.security_label, destination: destinationIdentity, .egress)
    }
  }

  /// `handle_ipv4_from_lxc`
  private mutating func handleFromContainer<F: IPFamily>(
    _ state: borrowing NodeState, _ connection: Connection<F>, _ service: ServiceResult,
    _ destinationIdentity: inout UInt32
  ) throws(Drop) -> Outcome {
    try requireHeader(F.self)
    let info = lookUpIdentity(state, try destination(F.self), F.self)
    destinationIdentity = info?.sec_identity ?? worldIdentity(F.self)
    cb[ControlSlot.conntrackState] = 0
    cb[ControlSlot.proxyMagic] = 0
    if connection.tuple.saddr.isZero { throw Drop(.invalidTcBuffer) }

    var new = ConntrackState()
    new.revNATIndex = service.state.revNATIndex
    new.set(ConntrackFlag.loopback, service.state.isLoopback)
    new.natAddress = service.natAddress
    new.natPort = service.natPort
    var proxyPort: UInt16 = 0
    switch connection.status {
    case .new, .established:
      // An endpoint that reaches itself through a service needs no policy.
      if !service.state.isLoopback {
        switch try egressPolicy(state, connection, info, destinationIdentity) {
        case .allowed(let port): proxyPort = port
        case .answered(let outcome): return outcome
        }
      }
    case .reply, .related:
      if connection.state.isProxyRedirect {
        trace(
          .toProxy, source: config.security_label, destination: 0, connection.trace,
          etherType: F.etherType)
        return try redirectToProxy(0, fromHost: false)
      }
    }
    var context = connection.trace
    switch connection.status {
    case .new, .established:
      let isStale =
        connection.state.revNATIndex != new.revNATIndex
        || connection.state.isProxyRedirect != (proxyPort != 0)
      if connection.status == .new || isStale {
        new.sourceIdentity = config.security_label
        new.set(ConntrackFlag.proxyRedirect, proxyPort != 0)
        createConnection(state, connection.tuple, F.self, .egress, new, withErrors: true)
        // Only the IPv6 half shows a packet that replaced a stale entry.
        if F.isIPv6 { context.monitor = config.trace_payload_len }
      }
    case .reply, .related:
      if config.enable_nodeport != 0, connection.state.isNodePort,
        isServiceProtocol(connection.tuple.nexthdr)
      {
        trace(
          .toNetwork, source: config.security_label, destination: destinationIdentity, context,
          etherType: F.etherType)
        return answerFromEndpoint(state, F.self)
      }
    }
    let isHairpin = service.state.isLoopback || connection.state.isLoopback
    return try forwardFromContainer(
      state, connection, info, destinationIdentity, isHairpin: isHairpin, proxyPort: proxyPort, context)
  }

  private enum EgressDecision {
    /// With the proxy's port in network order, or 0.
    case allowed(proxyPort: UInt16)
    /// Denied, and the pod was told so.
    case answered(Outcome)
  }

  private mutating func egressPolicy<F: IPFamily>(
    _ state: borrowing NodeState, _ connection: Connection<F>, _ info: RemoteEndpointInfo?,
    _ destinationIdentity: UInt32
  ) throws(Drop) -> EgressDecision {
    let tuple = connection.tuple
    var decision = policyEgress(
      state, tuple, connection.transport, F.self, remote: destinationIdentity)
    if decision.denial == DropReason.policyAuthRequired.rawValue {
      decision.denial = authDenial(
        state, local: config.security_label, remote: destinationIdentity,
        node: info?.tunnel_endpoint.w0 ?? 0, type: decision.authType)
    }
    if decision.denial != nil || connection.status == .new {
      reportPolicyVerdict(
        F.self, decision, remote: destinationIdentity, port: tuple.dport, protocol: tuple.nexthdr,
        egress: true)
    }
    guard let denial = decision.denial else { return .allowed(proxyPort: decision.proxyPort) }
    let isPolicy = denial == DropReason.policy.rawValue || denial == DropReason.policyDeny.rawValue
    guard answersDenied(F.self), isPolicy else { throw Drop(code: denial) }
    return .answered(answerDenied(state, F.self, denial))
  }

  private func answersDenied<F: IPFamily>(_: F.Type) -> Bool {
    config.policy_deny_response_enabled != 0
      && profile.has(F.isIPv6 ? .answersDeniedIPv6 : .answersDeniedIPv4)
  }

  /// `ipv4_forward_to_destination`: proxy, endpoint of this node, tunnel, or the stack.
  private mutating func forwardFromContainer<F: IPFamily>(
    _ state: borrowing NodeState, _ connection: Connection<F>, _ info: RemoteEndpointInfo?,
    _ destinationIdentity: UInt32, isHairpin: Bool, proxyPort: UInt16, _ context: TraceContext
  ) throws(Drop) -> Outcome {
    let own = config.security_label
    if proxyPort != 0 {
      trace(
        .toProxy, source: own, destination: 0, destinationID: UInt16(bigEndian: proxyPort), context,
        etherType: F.etherType)
      return try redirectToProxy(proxyPort, fromHost: false)
    }
    let guardsHost = config.enable_host_firewall != 0
    if guardsHost, config.enable_routing == 0, destinationIdentity == Identity.host {
      throw stopUnmodelled("host firewall with endpoint routes")
    }
    // The identity goes along, so that it is not lost when the source is translated.
    if config.enable_identity_mark != 0, profile.has(.marksForwarded) { setIdentityMark(own, Mark.identity) }

    if config.enable_routing != 0 || isHairpin || config.enable_host_routing != 0 {
      // The reply of a loopback connection goes back to its own sender.
      let toSelf = connection.status == .reply && isHairpin
      let address = toSelf ? try source(F.self) : try destination(F.self)
      if let endpoint = lookUpEndpoint(state, address, F.self) {
        let toStack =
          endpoint.isHostDelivery && (config.enable_routing != 0 || config.enable_host_routing != 0)
        if toStack, guardsHost, config.enable_routing != 0, destinationIdentity == Identity.host {
          return redirectToHost(F.self, context)
        }
        if toStack { return try passToStack(F.self, destinationIdentity, context) }
        return try deliverLocally(
          state, F.self, to: endpoint, source: own, magic: Mark.identity, .egress, fromHost: false,
          fromTunnel: false)
      }
    }
    // A node balances without the programs then, and its stack undoes that.
    let isAnswerToNode =
      guardsHost && config.enable_nodeport == 0 && Identity.isRemoteNode(destinationIdentity)
      && (connection.status == .reply || connection.status == .related)
    if config.tunnel_mode != 0, !isAnswerToNode, let info, info.hasTunnelEndpoint,
      connection.state.isFromTunnel || !info.skipsTunnel
    {
      return encapsulate(
        info, source: own, destination: destinationIdentity, context, etherType: F.etherType)
    }
    if config.enable_host_routing != 0 { throw stopUnmodelled("host routing by the program (FIB look-up)") }
    return try passToStack(F.self, destinationIdentity, context)
  }

  /// `lxc_redirect_to_host`: to where the host's policies are asked.
  private mutating func redirectToHost<F: IPFamily>(_: F.Type, _ context: TraceContext) -> Outcome {
    trace(
      .toHost, source: config.security_label, destination: Identity.host, ifindex: config.cilium_net_ifindex,
      context, etherType: F.etherType)
    note(.toHost)
    return redirect(config.cilium_net_ifindex, .ingress)
  }

  private mutating func passToStack<F: IPFamily>(
    _: F.Type, _ destinationIdentity: UInt32, _ context: TraceContext
  ) throws(Drop) -> Outcome {
    if config.enable_routing != 0, !profile.has(.routesByStack) {
      let routed = try route(F.self, from: nil, to: config.interface_mac, .egress)
      guard routed == .pass else { return routed }
    }
    if config.enable_identity_mark != 0, !profile.has(.marksForwarded) {
      setIdentityMark(config.security_label, Mark.identity)
    }
    trace(
      .toStack, source: config.security_label, destination: destinationIdentity, context,
      etherType: F.etherType)
    note(.toStack)
    return .pass
  }
}
