/// The maps that model and kernel share.
public enum MapID: UInt8, CaseIterable, Sendable, Hashable, BitwiseCopyable {
  case endpoints, ipcache, policy, policyStats
  case ct4TCP, ct4Any, ct6TCP, ct6Any
  case services4, services6, backends4, backends6, reverseNAT4, reverseNAT6
  case affinity4, affinity6, affinityMatch
  case nat4, nat6, fragments4, fragments6
  case metrics, auth, nodes, devices, rateLimit

  /// The name in the kernel and in Cilium's tools.
  public var name: String {
    switch self {
    case .endpoints: "cilium_lxc"
    case .ipcache: "cilium_ipcache_v2"
    case .policy: "cilium_policy_v2"
    case .policyStats: "cilium_policystats"
    case .ct4TCP: "cilium_ct4_global"
    case .ct4Any: "cilium_ct_any4_global"
    case .ct6TCP: "cilium_ct6_global"
    case .ct6Any: "cilium_ct_any6_global"
    case .services4: "cilium_lb4_services_v2"
    case .services6: "cilium_lb6_services_v2"
    case .backends4: "cilium_lb4_backends_v3"
    case .backends6: "cilium_lb6_backends_v3"
    case .reverseNAT4: "cilium_lb4_reverse_nat"
    case .reverseNAT6: "cilium_lb6_reverse_nat"
    case .affinity4: "cilium_lb4_affinity"
    case .affinity6: "cilium_lb6_affinity"
    case .affinityMatch: "cilium_lb_affinity_match"
    case .nat4: "cilium_snat_v4_external"
    case .nat6: "cilium_snat_v6_external"
    case .fragments4: "cilium_ipv4_frag_datagrams"
    case .fragments6: "cilium_ipv6_frag_datagrams"
    case .metrics: "cilium_metrics"
    case .auth: "cilium_auth_map"
    case .nodes: "cilium_node_map_v2"
    case .devices: "cilium_devices"
    case .rateLimit: "cilium_ratelimit"
    }
  }

  /// Octets of a key.
  public var keySize: Int {
    switch self {
    case .endpoints: MemoryLayout<EndpointKey>.size
    case .ipcache: MemoryLayout<IPCacheKey>.size
    case .policy: MemoryLayout<PolicyKey>.size
    case .policyStats: MemoryLayout<PolicyStatsKey>.size
    case .ct4TCP, .ct4Any, .nat4: MemoryLayout<CTTuple4>.size
    case .ct6TCP, .ct6Any, .nat6: MemoryLayout<CTTuple6>.size
    case .services4: MemoryLayout<ServiceKey4>.size
    case .services6: MemoryLayout<ServiceKey6>.size
    case .backends4, .backends6, .devices: MemoryLayout<UInt32>.size
    case .reverseNAT4, .reverseNAT6: MemoryLayout<UInt16>.size
    case .affinity4: MemoryLayout<AffinityKey4>.size
    case .affinity6: MemoryLayout<AffinityKey6>.size
    case .affinityMatch: MemoryLayout<AffinityMatch>.size
    case .fragments4: MemoryLayout<FragmentKey4>.size
    case .fragments6: MemoryLayout<FragmentKey6>.size
    case .metrics: MemoryLayout<MetricsKey>.size
    case .auth: MemoryLayout<AuthKey>.size
    case .nodes: MemoryLayout<NodeKey>.size
    case .rateLimit: MemoryLayout<RateLimitKey>.size
    }
  }

  /// Octets of a value.
  public var valueSize: Int {
    switch self {
    case .endpoints: MemoryLayout<EndpointInfo>.size
    case .ipcache: MemoryLayout<RemoteEndpointInfo>.size
    case .policy: MemoryLayout<PolicyEntry>.size
    case .policyStats, .metrics: MemoryLayout<Counters>.size
    case .ct4TCP, .ct4Any, .ct6TCP, .ct6Any: MemoryLayout<CTEntry>.size
    case .services4, .services6: MemoryLayout<ServiceEntry>.size
    case .backends4: MemoryLayout<Backend4>.size
    case .backends6: MemoryLayout<Backend6>.size
    case .reverseNAT4: MemoryLayout<ReverseNAT4>.size
    case .reverseNAT6: MemoryLayout<ReverseNAT6>.size
    case .affinity4, .affinity6: MemoryLayout<AffinityValue>.size
    case .affinityMatch: MemoryLayout<UInt8>.size
    case .nat4: MemoryLayout<NATEntry4>.size
    case .nat6: MemoryLayout<NATEntry6>.size
    case .fragments4, .fragments6: MemoryLayout<FragmentPorts>.size
    case .auth: MemoryLayout<AuthInfo>.size
    case .nodes: MemoryLayout<NodeValue>.size
    case .devices: MemoryLayout<DeviceState>.size
    case .rateLimit: MemoryLayout<RateLimitValue>.size
    }
  }

  /// Whether each endpoint has a map of its own.
  public var isPerEndpoint: Bool { self == .policy }

  /// Whether values are counters of each CPU, which a change adds to.
  public var isCounter: Bool { self == .metrics || self == .policyStats }

  /// Whether programs write to it (the others are written by the agent alone).
  public var isWrittenByPrograms: Bool {
    switch self {
    case .ct4TCP, .ct4Any, .ct6TCP, .ct6Any, .affinity4, .affinity6, .nat4, .nat6, .fragments4, .fragments6,
      .metrics, .policyStats, .rateLimit:
      true
    default: false
    }
  }
}
