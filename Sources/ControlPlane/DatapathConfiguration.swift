import Cluster
import MapABI
import Wire

/// What each attached program is told, as the agent derives it from the values, the node and the endpoint.
///
/// Source: Cilium `pkg/datapath/config/{node,endpoint,host,overlay,xdp}.go`,
/// `pkg/datapath/linux/config/config.go`.
struct DatapathConfiguration {
  let settings: Settings
  let options: DatapathOptions
  let node: NodeInfo
  /// What all programs of the node share.
  private(set) var base = DatapathConfig()

  init(settings: Settings, options: DatapathOptions, node: NodeInfo) {
    self.settings = settings
    self.options = options
    self.node = node
    base = shared
  }

  private var shared: DatapathConfig {
    var config = DatapathConfig()
    config.eth_header_length = 14
    config.device_mtu = UInt16(clamping: node.mtu)
    config.host_ep_id = node.hostEndpointID
    addDevices(&config)
    addAddresses(&config)
    addLimits(&config)
    addLifetimes(&config)
    addRouting(&config)
    addServices(&config)
    addFeatures(&config)
    return config
  }

  private func addDevices(_ config: inout DatapathConfig) {
    config.cilium_net_ifindex = Device.ciliumNetIndex
    config.cilium_host_ifindex = Device.ciliumHostIndex
    if let device = node.ciliumNet { config.cilium_net_mac = MACBytes(device.mac) }
    if let device = node.ciliumHost { config.cilium_host_mac = MACBytes(device.mac) }
    config.encap_ifindex = options.tunnel ? Device.overlayIndex : 0
  }

  private func addAddresses(_ config: inout DatapathConfig) {
    if options.ipv4, let router = node.router(.ipv4)?.v4 { config.ipv4_gateway = router.bits.bigEndian }
    if options.ipv6, let router = node.router(.ipv6)?.v6 { config.router_ipv6 = AddressWords(router) }
    if options.ipv4 { config.service_loopback_ipv4 = IPv4Address(169, 254, 42, 1).bits.bigEndian }
    if options.ipv6 {
      config.service_loopback_ipv6 = AddressWords(IPv6Address(high: 0xfe80_0000_0000_0000, low: 1))
    }
    let encryptsWithWireGuard = settings.encryption.enabled && settings.encryption.type == .wireguard
    if options.kubeProxyReplacement || !options.hostLegacyRouting || encryptsWithWireGuard {
      config.direct_routing_dev_ifindex = Device.underlayIndex
      if options.ipv4, let address = node.address(.ipv4)?.v4 {
        config.ipv4_direct_routing = address.bits.bigEndian
      }
      if options.ipv6, let address = node.address(.ipv6)?.v6 {
        config.ipv6_direct_routing = AddressWords(address)
      }
    }
  }

  private func addLimits(_ config: inout DatapathConfig) {
    config.trace_payload_len = 128
    config.trace_payload_len_overlay = 192
    config.cluster_id = UInt32(truncatingIfNeeded: settings.clusterID)
    config.cluster_id_bits = 8
    config.kernel_hz = 250
    config.nodeport_port_min = settings.loadBalancer.nodePorts.lowerBound
    config.nodeport_port_max = settings.loadBalancer.nodePorts.upperBound
    config.ephemeral_min = 32_768
    config.monitor_aggregation = options.monitorAggregation
    config.ct_report_flags = options.ctReportFlags
    let seed = MaglevSeed(settings.loadBalancer.maglevHashSeed)
    config.hash_init4_seed = seed.hash4
    config.hash_init6_seed = seed.hash6
  }

  /// The agent's `--bpf-ct-timeout-…` defaults.
  private func addLifetimes(_ config: inout DatapathConfig) {
    config.ct_connection_lifetime_tcp = 8000
    config.ct_connection_lifetime_nontcp = 60
    config.ct_service_lifetime_tcp = 8000
    config.ct_service_lifetime_nontcp = 60
    config.ct_service_close_rebalance = 60
    config.ct_syn_timeout = 60
    config.ct_close_timeout = 10
    config.ct_report_interval = UInt32(clamping: settings.bpf.monitorIntervalSeconds)
  }

