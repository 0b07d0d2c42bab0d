internal import MapABI

/// `struct endpoint_info.flags`
enum EndpointFlag {
  static let host: UInt32 = 1
  static let atHostNamespace: UInt32 = 2
}

extension EndpointInfo {
  /// The address is the node's own, or that of something in the node's network namespace.
  var isHostDelivery: Bool { flags & (EndpointFlag.host | EndpointFlag.atHostNamespace) != 0 }
}

extension MACWord {
  @inline(__always)
  init(_ mac: MACBytes) {
    first = UInt32(mac.a0) | UInt32(mac.a1) << 8 | UInt32(mac.a2) << 16 | UInt32(mac.a3) << 24
    last = UInt16(mac.a4) | UInt16(mac.a5) << 8
  }
}

// Delivery on this node. Source: Cilium's bpf/lib/local_delivery.h and l3.h.
extension Run {
  /// `ipv4_l3`, `ipv6_l3`: one router hop: TTL and Ethernet addresses.
  ///
  /// Returns a redirect where IPv6 answers "time exceeded" instead.
  mutating func route<F: IPFamily>(
    _: F.Type, from source: MACBytes?, to destination: MACBytes, _ direction: MetricDirection
  ) throws(Drop) -> Outcome {
    guard let ttl = try F.decrementTTL(packet, l3: l3) else {
      if F.isIPv6 { return sendTimeExceeded(direction) }
      throw Drop(.ttlExceeded)
    }
    note(.ttl(ttl))
    if let source, !packet.storeMAC(MACWord(source), 6) { throw Drop(.writeError) }
    guard packet.storeMAC(MACWord(destination), 0) else { throw Drop(.writeError) }
    return .pass
  }

  /// `ipv4_local_delivery`: to an endpoint of this node, through its policy.
  mutating func deliverLocally<F: IPFamily>(
    _ state: borrowing NodeState, _: F.Type, to endpoint: EndpointInfo, source: UInt32, magic: UInt32,
    _ direction: MetricDirection, fromHost: Bool, fromTunnel: Bool
  ) throws(Drop) -> Outcome {
    let routed = try route(F.self, from: endpoint.node_mac, to: endpoint.mac, direction)
    guard routed == .pass else { return routed }
    note(.deliver(endpoint: endpoint.lxc_id, ifindex: endpoint.ifindex))
    if config.local_delivery_metrics != 0 { count(MetricReason.forwarded, direction, .delivery) }

    let peer = redirectsToPeer(fromHost: fromHost)
    if config.enable_endpoint_routes != 0, !peer, config.enable_netkit == 0 || ingressIfindex > 0 {
      // The endpoint's own program enforces policy when the packet enters its device.
      setIdentityMark(source, magic)
      if config.enable_nodeport == 0, fromTunnel {
        packetType = .host
        return .pass
      }
      return redirect(endpoint.ifindex, .egress)
    }
    fillDeliveryMeta(source: source, peer: peer, fromHost: fromHost, fromTunnel: fromTunnel)
    return try enterEndpointPolicy(state, endpoint.lxc_id)
  }

  /// `should_redirect_peer`
  func redirectsToPeer(fromHost: Bool) -> Bool {
    config.enable_host_routing != 0 && !fromHost && (config.enable_netkit == 0 || ingressIfindex > 0)
  }

  /// `redirect_ep`
  mutating func redirectToEndpoint(_ ifindex: UInt32, peer: Bool, fromTunnel: Bool) -> Outcome {
    guard peer else { return redirect(ifindex, .egress) }
    if fromTunnel { packetType = .host }
    return redirect(ifindex, .peer)
  }

  /// `local_delivery_fill_meta`: the calling convention of the policy tail call.
  private mutating func fillDeliveryMeta(source: UInt32, peer: Bool, fromHost: Bool, fromTunnel: Bool) {
    var flags = DeliveryFlag.redirect
    if peer { flags |= DeliveryFlag.useRedirectPeer }
    if fromHost { flags |= DeliveryFlag.fromHost }
    if fromTunnel { flags |= DeliveryFlag.fromTunnel }
    if tcIndex & TCIndex.fromIngressProxy != 0 { flags |= DeliveryFlag.fromIngressProxy }
    if tcIndex & TCIndex.fromEgressProxy != 0 { flags |= DeliveryFlag.fromEgressProxy }
    cb[ControlSlot.sourceLabel] = source
    cb[ControlSlot.deliveryFlags] = flags
    cb[ControlSlot.fromHost] = fromHost ? 1 : 0
    cb[ControlSlot.fromTunnel] = fromTunnel ? 1 : 0
    cb[ControlSlot.clusterIDIngress] = 0
  }

  /// `ipv4_host_delivery`: to the node itself, through cilium_host.
  mutating func deliverToHost<F: IPFamily>(_: F.Type) throws(Drop) -> Outcome {
    let routed = try route(
      F.self, from: config.interface_mac, to: config.cilium_host_mac, .ingress)
    guard routed == .pass else { return routed }
    note(.toHost)
    return redirect(config.cilium_host_ifindex, .ingress)
  }
}

/// Slot 1 of the control block on the way into the policy stage.
enum DeliveryFlag {
  static let redirect: UInt32 = 1
  static let fromHost: UInt32 = 2
  static let fromTunnel: UInt32 = 4
  static let useRedirectPeer: UInt32 = 8
  static let fromIngressProxy: UInt32 = 16
  static let fromEgressProxy: UInt32 = 32
}
