internal import MapABI
internal import Wire

/// `struct remote_endpoint_info.flags`
enum IPCacheFlag {
  static let skipTunnel: UInt8 = 1
  static let hasTunnelEndpoint: UInt8 = 2
  static let ipv6TunnelEndpoint: UInt8 = 4
  static let remoteCluster: UInt8 = 8
}

extension RemoteEndpointInfo {
  var skipsTunnel: Bool { flags & IPCacheFlag.skipTunnel != 0 }
  var hasTunnelEndpoint: Bool { flags & IPCacheFlag.hasTunnelEndpoint != 0 }
  var isRemoteCluster: Bool { flags & IPCacheFlag.remoteCluster != 0 }
}

extension Run {
  /// `lookup_ip4_remote_endpoint`: who has an address, and on which node.
  mutating func lookUpIdentity<F: IPFamily>(
    _ state: borrowing NodeState, _ address: F.Address, _: F.Type
  ) -> RemoteEndpointInfo? {
    let key = IPCacheKey(
      prefixlen: IPCacheKey.staticPrefix + UInt32(F.addressWidth), cluster_id: 0, pad1: 0,
      family: F.isIPv6 ? 2 : 1, ip: address.words)
    let info = state.maps.ipcache[matching: key]
    note(.ipcache(key, info))
    return info
  }

  /// `__lookup_ip4_endpoint`: the endpoint of this node that has an address, the node itself included.
  mutating func lookUpEndpoint<F: IPFamily>(
    _ state: borrowing NodeState, _ address: F.Address, _: F.Type
  ) -> EndpointInfo? {
    let key = EndpointKey(ip: address.words, family: F.isIPv6 ? 2 : 1, key: 0, cluster_id: 0)
    let info = state.maps.endpoints[key]
    note(.endpoint(key, info))
    return info
  }

  /// `encap_and_redirect_with_nodeid`: to the tunnel device, which will write the sender's identity as VNI.
  mutating func encapsulate(
    _ info: RemoteEndpointInfo, source: UInt32, destination: UInt32, _ context: TraceContext,
    etherType: UInt16
  ) -> Outcome {
    // To the other node this node is a remote one.
    let identity = source == Identity.host ? Identity.remoteNode : source
    trace(
      .toOverlay, source: identity, destination: destination, ifindex: config.encap_ifindex, context,
      etherType: etherType)
    let isIPv6 = info.flags & IPCacheFlag.ipv6TunnelEndpoint != 0
    let vni = vni(of: identity)
    let remote = info.tunnel_endpoint.address(isIPv6 ? .ipv6 : .ipv4)
    tunnelKey = TunnelKey(id: vni, remote: remote, tos: 0, ttl: 64)
    note(.encapsulated(vni: vni))
    return redirect(config.encap_ifindex, .egress)
  }
}