  private func addRouting(_ config: inout DatapathConfig) {
    config.enable_ipv4 = options.ipv4.flag
    config.enable_ipv6 = options.ipv6.flag
    config.tunnel_mode = options.tunnel.flag
    config.have_encap = options.tunnel.flag
    if options.tunnel {
      let isVXLAN = options.tunnelProtocol == .vxlan
      config.tunnel_protocol = UInt8((isVXLAN ? TUNNEL_VXLAN : TUNNEL_GENEVE).rawValue)
      config.tunnel_port = options.tunnelPort
    }
    config.enable_routing = (!options.endpointRoutes).flag
    config.enable_endpoint_routes = options.endpointRoutes.flag
    config.enable_host_routing = (options.kubeProxyReplacement && !options.hostLegacyRouting).flag
    config.enable_masquerade_ipv4 = (options.bpfMasquerade && settings.masquerade.ipv4).flag
    config.enable_masquerade_ipv6 = (options.bpfMasquerade && settings.masquerade.ipv6).flag
    config.supports_fib_lookup_skip_neigh = 1
    config.enable_identity_mark = 1
    config.enable_ipv4_fragments = 1
    config.enable_ipv6_fragments = 1
  }

  private func addServices(_ config: inout DatapathConfig) {
    config.enable_nodeport = options.nodePort.flag
    config.enable_socket_lb_full = (options.socketLB && !options.socketLBHostOnly).flag
    config.enable_socket_lb_host_only = (options.socketLB && options.socketLBHostOnly).flag
    let l7 = settings.features.ingressController || settings.features.gatewayAPI
    config.enable_l7_lb = l7.flag
    config.enable_sctp = settings.features.sctp.flag
    config.enable_per_packet_lb = (options.perPacketLB || l7 || settings.features.sctp).flag
    config.lb_selection = settings.loadBalancer.algorithm == .random ? 1 : 2
    config.enable_no_service_endpoints_routable = settings.loadBalancer.noEndpointsRoutable.flag
    config.service_no_backend_response = (settings.loadBalancer.noBackendResponse == .reject).flag
  }

  private func addFeatures(_ config: inout DatapathConfig) {
    config.enable_policy_accounting = 1
    config.enable_conntrack_accounting = settings.bpf.ctAccounting.flag
    config.policy_deny_response_enabled = (settings.policy.denyResponse == .icmp).flag
    config.policy_audit_mode = settings.policy.auditMode.flag
    config.enable_host_firewall = settings.policy.hostFirewall.flag
    config.enable_netkit = (settings.bpf.datapathMode != .veth && settings.bpf.datapathMode != .auto).flag
    config.enable_tproxy = settings.bpf.tproxy.flag
    config.drop_notify = settings.bpf.dropEvents.flag
    config.trace_notify = settings.bpf.traceEvents.flag
    config.policy_verdict_notify = settings.bpf.policyVerdictEvents.flag
    config.enable_wireguard = (settings.encryption.enabled && settings.encryption.type == .wireguard).flag
  }
}

extension DatapathConfiguration {
  /// bpf_lxc, on the host's end of an endpoint's veth pair and in `cilium_call_policy`.
  func endpoint(_ endpoint: Endpoint) -> DatapathConfig {
    var config = base
    config.interface_mac = MACBytes(endpoint.device.mac)
    config.interface_ifindex = endpoint.device.ifindex
    config.endpoint_id = endpoint.id
    config.security_label = endpoint.identity
    if let address = endpoint.address(.ipv4)?.v4 { config.endpoint_ipv4 = address.bits.bigEndian }
    if let address = endpoint.address(.ipv6)?.v6 { config.endpoint_ipv6 = AddressWords(address) }
    // The kernel draws cookies of network namespaces; each endpoint has its own.
    config.endpoint_netns_cookie = UInt64(endpoint.device.ifindex)
    // Verdicts of both directions are told of.
    config.policy_verdict_log_filter = settings.bpf.policyVerdictEvents ? 3 : 0
    config.allow_icmp_frag_needed = 1
    config.enable_icmp_rule = 1
    config.enable_lrp = settings.loadBalancer.localRedirectPolicies.flag
    config.enable_arp_responder = 1
    config.local_delivery_metrics = 1
    return config
  }

