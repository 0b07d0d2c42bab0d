internal import MapABI

// Look-up and creation of conntrack entries. Source: Cilium's bpf/lib/conntrack.h.
extension Run {
  /// `ct_lookup4`, `ct_lookup6`: fills the tuple's ports from the packet and looks the connection up.
  mutating func lookUpConnection<F: IPFamily>(
    _ state: borrowing NodeState, _ tuple: inout F.Tuple, _ transport: Transport, _: F.Type,
    _ direction: ConntrackDirection, _ scope: ConntrackScope, _ found: inout ConntrackState
  ) throws(Drop) -> (status: ConntrackStatus, monitor: UInt32) {
    tuple.flags = Self.tupleFlag(direction, scope)
    try extractPorts(state, &tuple, transport, F.self, direction)
    if scope == .forward { tuple = tuple.swapped }
    return try lookUp(state, &tuple, transport, F.self, direction, scope, .any, &found)
  }

  /// `ct_lazy_lookup4`: for a tuple whose ports are known. For scope forward it is in forward order.
  mutating func lookUpKnown<F: IPFamily>(
    _ state: borrowing NodeState, _ tuple: inout F.Tuple, _ transport: Transport, _: F.Type,
    _ direction: ConntrackDirection, _ scope: ConntrackScope, _ filter: ConntrackFilter,
    _ found: inout ConntrackState
  ) throws(Drop) -> (status: ConntrackStatus, monitor: UInt32) {
    tuple.flags = Self.tupleFlag(direction, scope)
    return try lookUp(state, &tuple, transport, F.self, direction, scope, filter, &found)
  }

  /// `ct_lookup_select_tuple_type`. A reply takes precedence, so the reverse direction is tried first.
  private static func tupleFlag(_ direction: ConntrackDirection, _ scope: ConntrackScope) -> UInt8 {
    switch (direction, scope) {
    case (.service, _): TupleFlag.service
    case (.egress, .forward), (.ingress, .reverse), (.ingress, .both): TupleFlag.out
    case (.ingress, .forward), (.egress, .reverse), (.egress, .both): TupleFlag.in
    }
  }

  /// `__ct_lookup4`
  private mutating func lookUp<F: IPFamily>(
    _ state: borrowing NodeState, _ tuple: inout F.Tuple, _ transport: Transport, _: F.Type,
    _ direction: ConntrackDirection, _ scope: ConntrackScope, _ filter: ConntrackFilter,
    _ found: inout ConntrackState
  ) throws(Drop) -> (status: ConntrackStatus, monitor: UInt32) {
    if tracksFragments(F.self), transport.fragment.isFragment {
      count(MetricReason.fragment, direction.metric, .fragment)
    }
    let isTCP = tuple.nexthdr == IPProtocol.tcp
    var flags = TCPFlags()
    if isTCP, transport.fragment.hasTransportHeader {
      guard let octets = packet.load(transport.offset + 12, as: UInt16.self) else {
        throw Drop(.ctInvalidHdr)
      }
      flags.bits = UInt8(truncatingIfNeeded: octets >> 8)
    }
    var monitor: UInt32 = 0
    if scope != .forward {
      let isFound = lookUpEntry(state, tuple, F.self, direction, filter, isTCP, flags, &found, &monitor)
      if isFound || scope == .reverse {
        let status: ConntrackStatus =
          !isFound ? .new : tuple.flags & TupleFlag.related != 0 ? .related : .reply
        note(F.step(tuple, direction.step, status.step))
        return (status, monitor)
      }
      tuple = tuple.reversed
    }
    let isFound = lookUpEntry(state, tuple, F.self, direction, filter, isTCP, flags, &found, &monitor)
    let status: ConntrackStatus = isFound ? .established : .new
    note(F.step(tuple, direction.step, status.step))
    return (status, monitor)
  }

