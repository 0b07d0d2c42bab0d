internal import MapABI

/// What a connection's packets are to be given by source NAT (`struct ipv4_nat_target`).
struct NATTarget<F: IPFamily> {
  var address: F.Address
  var ports: ClosedRange<UInt16>
  /// Whether the connection is tracked besides: the node's own, whose ports are reserved this way.
  var needsConntrack = false
}

// Source NAT by the node: a pair of entries for each connection, one for its packets and one for the answers.
// Their tuples read as the packets do, ports not reversed. TCP, UDP and SCTP only: without masquerading by the
// program nothing else comes here. Source: Cilium's bpf/lib/nat.h.
extension Run {
  /// Ports below belong to node ports and to the node's own sockets.
  var natPorts: ClosedRange<UInt16> { min(config.nodeport_port_max, .max - 1) + 1...UInt16.max }

  private mutating func natEntry<F: IPFamily>(
    _ state: borrowing NodeState, _ tuple: F.Tuple, _: F.Type
  ) -> Translation<F.Address>? {
    switch pending.find(tuple, in: F.natMap, as: F.NATEntry.self) {
    case .untouched: F.nat(state, tuple).map(F.translation)
    case .deleted: nil
    case .value(let entry): F.translation(entry)
    }
  }

  private mutating func putNAT<F: IPFamily>(
    _ state: borrowing NodeState, _ translation: Translation<F.Address>, at tuple: F.Tuple, _: F.Type
  ) {
    pending.put(F.natEntry(translation), at: tuple, in: F.natMap, original: F.nat(state, tuple))
  }

  /// `set_v4_rtuple`: the tuple of the answers to a translated packet.
  private static func answers<F: IPFamily>(
    to tuple: F.Tuple, _ translation: Translation<F.Address>, _: F.Type
  ) -> F.Tuple {
    F.tuple(
      daddr: translation.address, saddr: tuple.daddr, dport: translation.port, sport: tuple.dport,
      nexthdr: tuple.nexthdr, flags: TupleFlag.in)
  }

  /// `__snat_v4_nat`: translates the packet's source, with a new mapping if there is none.
  ///
  /// `tuple` has the packet's ports in the packet's order.
  mutating func translateSource<F: IPFamily>(
    _ state: borrowing NodeState, _ tuple: F.Tuple, _ transport: Transport, _ target: NATTarget<F>,
    _ context: inout TraceContext
  ) throws(Drop) {
    let mapping = try mapSource(state, tuple, transport, target, &context)
    try rewrite(
      transport, tuple.nexthdr, F.self, addressOffset: F.sourceOffset, portOffset: 0,
      from: (tuple.saddr, tuple.sport), to: (mapping.address, mapping.port))
  }

  /// `snat_v4_nat_handle_mapping`
  private mutating func mapSource<F: IPFamily>(
    _ state: borrowing NodeState, _ tuple: F.Tuple, _ transport: Transport, _ target: NATTarget<F>,
    _ context: inout TraceContext
  ) throws(Drop) -> Translation<F.Address> {
    let known = natEntry(state, tuple, F.self)
    note(.natLookup(hit: known != nil))
    if target.needsConntrack { try trackTranslated(state, tuple, transport, F.self, &context) }
    if let known {
      let back = Self.answers(to: tuple, known, F.self)
      if F.Address.same(target.address, known.address), target.needsConntrack == known.needsConntrack {
        if natEntry(state, back, F.self) == nil {
          // The other half was evicted.
          let answer = Translation(
            address: tuple.saddr, port: tuple.sport, created: UInt64(now),
            needsConntrack: target.needsConntrack)
          putNAT(state, answer, at: back, F.self)
        }
        return known
      }
      // The mapping is of another time, when the node had another address.
      pending.delete(tuple, in: F.natMap)
      if natEntry(state, back, F.self) != nil { pending.delete(back, in: F.natMap) }
    }
    return try allocate(state, tuple, target)
  }

  private mutating func trackTranslated<F: IPFamily>(
    _ state: borrowing NodeState, _ tuple: F.Tuple, _ transport: Transport, _: F.Type,
    _ context: inout TraceContext
  ) throws(Drop) {
    var tracked = tuple
    tracked.saddr = tuple.daddr
    tracked.daddr = tuple.saddr
    var found = ConntrackState()
    let result = try lookUpKnown(
      state, &tracked, transport, F.self, .egress, .forward, .any, &found)
    context = TraceContext(reason: result.status.reason, monitor: result.monitor)
    if result.status == .new {
      createConnection(state, tracked, F.self, .egress, ConntrackState(), withErrors: false)
    }
  }

