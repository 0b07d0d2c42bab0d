internal import MapABI

extension Run {
  /// `cil_from_host`: the node's stack sends a packet through cilium_host.
  mutating func fromHost(_ state: borrowing NodeState) -> Outcome {
    clearControlBlock()
    note(.stage(.host))
    guard let type = supportedEtherType() else { return passUnknown(source: Identity.host, .egress) }
    if config.enable_l7_lb != 0, markMagic == Mark.proxyEgressEndpoint {
      unmodelled = "L7 load balancing"
    }
    let sender = inheritIdentity()
    let isProxy = sender.magic == Mark.proxyIngress || sender.magic == Mark.proxyEgress
    return receive(
      state, etherType: type, identity: sender.identity, isProxy ? .fromProxy : .fromHost, .host)
  }
}
