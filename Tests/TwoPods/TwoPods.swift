public import Datapath
public import MapABI
public import Wire

/// One node with two pods, a client (endpoint 101) and a server (endpoint 102), written by hand.
public enum TwoPods {
  public static let client = IPAddress.v4(IPv4Address(bits: 0x0af4_010a))  // 10.244.1.10
  public static let server = IPAddress.v4(IPv4Address(bits: 0x0af4_0114))  // 10.244.1.20
  public static let clientIdentity: UInt32 = 10001
  public static let serverIdentity: UInt32 = 10002
  public static let clientIfindex: UInt32 = 11
  public static let serverIfindex: UInt32 = 12
  public static let clientMAC = MACAddress(bits: 0x0a00_0000_0001)
  public static let clientHostMAC = MACAddress(bits: 0x0a00_0000_0101)
  public static let serverMAC = MACAddress(bits: 0x0a00_0000_0002)
  public static let serverHostMAC = MACAddress(bits: 0x0a00_0000_0102)

  /// What the server lets in.
  public enum Rule: Sendable { case open, none, deny }

  public static func image(_ rule: Rule, isDual: Bool = true) -> MapImage {
    var maps = NodeMaps()
    add(&maps, client, 101, clientIfindex, clientMAC, clientHostMAC, clientIdentity)
    add(&maps, server, 102, serverIfindex, serverMAC, serverHostMAC, serverIdentity)
    maps.policies[101] = policy([allowAll(egress: false), allowAll(egress: true)])
    switch rule {
    case .open: maps.policies[102] = policy([allowAll(egress: false), allowAll(egress: true)])
    case .none: maps.policies[102] = policy([allowAll(egress: true)])
    case .deny:
      maps.policies[102] = policy([deny(clientIdentity), allowAll(egress: false), allowAll(egress: true)])
    }
    let clientConfig = config(101, client, clientIfindex, clientHostMAC, clientIdentity, isDual)
    let serverConfig = config(102, server, serverIfindex, serverHostMAC, serverIdentity, isDual)
    return MapImage(
      node: "kind-worker", maps: maps,
      attachments: [
        Attachment(hook: .fromContainer, ifindex: clientIfindex, device: "lxc101", config: clientConfig),
        Attachment(hook: .fromContainer, ifindex: serverIfindex, device: "lxc102", config: serverConfig),
      ], endpointConfigs: [clientConfig, serverConfig])
  }

  /// A TCP SYN of the client, as it leaves the pod.
  public static func syn(port: UInt16 = 80) -> HookInput {
    let buffer = SocketBuffer(
      frame: Frames.tcp(
        from: (clientMAC, client), to: (clientHostMAC, server), sourcePort: 40000, destinationPort: port,
        flags: 0x02), ifindex: clientIfindex, ingressIfindex: clientIfindex)
    return HookInput(.skb(buffer), environment: Environment(ktime: 1_000_000_000_000, random: 7))
  }

  private static func add(
    _ maps: inout NodeMaps, _ address: IPAddress, _ id: UInt16, _ ifindex: UInt32, _ mac: MACAddress,
    _ hostMAC: MACAddress, _ identity: UInt32
  ) {
    var info = EndpointInfo()
    info.ifindex = ifindex
    info.lxc_id = id
    info.mac = MACBytes(mac)
    info.node_mac = MACBytes(hostMAC)
    info.sec_id = identity
    maps.endpoints[EndpointKey(address)] = info
    var remote = RemoteEndpointInfo()
    remote.sec_identity = identity
    maps.ipcache[exactly: IPCacheKey(address)] = remote
  }

  private static func policy(_ entries: [(PolicyKey, PolicyEntry)]) -> EndpointPolicies.Table {
    var table = EndpointPolicies.Table()
    for (key, entry) in entries { table[exactly: key] = entry }
    return table
  }

  private static func allowAll(egress: Bool) -> (PolicyKey, PolicyEntry) {
    (PolicyKey(prefixlen: 40, sec_label: 0, egress: egress ? 1 : 0, protocol: 0, dport: 0), PolicyEntry())
  }

  private static func deny(_ identity: UInt32) -> (PolicyKey, PolicyEntry) {
    var entry = PolicyEntry()
    entry.bits = UInt8(POLICY_ENTRY_DENY.rawValue)
    entry.precedence = 0xffff_ffff
    return (PolicyKey(prefixlen: 40, sec_label: identity, egress: 0, protocol: 0, dport: 0), entry)
  }

  public static func config(
    _ id: UInt16, _ address: IPAddress, _ ifindex: UInt32, _ mac: MACAddress, _ identity: UInt32,
    _ isDual: Bool
  ) -> DatapathConfig {
    var config = DatapathConfig()
    config.interface_mac = MACBytes(mac)
    config.interface_ifindex = ifindex
    config.device_mtu = 1500
    config.eth_header_length = 14
    config.security_label = identity
    config.endpoint_id = id
    config.host_ep_id = 99
    config.endpoint_ipv4 = AddressWords(address).w0
    config.policy_verdict_log_filter = 3
    config.cilium_net_ifindex = 4
    config.cilium_host_ifindex = 3
    config.encap_ifindex = 5
    config.direct_routing_dev_ifindex = 2
    config.ipv4_gateway = UInt32(0x0af4_0101).bigEndian
    config.ipv4_direct_routing = UInt32(0xac12_0002).bigEndian
    config.service_loopback_ipv4 = UInt32(0xa9fe_2a01).bigEndian
    config.trace_payload_len = 128
    config.trace_payload_len_overlay = 192
    config.cluster_id_bits = 8
    config.kernel_hz = 250
    config.tunnel_port = 8472
    config.nodeport_port_min = 30000
    config.nodeport_port_max = 32767
    config.ephemeral_min = 32768
    config.tunnel_protocol = UInt8(TUNNEL_VXLAN.rawValue)
    config.monitor_aggregation = 3
    config.ct_report_flags = 0xff
    config.lb_selection = 1
    config.ct_connection_lifetime_tcp = 8000
    config.ct_connection_lifetime_nontcp = 60
    config.ct_service_lifetime_tcp = 8000
    config.ct_service_lifetime_nontcp = 60
    config.ct_service_close_rebalance = 60
    config.ct_syn_timeout = 60
    config.ct_close_timeout = 10
    config.ct_report_interval = 5
    config.enable_ipv4 = 1
    config.enable_ipv6 = isDual ? 1 : 0
    config.enable_nodeport = 1
    config.enable_routing = 1
    config.tunnel_mode = 1
    config.have_encap = 1
    config.enable_socket_lb_host_only = 1
    config.enable_per_packet_lb = 1
    config.service_no_backend_response = 1
    config.enable_identity_mark = 1
    config.enable_arp_responder = 1
    config.enable_ipv4_fragments = 1
    config.enable_ipv6_fragments = 1
    config.allow_icmp_frag_needed = 1
    config.enable_icmp_rule = 1
    config.enable_policy_accounting = 1
    config.enable_no_service_endpoints_routable = 1
    config.drop_notify = 1
    config.trace_notify = 1
    config.policy_verdict_notify = 1
    config.local_delivery_metrics = 1
    config.supports_fib_lookup_skip_neigh = 1
    config.env_pinned = 1
    return config
  }
}
