import Datapath
import MapABI
import Wire

/// A node with two pods, a remote pod behind a tunnel, and the default configuration.
struct Node {
  static let client = Pod(id: 101, identity: 10_001, ifindex: 21, ipv4: "10.244.1.11", ipv6: "fd00:1::11")
  static let server = Pod(id: 102, identity: 10_002, ifindex: 22, ipv4: "10.244.1.12", ipv6: "fd00:1::12")
  static let remote = Pod(id: 0, identity: 10_003, ifindex: 0, ipv4: "10.244.2.13", ipv6: "fd00:2::13")
  static let remoteNode = "172.18.0.3"
  static let encapIfindex: UInt32 = 5

  struct Pod {
    var id: UInt16
    var identity: UInt32
    var ifindex: UInt32
    var ipv4: String
    var ipv6: String
    var mac: MACBytes {
      MACBytes(a0: 2, a1: 0, a2: 0, a3: 0, a4: 1, a5: UInt8(truncatingIfNeeded: ifindex), pad: 0)
    }
    var hostMAC: MACBytes {
      MACBytes(a0: 2, a1: 0, a2: 0, a3: 0, a4: 2, a5: UInt8(truncatingIfNeeded: ifindex), pad: 0)
    }
  }

  var image = MapImage(node: "n1")
  var config = Node.defaultConfig()
  var profile = DatapathProfile.current
  var environment = Environment(ktime: 1_000_000_000_000, random: 7, flowHash: 0xabcd)

  init() {
    for pod in [Self.client, Self.server] {
      for address in [Self.ip(pod.ipv4), Self.ip(pod.ipv6)] {
        image.maps.endpoints[EndpointKey(address)] = EndpointInfo(
          ifindex: pod.ifindex, unused: 0, lxc_id: pod.id, flags: 0, rt_info: 0, mac: pod.mac,
          node_mac: pod.hostMAC, sec_id: pod.identity, parent_ifindex: 0, pad0: 0, pad1: 0)
        addIdentity(address, pod.identity)
      }
      image.maps.policies[pod.id] = EndpointPolicies.Table()
      allow(pod, egress: true)
      allow(pod, egress: false)
    }
    for address in [Self.ip(Self.remote.ipv4), Self.ip(Self.remote.ipv6)] {
      addIdentity(address, Self.remote.identity, tunnel: Self.remoteNode)
    }
    for address in ["10.244.1.1", "172.18.0.2", "fd00:1::1"] {
      image.maps.endpoints[EndpointKey(Self.ip(address))] = EndpointInfo(
        ifindex: 0, unused: 0, lxc_id: 0, flags: 1, rt_info: 0, mac: MACBytes(), node_mac: MACBytes(),
        sec_id: 1, parent_ifindex: 0, pad0: 0, pad1: 0)
      addIdentity(Self.ip(address), 1)
    }
    addIdentity(Self.ip(Self.remoteNode), 6)
  }

  static func ip(_ text: String) -> IPAddress { IPAddress(text) ?? .v4(IPv4Address(bits: 0)) }

  mutating func addIdentity(_ address: IPAddress, _ identity: UInt32, tunnel: String? = nil) {
    image.maps.ipcache[exactly: IPCacheKey(address)] = RemoteEndpointInfo(
      sec_identity: identity, tunnel_endpoint: AddressWords(Self.ip(tunnel ?? "0.0.0.0")), pad: 0, key: 0,
      flags: tunnel == nil ? 0 : 2)
  }

  /// Adds a policy entry. `prefix` counts the bits of protocol and port that are named.
  mutating func addPolicy(
    _ pod: Pod, identity: UInt32, egress: Bool, protocol: UInt8 = 0, port: UInt16 = 0, prefix: UInt8? = nil,
    deny: Bool = false, proxyPort: UInt16 = 0, precedence: UInt32 = 0, auth: UInt8 = 0
  ) {
    let bits = prefix ?? (`protocol` == 0 ? 0 : port == 0 ? 8 : 24)
    var key = PolicyKey(identity: identity, egress: egress, protocol: `protocol`, port: port)
    key.prefixlen = 40 + UInt32(bits)
    image.maps.policies[pod.id]?[exactly: key] = PolicyEntry(
      proxy_port: proxyPort.bigEndian, bits: (deny ? 1 : 0) | bits << 3, auth: auth,
      precedence: precedence, cookie: 0)
  }

