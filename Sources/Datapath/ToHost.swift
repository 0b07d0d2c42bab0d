internal import MapABI

extension Run {
  /// `cil_to_host`: a packet arrives at cilium_host or cilium_net, for the node or for its proxy.
  mutating func toHost(_ state: borrowing NodeState) -> Outcome {
    note(.stage(.host))
    var magic = cb[ControlSlot.proxyMagic]
    var identity: UInt32 = 0
    if config.enable_identity_mark != 0, markMagic == Mark.identity { identity = identityFromMark }
    if markMagic == Mark.toProxy { magic = mark }
    if magic & 0xffff == Mark.toProxy {
      cb[ControlSlot.proxyMagic] = 0
      return redirectToProxyFirst(UInt16(truncatingIfNeeded: magic >> 16))
    }
    if config.enable_host_firewall != 0 { unmodelled = "host firewall" }
    trace(
      .toStack, source: identity, destination: 0, ifindex: config.cilium_host_ifindex,
      TraceContext(reason: .unknown, monitor: 0), etherType: 0)
    note(.toStack)
    return .pass
  }

  /// `ctx_redirect_to_proxy_first`: the program before has traced the packet.
  private mutating func redirectToProxyFirst(_ port: UInt16) -> Outcome {
    if config.enable_tproxy != 0 { unmodelled = "redirect to a proxy's socket (tproxy)" }
    mark = Mark.toProxy | UInt32(port) << 16
    packetType = .host
    note(.toProxy(port: UInt16(bigEndian: port)))
    return .pass
  }
}
