internal import MapABI

// A packet enters a pod's device; attached with endpoint routes only. Source: `cil_to_container` and
// `tail_ipv4_to_endpoint` in Cilium's bpf/bpf_lxc.c.
extension Run {
  /// `cil_to_container`
  mutating func toContainer(_ state: borrowing NodeState) -> Outcome {
    note(.stage(.entry))
    var identity: UInt32 = 0
    do throws(Drop) {
      let type = try frameEtherType()
      clearControlBlock()
      if config.enable_l7_lb != 0, markMagic == Mark.proxyEgressEndpoint {
        throw stopUnmodelled("L7 load balancing")
      }
      let sender = inheritIdentity()
      identity = sender.identity
      let isProxy = sender.magic == Mark.proxyIngress || sender.magic == Mark.proxyEgress
      trace(
        isProxy ? .fromProxy : .fromStack, source: identity, destination: config.security_label,
        destinationID: config.endpoint_id, ifindex: ingressIfindex,
        TraceContext(reason: .unknown, monitor: config.trace_payload_len), etherType: type)
      if config.enable_host_firewall != 0, config.enable_routing == 0, identity == Identity.host {
        throw stopUnmodelled("host firewall with endpoint routes")
      }
      try requireNetworkHeader(type)
      switch type {
      case IPv6.etherType where config.enable_ipv6 != 0:
        cb[ControlSlot.sourceLabel] = identity
        return containerIngress(state, IPv6.self)
      case IPv4.etherType where config.enable_ipv4 != 0:
        cb[ControlSlot.sourceLabel] = identity
        return containerIngress(state, IPv4.self)
      case EtherType.arp where config.enable_ipv4 != 0: return .pass
      default: throw Drop(.unknownL3)
      }
    } catch {
      return drop(
        error, at: .entry, source: identity, destination: config.security_label,
        destinationID: config.endpoint_id, .ingress)
    }
  }

  /// `tail_ipv4_ct_ingress`, then `tail_ipv4_to_endpoint`
  private mutating func containerIngress<F: IPFamily>(_ state: borrowing NodeState, _: F.Type) -> Outcome {
    var ending = Outcome.pass
    guard let connection = trackConnection(state, F.self, .ingress, .both, &ending) else { return ending }
    extError = 0
    note(.stage(.policy))
    var source = takeControlBlock(ControlSlot.sourceLabel)
    do throws(Drop) {
      if F.isIPv6, neighbourDiscoveryType() != nil { return .pass }
      if isReserved(source), let info = lookUpIdentity(state, try self.source(F.self), F.self),
        info.sec_identity != Identity.host
      {
        source = info.sec_identity
      }
      if config.local_delivery_metrics != 0 { count(MetricReason.forwarded, .ingress, .delivery) }
      switch try enforceIngress(state, connection, source: source, fromTunnel: false) {
      case .allowed: return .pass
      case .proxy(let port): return try hairpinToProxy(F.self, port)
      }
    } catch {
      return drop(
        error, at: .policy, source: source, destination: config.security_label,
        destinationID: config.endpoint_id, .ingress)
    }
  }

  /// `ctx_redirect_to_proxy_hairpin_ipv4`: back to the host, where to_host finds the proxy's port in the mark.
  private mutating func hairpinToProxy<F: IPFamily>(_: F.Type, _ port: UInt16) throws(Drop) -> Outcome {
    let magic = Mark.toProxy | UInt32(port) << 16
    cb[ControlSlot.proxyMagic] = magic
    defer { mark = cb[ControlSlot.proxyMagic] }
    note(.toProxy(port: UInt16(bigEndian: port)))
    let routed = try route(F.self, from: config.interface_mac, to: config.cilium_host_mac, .egress)
    guard routed == .pass else { return routed }
    return redirect(config.cilium_net_ifindex, .egress)
  }
}
