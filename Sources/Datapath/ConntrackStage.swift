internal import MapABI

extension Run {
  /// `TAIL_CT_LOOKUP4`, `TAIL_CT_LOOKUP6`: the look-up as a tail call of its own; reports its own failures.
  ///
  /// Nil when the packet was dropped, with the program's end in `ending`.
  mutating func trackConnection<F: IPFamily>(
    _ state: borrowing NodeState, _: F.Type, _ direction: ConntrackDirection, _ scope: ConntrackScope,
    _ ending: inout Outcome
  ) -> Connection<F>? {
    extError = 0
    do throws(Drop) {
      try requireHeader(F.self)
      let transport = try transport(F.self)
      var tuple = F.tuple(
        daddr: try destination(F.self), saddr: try source(F.self), dport: 0, sport: 0,
        nexthdr: transport.protocol, flags: 0)
      var found = ConntrackState()
      let result = try lookUpConnection(state, &tuple, transport, F.self, direction, scope, &found)
      return Connection(
        tuple: tuple, transport: transport, status: result.status, state: found, monitor: result.monitor)
    } catch {
      ending = dropForDirection(error, direction)
      return nil
    }
  }

  /// `drop_for_direction`
  private mutating func dropForDirection(_ error: Drop, _ direction: ConntrackDirection) -> Outcome {
    if direction == .egress {
      return drop(error, at: .conntrack, source: config.security_label, .egress)
    }
    return drop(
      error, at: .conntrack, source: cb[ControlSlot.sourceLabel], destination: config.security_label,
      destinationID: config.endpoint_id, .ingress)
  }
}
