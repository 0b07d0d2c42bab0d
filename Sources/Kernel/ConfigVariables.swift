import MapABI

/// Fields of `DatapathConfig` by the names of Cilium's configuration variables (`__config_<name>` in
/// `.rodata.config`).
enum ConfigVariables {
  struct Field: Sendable {
    var name: String
    var offset: Int
    var size: Int
  }

  static let prefix = "__config_"

  /// Every field that an object may have as a variable; the others are compile-time macros in all versions.
  static let fields: [Field] = [
    field("interface_mac", \.interface_mac, 8), field("interface_ifindex", \.interface_ifindex, 4),
    field("device_mtu", \.device_mtu, 2), field("eth_header_length", \.eth_header_length, 1),
    field("security_label", \.security_label, 4), field("endpoint_id", \.endpoint_id, 2),
    field("host_ep_id", \.host_ep_id, 2), field("endpoint_ipv4", \.endpoint_ipv4, 4),
    field("policy_verdict_log_filter", \.policy_verdict_log_filter, 4),
    field("endpoint_ipv6", \.endpoint_ipv6, 16), field("endpoint_netns_cookie", \.endpoint_netns_cookie, 8),
    field("cilium_net_mac", \.cilium_net_mac, 8), field("cilium_host_mac", \.cilium_host_mac, 8),
    field("cilium_net_ifindex", \.cilium_net_ifindex, 4),
    field("cilium_host_ifindex", \.cilium_host_ifindex, 4),
    field("direct_routing_dev_ifindex", \.direct_routing_dev_ifindex, 4),
    field("router_ipv6", \.router_ipv6, 16), field("service_loopback_ipv4", \.service_loopback_ipv4, 4),
    field("nat_ipv4_masquerade", \.nat_ipv4_masquerade, 4),
    field("service_loopback_ipv6", \.service_loopback_ipv6, 16),
    field("nat_ipv6_masquerade", \.nat_ipv6_masquerade, 16),
    field("trace_payload_len", \.trace_payload_len, 4),
    field("trace_payload_len_overlay", \.trace_payload_len_overlay, 4), field("cluster_id", \.cluster_id, 4),
    field("cluster_id_bits", \.cluster_id_bits, 4), field("hash_init4_seed", \.hash_init4_seed, 4),
    field("hash_init6_seed", \.hash_init6_seed, 4),
    field("events_map_rate_limit", \.events_map_rate_limit, 4),
    field("events_map_burst_limit", \.events_map_burst_limit, 4), field("kernel_hz", \.kernel_hz, 4),
    field("tunnel_port", \.tunnel_port, 2), field("nodeport_port_min", \.nodeport_port_min, 2),
    field("nodeport_port_max", \.nodeport_port_max, 2), field("ephemeral_min", \.ephemeral_min, 2),
    field("tunnel_protocol", \.tunnel_protocol, 1),
    field("enable_endpoint_routes", \.enable_endpoint_routes, 1),
    field("enable_identity_mark", \.enable_identity_mark, 1),
    field("enable_arp_responder", \.enable_arp_responder, 1),
    field("enable_ipv4_fragments", \.enable_ipv4_fragments, 1),
    field("enable_ipv6_fragments", \.enable_ipv6_fragments, 1),
    field("allow_icmp_frag_needed", \.allow_icmp_frag_needed, 1),
    field("enable_icmp_rule", \.enable_icmp_rule, 1),
    field("enable_policy_accounting", \.enable_policy_accounting, 1),
    field("enable_conntrack_accounting", \.enable_conntrack_accounting, 1),
    field("policy_deny_response_enabled", \.policy_deny_response_enabled, 1),
    field("enable_no_service_endpoints_routable", \.enable_no_service_endpoints_routable, 1),
    field("enable_extended_ip_protocols", \.enable_extended_ip_protocols, 1),
    field("enable_jiffies", \.enable_jiffies, 1), field("enable_netkit", \.enable_netkit, 1),
    field("enable_lrp", \.enable_lrp, 1),
    field("enable_remote_node_masquerade", \.enable_remote_node_masquerade, 1),
    field("enable_tproxy", \.enable_tproxy, 1),
    field("supports_fib_lookup_skip_neigh", \.supports_fib_lookup_skip_neigh, 1),
    field("enable_xdp_prefilter", \.enable_xdp_prefilter, 1),
  ]

  /// Writes `config` into the contents of `.rodata.config`, variable by variable. Variables that the model does not
  /// know keep their defaults.
  static func patch(
    _ contents: [UInt8], _ variables: [ObjectFile.Variable], _ config: DatapathConfig, object: String
  ) throws(KernelError) -> [UInt8] {
    var contents = contents
    let values = withUnsafeBytes(of: config) { Array($0) }
    for variable in variables where variable.section == ".rodata.config" && variable.name.hasPrefix(prefix) {
      let name = variable.name.dropFirst(prefix.count)
      if name == "cluster_id_max" {  // 1.19's form of cluster_id_bits
        let bits = config.cluster_id_bits
        let maximum: UInt32 = bits == 0 || bits > 31 ? 255 : (1 << bits) - 1
        try write(withUnsafeBytes(of: maximum) { Array($0) }, to: variable, &contents, object)
      } else if let field = fields.first(where: { $0.name == name }) {
        try write(Array(values[field.offset..<field.offset + field.size]), to: variable, &contents, object)
      }
    }
    return contents
  }

  /// The names of an object's variables that the model has no field for.
  static func unknown(_ variables: [ObjectFile.Variable]) -> [String] {
    variables.filter { $0.name.hasPrefix(prefix) }.map { String($0.name.dropFirst(prefix.count)) }
      .filter { name in name != "cluster_id_max" && !fields.contains { $0.name == name } }.sorted()
  }

  private static func write(
    _ value: [UInt8], to variable: ObjectFile.Variable, _ contents: inout [UInt8], _ object: String
  ) throws(KernelError) {
    guard variable.size == value.count, variable.offset >= 0, variable.offset + value.count <= contents.count
    else {
      throw KernelError(
        .object, call: "configure object",
        detail: "\(object): \(variable.name) has \(variable.size) octets, \(value.count) expected")
    }
    contents.replaceSubrange(variable.offset..<variable.offset + value.count, with: value)
  }

  private static func field<Value>(
    _ name: String, _ path: KeyPath<DatapathConfig, Value>, _ size: Int
  ) -> Field {
    Field(name: name, offset: MemoryLayout<DatapathConfig>.offset(of: path) ?? 0, size: size)
  }
}