  mutating func allow(_ pod: Pod, egress: Bool) { addPolicy(pod, identity: 0, egress: egress) }

  mutating func isolate(_ pod: Pod) { image.maps.policies[pod.id] = EndpointPolicies.Table() }

  /// A ClusterIP with backends, ids counting from 1.
  mutating func addService(
    _ address: String, port: UInt16, protocol: UInt8 = 6, backends: [(String, UInt16)], flags: UInt8 = 0,
    flags2: UInt8 = 0, revNAT: UInt16 = 5, scope: UInt8 = 0, affinity: UInt32 = 0
  ) {
    let ip = Self.ip(address)
    func entry(_ id: UInt32, count: UInt16 = 0) -> ServiceEntry {
      ServiceEntry(
        backend_id: id, count: count, rev_nat_index: revNAT, flags: flags, flags2: flags2, qcount: 0)
    }
    for (slot, entry) in [(0, entry(affinity, count: UInt16(backends.count)))]
      + backends.indices.map({ ($0 + 1, entry(UInt32($0 + 1))) })
    {
      switch ip {
      case .v4:
        image.maps.services4[
          ServiceKey4(
            address: AddressWords(ip).w0, dport: port.bigEndian, backend_slot: UInt16(slot),
            proto: `protocol`, scope: scope, pad: 0)] = entry
      case .v6:
        image.maps.services6[
          ServiceKey6(
            address: AddressWords(ip), dport: port.bigEndian, backend_slot: UInt16(slot),
            proto: `protocol`, scope: scope, pad: 0)] = entry
      }
    }
    for (index, backend) in backends.enumerated() {
      let words = AddressWords(Self.ip(backend.0))
      let id = UInt32(index + 1)
      switch ip {
      case .v4:
        image.maps.backends4[id] = Backend4(
          address: words.w0, port: backend.1.bigEndian, proto: `protocol`, flags: 0, cluster_id: 0, zone: 0,
          pad: 0)
        image.maps.reverseNAT4[revNAT] = ReverseNAT4(address: AddressWords(ip).w0, port: port.bigEndian)
      case .v6:
        image.maps.backends6[id] = Backend6(
          address: words, port: backend.1.bigEndian, proto: `protocol`, flags: 0, cluster_id: 0, zone: 0,
          pad: 0)
        image.maps.reverseNAT6[revNAT] = ReverseNAT6(address: AddressWords(ip), port: port.bigEndian)
      }
    }
  }

  static func defaultConfig() -> DatapathConfig {
    var config = DatapathConfig()
    config.interface_mac = client.hostMAC
    config.eth_header_length = 14
    config.host_ep_id = 7
    config.cilium_net_mac = MACBytes(a0: 2, a1: 0, a2: 0, a3: 0, a4: 3, a5: 2, pad: 0)
    config.cilium_host_mac = MACBytes(a0: 2, a1: 0, a2: 0, a3: 0, a4: 3, a5: 1, pad: 0)
    config.cilium_net_ifindex = 3
    config.cilium_host_ifindex = 4
    config.encap_ifindex = encapIfindex
    config.ipv4_gateway = AddressWords(ip("10.244.1.1")).w0
    config.router_ipv6 = AddressWords(ip("fd00:1::1"))
    config.ipv4_direct_routing = AddressWords(ip("172.18.0.2")).w0
    config.direct_routing_dev_ifindex = 2
    config.service_loopback_ipv4 = AddressWords(ip("169.254.42.1")).w0
    config.service_loopback_ipv6 = AddressWords(ip("fe80::1"))
    config.trace_payload_len = 128
    config.trace_payload_len_overlay = 192
    config.cluster_id_bits = 8
    config.tunnel_port = 8472
    config.nodeport_port_min = 30000
    config.nodeport_port_max = 32767
    config.ephemeral_min = 32768
    config.tunnel_protocol = 1
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
    config.kernel_hz = 250
    config.policy_verdict_log_filter = 3
    config.enable_ipv4 = 1
    config.enable_ipv6 = 1
    config.enable_nodeport = 1
    config.enable_routing = 1
    config.tunnel_mode = 1
    config.have_encap = 1
    config.enable_socket_lb_host_only = 1
    config.enable_identity_mark = 1
    config.enable_arp_responder = 1
    config.enable_ipv4_fragments = 1
    config.enable_ipv6_fragments = 1
    config.allow_icmp_frag_needed = 1
    config.enable_icmp_rule = 1
    config.enable_policy_accounting = 1
    config.enable_no_service_endpoints_routable = 1
    config.service_no_backend_response = 1
    config.drop_notify = 1
    config.trace_notify = 1
    config.policy_verdict_notify = 1
    config.local_delivery_metrics = 1
    config.enable_per_packet_lb = 1
    config.env_pinned = 1
    return config
  }

