internal import MapABI

// Policies of the node itself: asked on its devices, about connections that the host opens or that are opened to it.
// Source: Cilium's bpf/lib/host_firewall.h.
extension Run {
  /// `ipv4_host_policy_egress_lookup`: the connection of a packet that is the host's, or has the host's address.
  ///
  /// A pod's packet with the host's address needs an entry too: by it the answer is known for one.
  mutating func trackHostEgress<F: IPFamily>(
    _ state: borrowing NodeState, _: F.Type, source: UInt32, byAddress: UInt32
  ) throws(Drop) -> Connection<F>? {
    guard source == Identity.host || byAddress == Identity.host else { return nil }
    return try trackHost(state, F.self, .egress)
  }

  /// `ipv4_host_policy_ingress_lookup`: the connection of a packet to the host.
  mutating func trackHostIngress<F: IPFamily>(
    _ state: borrowing NodeState, _: F.Type
  ) throws(Drop) -> Connection<F>? {
    guard let info = lookUpIdentity(state, try destination(F.self), F.self),
      info.sec_identity == Identity.host
    else { return nil }
    return try trackHost(state, F.self, .ingress)
  }

  private mutating func trackHost<F: IPFamily>(
    _ state: borrowing NodeState, _: F.Type, _ direction: ConntrackDirection
  ) throws(Drop) -> Connection<F> {
    let transport = try F.transport(packet, l3: l3)
    var tuple = F.tuple(
      daddr: try destination(F.self), saddr: try source(F.self), dport: 0, sport: 0,
      nexthdr: transport.protocol, flags: 0)
    var found = ConntrackState()
    let result = try lookUpConnection(state, &tuple, transport, F.self, direction, .both, &found)
    return Connection(
      tuple: tuple, transport: transport, status: result.status, state: found, monitor: result.monitor)
  }

  /// `__ipv4_host_policy_egress`: may the host send it?
  ///
  /// - Parameters:
  ///   - isHost: the host's own; else a pod's with the host's address, for which there is an entry and no policy.
  ///   - isFromProxy: policy was asked when the proxy took the packet.
  mutating func enforceHostEgress<F: IPFamily>(
    _ state: borrowing NodeState, _ connection: Connection<F>, isHost: Bool, isFromProxy: Bool,
    _ context: inout TraceContext
  ) throws(Drop) {
    context = connection.trace
    if connection.status == .reply || connection.status == .related { return }
    let applies = isHost && !isFromProxy
    var decision = PolicyOutcome()
    var peer = Identity.unknown
    if applies {
      let info = lookUpIdentity(state, try destination(F.self), F.self)
      peer = info?.sec_identity ?? Identity.unknown
      decision = policyEgress(state, connection.tuple, connection.transport, F.self, remote: peer)
      authenticate(state, &decision, peer: peer, info)
    }
    if connection.status == .new, decision.denial == nil {
      createHostConnection(
        state, connection, .egress, source: isHost ? Identity.host : 0, proxied: decision.proxyPort != 0)
    }
    guard applies else { return }
    try conclude(connection, decision, peer: peer, egress: true)
  }

  /// `__ipv4_host_policy_ingress`: may the host receive it?
  ///
  /// - Parameter source: who the drop is told of; what the address says of the sender takes its place.
  mutating func enforceHostIngress<F: IPFamily>(
    _ state: borrowing NodeState, _ connection: Connection<F>, source: inout UInt32,
    _ context: inout TraceContext
  ) throws(Drop) {
    context = connection.trace
    let info = lookUpIdentity(state, try self.source(F.self), F.self)
    if let info { source = info.sec_identity }
    guard connection.status != .reply, connection.status != .related else {
      packetType = .host
      return
    }
    var decision = policyIngress(state, connection.tuple, connection.transport, F.self, remote: source)
    authenticate(state, &decision, peer: source, info)
    if connection.status == .new, decision.denial == nil {
      createHostConnection(state, connection, .ingress, source: source, proxied: decision.proxyPort != 0)
    }
    // What a pod's device redirected to the host is the host's from now on.
    defer { packetType = .host }
    try conclude(connection, decision, peer: source, egress: false)
  }

  private mutating func authenticate(
    _ state: borrowing NodeState, _ decision: inout PolicyOutcome, peer: UInt32, _ info: RemoteEndpointInfo?
  ) {
    guard decision.denial == DropReason.policyAuthRequired.rawValue else { return }
    decision.denial = authDenial(
      state, local: Identity.host, remote: peer, node: info?.tunnel_endpoint.w0 ?? 0, type: decision.authType)
  }

  private mutating func createHostConnection<F: IPFamily>(
    _ state: borrowing NodeState, _ connection: Connection<F>, _ direction: ConntrackDirection,
    source: UInt32,
    proxied: Bool
  ) {
    var new = ConntrackState()
    new.sourceIdentity = source
    new.set(ConntrackFlag.proxyRedirect, proxied)
    createConnection(state, connection.tuple, F.self, direction, new, withErrors: true)
  }

  /// The verdict's event and the verdict. Of what is allowed by default nothing is told.
  private mutating func conclude<F: IPFamily>(
    _ connection: Connection<F>, _ decision: PolicyOutcome, peer: UInt32, egress: Bool
  ) throws(Drop) {
    if decision.denial != nil || connection.status == .new {
      reportPolicyVerdict(
        F.self, decision, remote: peer, port: connection.tuple.dport, protocol: connection.tuple.nexthdr,
        egress: egress)
    }
    if let denial = decision.denial { throw Drop(code: denial) }
    if egress, decision.proxyPort != 0 { throw stopUnmodelled("redirect of the host's packets to a proxy") }
  }

  /// What the host firewall makes of an ICMPv6 message, by RFC 4890.
  enum HostICMPv6 {
    /// An echo, or no ICMPv6: policy decides.
    case policy
    case passes
    case forbidden
  }

  /// `icmp6_host_handle`
  func hostFirewallICMPv6(_ type: UInt8) -> HostICMPv6 {
    switch type {
    case 128, 129: .policy
    case 1...4, 130...136, 141...143, 148...149, 151...153: .passes
    default: .forbidden
    }
  }
}