  /// `__ct_lookup`: whether the connection is known; keeps the entry alive and follows the connection's end.
  ///
  /// `monitor` stays as it was for a packet of a connection that has ended on both sides.
  private mutating func lookUpEntry<F: IPFamily>(
    _ state: borrowing NodeState, _ tuple: F.Tuple, _: F.Type, _ direction: ConntrackDirection,
    _ filter: ConntrackFilter, _ isTCP: Bool, _ flags: TCPFlags, _ found: inout ConntrackState,
    _ monitor: inout UInt32
  ) -> Bool {
    let original = F.conntrack(state, tuple, tcp: isTCP)
    guard var entry = current(original, tuple, F.self, tcp: isTCP), Self.accepts(entry, filter, found) else {
      monitor = config.trace_payload_len
      return false
    }
    let isClosing = entry.flags & ConntrackFlag.closing != 0
    if direction == .service, flags.isSYN, isClosing,
      entry.last_tx_report &+ clock(config.ct_service_close_rebalance) <= now
    {
      monitor = config.trace_payload_len
      return false
    }
    if !Self.isDead(entry) { monitor = refresh(&entry, isTCP, direction, flags) }
    if config.enable_conntrack_accounting != 0 {
      entry.packets &+= 1
      entry.bytes &+= UInt64(packet.count)
    }
    var isFound = true
    if flags.isRST || flags.isFIN {
      monitor = close(&entry, direction, flags)
    } else if flags.isSYN, !flags.isACK || !profile.has(.acknowledgedSYN), isClosing {
      // Reopened: the old entry is revived, and the caller makes a new one if policy allows.
      entry.flags &= ~(ConntrackFlag.closing | ConntrackFlag.seenNonSYN)
      entry.rx_flags_seen = 0
      entry.tx_flags_seen = 0
      monitor = refresh(&entry, isTCP, direction, flags)
      isFound = false
    }
    if isFound { fill(&found, entry, direction, isSYN: flags.isSYN) }
    pending.put(entry, at: tuple, in: F.conntrackMap(tcp: isTCP), original: original)
    return isFound
  }

  /// The entry as this run has left it so far.
  @inline(__always)
  private func current<F: IPFamily>(
    _ original: CTEntry?, _ tuple: F.Tuple, _: F.Type, tcp: Bool
  ) -> CTEntry? {
    switch pending.find(tuple, in: F.conntrackMap(tcp: tcp), as: CTEntry.self) {
    case .untouched: original
    case .deleted: nil
    case .value(let entry): entry
    }
  }

  /// The entry under a tuple, only to be looked at (`ct_has_egress_entry4` and its kin).
  mutating func peek<F: IPFamily>(_ state: borrowing NodeState, _ tuple: F.Tuple, _: F.Type) -> CTEntry? {
    let isTCP = tuple.nexthdr == IPProtocol.tcp
    return current(F.conntrack(state, tuple, tcp: isTCP), tuple, F.self, tcp: isTCP)
  }

  /// Changes an entry in place, if it is there (`ct_update_svc_entry`).
  mutating func amend<F: IPFamily>(
    _ state: borrowing NodeState, _ tuple: F.Tuple, _: F.Type, _ change: (inout CTEntry) -> Void
  ) {
    let isTCP = tuple.nexthdr == IPProtocol.tcp
    let original = F.conntrack(state, tuple, tcp: isTCP)
    guard var entry = current(original, tuple, F.self, tcp: isTCP) else { return }
    change(&entry)
    pending.put(entry, at: tuple, in: F.conntrackMap(tcp: isTCP), original: original)
  }

  /// `ct_entry_matches_types`
  private static func accepts(_ entry: CTEntry, _ filter: ConntrackFilter, _ state: ConntrackState) -> Bool {
    switch filter {
    case .any: true
    case .service: entry.rev_nat_index == state.revNATIndex
    case .nodePort:
      entry.flags & ConntrackFlag.nodePort != 0 && entry.rev_nat_index != 0
        && (state.revNATIndex == 0 || state.revNATIndex == entry.rev_nat_index)
    }
  }

  private static func isDead(_ entry: CTEntry) -> Bool {
    entry.flags & ConntrackFlag.closing == ConntrackFlag.closing
  }

  /// The closing half of `__ct_lookup`; returns how much of the packet to show.
  private mutating func close(
    _ entry: inout CTEntry, _ direction: ConntrackDirection, _ flags: TCPFlags
  ) -> UInt32 {
    // Only one direction is ever seen of a service entry; a reset is final. Cilium means to ask whether both SYNs were
    // seen, but tests an octet for a bit of the second (`TCP_FLAG_SYN` is a 32-bit value in network order): on
    // little-endian machines the answer is always no.
    if direction == .service || flags.isRST {
      entry.flags |= ConntrackFlag.closing
    } else {
      entry.flags |= direction == .ingress ? ConntrackFlag.rxClosing : ConntrackFlag.txClosing
    }
    if Self.isDead(entry) {
      _ = refresh(&entry, lifetime: clock(config.ct_close_timeout), direction, flags)
    }
    return config.trace_payload_len
  }