  func podConfig(_ pod: Pod) -> DatapathConfig {
    var config = config
    config.security_label = pod.identity
    config.endpoint_id = pod.id
    config.endpoint_ipv4 = AddressWords(Self.ip(pod.ipv4)).w0
    config.endpoint_ipv6 = AddressWords(Self.ip(pod.ipv6))
    config.interface_ifindex = pod.ifindex
    config.interface_mac = pod.hostMAC
    return config
  }

  /// The node's state; the policy stage of every pod is there.
  func state() -> NodeState {
    var image = image
    image.endpointConfigs = [Self.client, Self.server].map(podConfig)
    return NodeState(image)
  }

  /// A frame from the client's device.
  func fromClient(_ frame: [UInt8], in state: borrowing NodeState) throws -> HookResult {
    let attachment = Attachment(
      hook: .fromContainer, ifindex: Self.client.ifindex, device: "lxc-client",
      config: podConfig(Self.client))
    let input = HookInput(
      .skb(SocketBuffer(frame: frame, ifindex: Self.client.ifindex, ingressIfindex: Self.client.ifindex)),
      environment: environment)
    let result = try Model(profile).run(attachment, on: input, state: state)
    // The verdict alone is found by other code paths; it has to be the same.
    let verdict = try Model(profile).verdict(attachment, on: input, state: state)
    guard verdict == result.verdict else { throw Disagreement(full: result.verdict, alone: verdict) }
    return result
  }

  func fromClient(_ frame: [UInt8]) throws -> HookResult { try fromClient(frame, in: state()) }

  static let native: UInt32 = 2

  /// Runs any tc hook on a device of the node.
  func run(
    _ hook: Hook, _ frame: [UInt8], mark: UInt32 = 0, tunnel: TunnelKey? = nil, tcIndex: UInt16 = 0,
    cb: ControlBlock = ControlBlock(), in state: borrowing NodeState
  ) throws -> HookResult {
    var config = config
    let ifindex: UInt32
    switch hook {
    case .fromContainer, .toContainer:
      config = podConfig(Self.client)
      ifindex = Self.client.ifindex
    case .fromOverlay, .toOverlay:
      ifindex = Self.encapIfindex
      config.local_delivery_metrics = 0
    case .fromHost, .toHost:
      ifindex = config.cilium_host_ifindex
      config.security_label = 1
    default:
      ifindex = Self.native
      config.security_label = 1
    }
    config.interface_ifindex = ifindex
    let buffer = SocketBuffer(
      frame: frame, ifindex: ifindex, ingressIfindex: ifindex, mark: mark, tcIndex: tcIndex, cb: cb,
      tunnelKey: tunnel)
    let attachment = Attachment(hook: hook, ifindex: ifindex, device: "dev", config: config)
    let input = HookInput(.skb(buffer), environment: environment)
    let result = try Model(profile).run(attachment, on: input, state: state)
    let verdict = try Model(profile).verdict(attachment, on: input, state: state)
    guard verdict == result.verdict else { throw Disagreement(full: result.verdict, alone: verdict) }
    return result
  }

  func run(
    _ hook: Hook, _ frame: [UInt8], mark: UInt32 = 0, tunnel: TunnelKey? = nil, tcIndex: UInt16 = 0,
    cb: ControlBlock = ControlBlock()
  ) throws -> HookResult {
    try run(hook, frame, mark: mark, tunnel: tunnel, tcIndex: tcIndex, cb: cb, in: state())
  }
}

struct Disagreement: Error {
  var full: Verdict
  var alone: Verdict
}

extension HookResult {
  /// The packet as it left.
  var buffer: SocketBuffer {
    guard case .skb(let buffer) = subject else { return SocketBuffer(frame: [], ifindex: 0) }
    return buffer
  }

  /// Trace points reported, in order.
  var traced: [UInt8] {
    events.compactMap { if case .trace(let notify, _) = $0 { notify.header.subtype } else { nil } }
  }

  func change(_ map: MapID, _ index: Int = 0) -> MapChange? {
    let all = changes.filter { $0.map == map }
    return index < all.count ? all[index] : nil
  }
}