  /// bpf_host, on cilium_host, cilium_net and the underlay device.
  func host(_ device: Device) -> DatapathConfig {
    var config = base
    config.interface_mac = MACBytes(device.mac)
    config.interface_ifindex = device.ifindex
    config.security_label = IDENTITY_HOST.number
    config.allow_icmp_frag_needed = 1
    config.enable_icmp_rule = 1
    config.local_delivery_metrics = 1
    if device.ifindex == Device.underlayIndex, options.bpfMasquerade {
      if settings.masquerade.ipv4, let address = node.address(.ipv4)?.v4 {
        config.nat_ipv4_masquerade = address.bits.bigEndian
      }
      if settings.masquerade.ipv6, let address = node.address(.ipv6)?.v6 {
        config.nat_ipv6_masquerade = AddressWords(address)
      }
    }
    return config
  }

  /// bpf_overlay and bpf_xdp.
  func plain(_ device: Device) -> DatapathConfig {
    var config = base
    config.interface_mac = MACBytes(device.mac)
    config.interface_ifindex = device.ifindex
    return config
  }

  /// Every program that the agent attaches, ordered by (ifindex, hook).
  func attachments(_ endpoints: [Endpoint], cgroupV2: Bool) -> [Attachment] {
    var attachments: [Attachment] = []
    func attach(_ hook: Hook, _ device: Device, _ config: DatapathConfig) {
      attachments.append(
        Attachment(hook: hook, ifindex: device.ifindex, device: device.name, config: config))
    }
    if options.socketLB, cgroupV2 {
      let cgroup = Device(name: "cgroup", ifindex: 0, mac: MACAddress(bits: 0))
      if options.ipv4 { attach(.sock4Connect, cgroup, base) }
      if options.ipv6 { attach(.sock6Connect, cgroup, base) }
    }
    if let device = node.underlay {
      attach(.fromNetdev, device, host(device))
      if options.devicesRequired { attach(.toNetdev, device, host(device)) }
      if settings.loadBalancer.acceleration != .disabled { attach(.xdpEntry, device, plain(device)) }
    }
    if let device = node.ciliumNet { attach(.toHost, device, host(device)) }
    if let device = node.ciliumHost {
      attach(.fromHost, device, host(device))
      attach(.toHost, device, host(device))
    }
    if let device = node.overlay {
      attach(.fromOverlay, device, plain(device))
      attach(.toOverlay, device, plain(device))
    }
    for endpoint in endpoints.sorted(by: { $0.device.ifindex < $1.device.ifindex }) {
      let config = self.endpoint(endpoint)
      attach(.fromContainer, endpoint.device, config)
      if options.endpointRoutes { attach(.toContainer, endpoint.device, config) }
    }
    return attachments
  }
}

extension Bool {
  var flag: UInt8 { self ? 1 : 0 }
}

/// The seeds that Maglev's hash starts from: octets 4…7 and 8…11 of twelve.
///
/// Source: Cilium `pkg/maglev/maglev.go`.
struct MaglevSeed {
  let hash4: UInt32
  let hash6: UInt32

  /// Of twelve octets in base64; of Cilium's own where the text is empty or is not that.
  init(_ text: String) {
    let octets = MaglevSeed.decode(text) ?? MaglevSeed.decode("JLfvgnHc2kaSUFaI") ?? []
    func word(_ start: Int) -> UInt32 {
      guard octets.count >= start + 4 else { return 0 }
      return octets[start..<start + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }
    hash4 = word(4)
    hash6 = word(8)
  }

  private static func decode(_ text: String) -> [UInt8]? {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    guard text.utf8.count == 16 else { return nil }
    var octets: [UInt8] = []
    var bits: UInt32 = 0
    for (index, character) in text.utf8.enumerated() {
      guard let digit = alphabet.firstIndex(of: character) else { return nil }
      bits = bits << 6 | UInt32(digit)
      if index % 4 == 3 {
        octets += [UInt8(bits >> 16 & 255), UInt8(bits >> 8 & 255), UInt8(bits & 255)]
        bits = 0
      }
    }
    return octets
  }
}