  /// `ct_update_timeout`
  private mutating func refresh(
    _ entry: inout CTEntry, _ isTCP: Bool, _ direction: ConntrackDirection, _ flags: TCPFlags
  ) -> UInt32 {
    let isService = direction == .service
    guard isTCP else {
      let lifetime = isService ? config.ct_service_lifetime_nontcp : config.ct_connection_lifetime_nontcp
      return refresh(&entry, lifetime: clock(lifetime), direction, flags)
    }
    if !flags.isSYN { entry.flags |= ConntrackFlag.seenNonSYN }
    let established = isService ? config.ct_service_lifetime_tcp : config.ct_connection_lifetime_tcp
    let lifetime = entry.flags & ConntrackFlag.seenNonSYN != 0 ? established : config.ct_syn_timeout
    return refresh(&entry, lifetime: clock(lifetime), direction, flags)
  }

  /// `__ct_update_timeout`: zero when the flow was shown recently and no new TCP flag came up.
  private mutating func refresh(
    _ entry: inout CTEntry, lifetime: UInt32, _ direction: ConntrackDirection, _ flags: TCPFlags
  ) -> UInt32 {
    entry.lifetime = now &+ lifetime
    let isIngress = direction == .ingress
    let known = isIngress ? entry.rx_flags_seen : entry.tx_flags_seen
    let lastReport = isIngress ? entry.last_rx_report : entry.last_tx_report
    let seen = known | (flags.bits & config.ct_report_flags)
    guard lastReport &+ clock(config.ct_report_interval) < now || seen != known else { return 0 }
    if isIngress {
      entry.rx_flags_seen = seen
      entry.last_rx_report = now
    } else {
      entry.tx_flags_seen = seen
      entry.last_tx_report = now
    }
    return config.trace_payload_len
  }

  /// `ct_lookup_fill_state`
  private func fill(
    _ state: inout ConntrackState, _ entry: CTEntry, _ direction: ConntrackDirection, isSYN: Bool
  ) {
    state.revNATIndex = entry.rev_nat_index
    if direction == .service {
      state.backendID = UInt32(truncatingIfNeeded: entry.backend_id)
      state.isSYN = isSYN
    } else {
      state.flags = entry.flags & sharedFlags
      state.natAddress = NATAddress(low: entry.nat_addr_low, high: entry.backend_id)
      state.natPort = entry.nat_port
    }
  }

  /// Only the endpoint's object knows loopback connections (`USE_LOOPBACK_LB`).
  private var sharedFlags: UInt16 {
    object == .lxc ? ConntrackFlag.shared : ConntrackFlag.shared & ~ConntrackFlag.loopback
  }

  /// `ct_create4`, `ct_create6`: the entry, and if wanted one for ICMP errors about the connection.
  mutating func createConnection<F: IPFamily>(
    _ state: borrowing NodeState, _ tuple: F.Tuple, _: F.Type, _ direction: ConntrackDirection,
    _ new: ConntrackState, withErrors: Bool
  ) {
    let isTCP = tuple.nexthdr == IPProtocol.tcp
    var entry = CTEntry()
    entry.rev_nat_index = new.revNATIndex
    entry.src_sec_id = new.sourceIdentity
    if direction == .service {
      entry.backend_id = UInt64(new.backendID)
    } else {
      entry.flags = new.flags & sharedFlags
      entry.nat_addr_low = new.natAddress.low
      entry.backend_id = new.natAddress.high
      entry.nat_port = new.natPort
    }
    _ = refresh(&entry, isTCP, direction, TCPFlags(bits: isTCP ? 2 : 0))
    if withErrors {
      let related = F.tuple(
        daddr: tuple.daddr, saddr: tuple.saddr, dport: 0, sport: 0, nexthdr: F.icmpProtocol,
        flags: tuple.flags | TupleFlag.related)
      put(state, entry, at: related, F.self, tcp: false)
    }
    if config.enable_conntrack_accounting != 0 {
      entry.packets = 1
      entry.bytes = UInt64(packet.count)
    }
    put(state, entry, at: tuple, F.self, tcp: isTCP)
    note(.conntrackCreated(direction.step))
  }

  private mutating func put<F: IPFamily>(
    _ state: borrowing NodeState, _ entry: CTEntry, at tuple: F.Tuple, _: F.Type, tcp: Bool
  ) {
    // The old value matters only to tell whether anything changed.
    let original = R.isFull ? F.conntrack(state, tuple, tcp: tcp) : nil
    pending.put(entry, at: tuple, in: F.conntrackMap(tcp: tcp), original: original)
  }
}