  /// `snat_v4_new_mapping`: keeps the packet's port if it is free; else tries others.
  private mutating func allocate<F: IPFamily>(
    _ state: borrowing NodeState, _ tuple: F.Tuple, _ target: NATTarget<F>
  ) throws(Drop) -> Translation<F.Address> {
    let retries = 32
    let wanted = UInt16(bigEndian: tuple.sport)
    var port =
      target.ports.contains(wanted)
      ? wanted : Self.clamp(UInt16(truncatingIfNeeded: environment.draw()), target.ports)
    var mapping = Translation(
      address: target.address, port: 0, created: UInt64(now), needsConntrack: target.needsConntrack)
    if let chosen = environment.chosenPort, target.ports.contains(chosen) { port = chosen }
    for attempt in 0..<retries {
      mapping.port = port.bigEndian
      let back = Self.answers(to: tuple, mapping, F.self)
      if natEntry(state, back, F.self) == nil {
        let answer = Translation(
          address: tuple.saddr, port: tuple.sport, created: UInt64(now),
          needsConntrack: target.needsConntrack)
        putNAT(state, answer, at: back, F.self)
        putNAT(state, mapping, at: tuple, F.self)
        return mapping
      }
      let next = attempt == 0 ? UInt16(truncatingIfNeeded: environment.draw()) : port &+ 1
      port = Self.clamp(next, target.ports)
    }
    throw Drop(.natNoMapping)
  }

  /// `__snat_clamp_port_range`
  private static func clamp(_ value: UInt16, _ range: ClosedRange<UInt16>) -> UInt16 {
    let count = UInt32(range.upperBound &- range.lowerBound) + 1
    return range.lowerBound &+ UInt16(truncatingIfNeeded: (UInt32(value) &* count) >> 16)
  }

  /// What became of an answer that might be to a translated packet.
  enum ReverseNAT {
    /// It was: its destination is the true one again.
    case translated
    /// It was not.
    case notMapped
  }

  /// `snat_v4_rev_nat` for TCP, UDP and SCTP.
  mutating func translateDestinationBack<F: IPFamily>(
    _ state: borrowing NodeState, _ transport: Transport, _: F.Type, _ context: inout TraceContext
  ) throws(Drop) -> ReverseNAT {
    var tuple = F.tuple(
      daddr: try destination(F.self), saddr: try source(F.self), dport: 0, sport: 0,
      nexthdr: transport.protocol, flags: TupleFlag.in)
    try loadPorts(state, &tuple, transport, F.self)
    tuple.swapPorts()
    guard natPorts.contains(UInt16(bigEndian: tuple.dport)) else { return .notMapped }
    let mapping = natEntry(state, tuple, F.self)
    note(.natLookup(hit: mapping != nil))
    guard let mapping else { return .notMapped }
    let forth = F.tuple(
      daddr: tuple.saddr, saddr: mapping.address, dport: tuple.sport, sport: mapping.port,
      nexthdr: tuple.nexthdr, flags: TupleFlag.out)
    if natEntry(state, forth, F.self) == nil {
      let other = Translation(
        address: tuple.daddr, port: tuple.dport, created: UInt64(now),
        needsConntrack: mapping.needsConntrack)
      putNAT(state, other, at: forth, F.self)
    }
    if mapping.needsConntrack {
      var tracked = F.tuple(
        daddr: mapping.address, saddr: tuple.saddr, dport: tuple.sport, sport: mapping.port,
        nexthdr: tuple.nexthdr, flags: 0)
      var found = ConntrackState()
      let result = try lookUpKnown(
        state, &tracked, transport, F.self, .ingress, .reverse, .any, &found)
      context = TraceContext(reason: result.status.reason, monitor: result.monitor)
    }
    try rewrite(
      transport, tuple.nexthdr, F.self, addressOffset: F.destinationOffset, portOffset: 2,
      from: (tuple.daddr, tuple.dport), to: (mapping.address, mapping.port))
    return .translated
  }

  /// `snat_v4_rewrite_headers`: one address and one port of the packet, and the checksums.
  private mutating func rewrite<F: IPFamily>(
    _ transport: Transport, _ protocol: UInt8, _: F.Type, addressOffset: Int, portOffset: Int,
    from old: (F.Address, UInt16), to new: (F.Address, UInt16)
  ) throws(Drop) {
    if F.Address.same(old.0, new.0), old.1 == new.1 { return }
    let sum = InternetChecksum.difference(of: old.0, to: new.0)
    try packet.write(new.0, l3 + addressOffset)
    if !F.isIPv6 { try packet.updateIPChecksum(l3 + IPv4.checksumOffset, difference: sum) }
    guard transport.fragment.hasTransportHeader else { return }
    let field = ChecksumField(protocol: `protocol`)
    if old.1 != new.1 {
      guard `protocol` != IPProtocol.sctp else { throw Drop(.csumL4) }
      try packet.write(new.1, transport.offset + portOffset)
      try packet.updateTransportChecksum(transport.offset, field, from: old.1, to: new.1)
    }
    if field.offset != 0 {
      try packet.updateTransportChecksum(transport.offset, field, difference: sum)
    }
  }

  /// `ctx_snat_done_set`: later programs must not translate the packet again.
  mutating func markTranslated() { mark = mark & ~Mark.magicMask | Mark.snatDone }
}
