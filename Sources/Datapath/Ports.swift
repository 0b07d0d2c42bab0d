internal import MapABI

// From the packet to the ports of a tuple. Source: Cilium's bpf/lib/conntrack.h, ipv4.h, ipv6.h.
extension Run {
  @inline(__always)
  func tracksFragments<F: IPFamily>(_: F.Type) -> Bool {
    (F.isIPv6 ? config.enable_ipv6_fragments : config.enable_ipv4_fragments) != 0
  }

  /// `ct_extract_ports4`: ports, or for ICMP the echo identifier in the place of the side that asked.
  mutating func extractPorts<F: IPFamily>(
    _ state: borrowing NodeState, _ tuple: inout F.Tuple, _ transport: Transport, _: F.Type,
    _ direction: ConntrackDirection
  ) throws(Drop) {
    switch tuple.nexthdr {
    case F.icmpProtocol:
      try extractICMP(&tuple, transport, F.self, direction)
    case IPProtocol.tcp, IPProtocol.udp:
      try loadPorts(state, &tuple, transport, F.self)
    case IPProtocol.sctp where config.enable_sctp != 0:
      try loadPorts(state, &tuple, transport, F.self)
    default:
      guard config.enable_extended_ip_protocols != 0 else { throw Drop(.ctUnknownProto) }
      tuple.sport = 0
      tuple.dport = 0
    }
  }

  private mutating func extractICMP<F: IPFamily>(
    _ tuple: inout F.Tuple, _ transport: Transport, _: F.Type, _ direction: ConntrackDirection
  ) throws(Drop) {
    if transport.fragment.isFragment { throw Drop(.invalid) }
    guard let type = packet.load(transport.offset, as: UInt8.self) else { throw Drop(.ctInvalidHdr) }
    var code: UInt8 = 0
    if !F.isIPv6 {
      guard let second = packet.load(transport.offset + 1, as: UInt8.self) else { throw Drop(.ctInvalidHdr) }
      code = second
    }
    tuple.sport = 0
    tuple.dport = 0
    let kind = ICMPKind(type: type, code: code, ipv6: F.isIPv6)
    switch kind {
    case .echoRequest, .echoReply:
      guard let identifier = packet.load(transport.offset + 4, as: UInt16.self) else {
        throw Drop(.ctInvalidHdr)
      }
      if kind == .echoReply { tuple.sport = identifier } else { tuple.dport = identifier }
    case .tooBig:
      if profile.has(.countsTooBig) { count(MetricReason.mtuError, direction.metric, .header) }
      tuple.flags |= TupleFlag.related
    case .error:
      tuple.flags |= TupleFlag.related
    case .other: break
    }
  }

  /// `ipv4_load_l4_ports`: source port into `dport`, destination port into `sport`, as tuples have them.
  ///
  /// Later fragments have no ports of their own: the first one leaves them in the fragment map.
  mutating func loadPorts<F: IPFamily>(
    _ state: borrowing NodeState, _ tuple: inout F.Tuple, _ transport: Transport, _: F.Type
  ) throws(Drop) {
    let fragment = transport.fragment
    guard tracksFragments(F.self) else {
      if !fragment.hasTransportHeader { throw Drop(.fragNosupport) }
      (tuple.dport, tuple.sport) = try portsInPacket(transport)
      return
    }
    if !fragment.isFragment, fragment.hasTransportHeader {
      (tuple.dport, tuple.sport) = try portsInPacket(transport)
      return
    }
    let key = F.fragmentKey(fragment, source: try source(F.self), destination: try destination(F.self))
    let original = F.fragment(state, key)
    if fragment.hasTransportHeader {
      (tuple.dport, tuple.sport) = try portsInPacket(transport)
      let ports = FragmentPorts(sport: tuple.dport, dport: tuple.sport)
      pending.put(ports, at: key, in: F.fragmentMap, original: original)
      return
    }
    var known = original
    if case .value(let ports) = pending.find(key, in: F.fragmentMap, as: FragmentPorts.self) { known = ports }
    guard let known else { throw Drop(.fragNotFound) }
    tuple.dport = known.sport
    tuple.sport = known.dport
  }

  @inline(__always)
  private func portsInPacket(_ transport: Transport) throws(Drop) -> (UInt16, UInt16) {
    guard let ports = packet.load(transport.offset, as: UInt32.self) else { throw Drop(.ctInvalidHdr) }
    return (UInt16(truncatingIfNeeded: ports), UInt16(truncatingIfNeeded: ports >> 16))
  }
}

/// What an ICMP message is to conntrack.
private enum ICMPKind {
  case echoRequest, echoReply
  /// An error about another packet.
  case error
  /// The error that a packet was too big, which is counted besides.
  case tooBig
  case other

  init(type: UInt8, code: UInt8, ipv6: Bool) {
    switch (ipv6, type) {
    case (false, 8), (true, 128): self = .echoRequest
    case (false, 0), (true, 129): self = .echoReply
    case (false, 3): self = code == 4 ? .tooBig : .error
    case (true, 2): self = .tooBig
    case (false, 11), (false, 12), (true, 1), (true, 3), (true, 4): self = .error
    default: self = .other
    }
  }
}
