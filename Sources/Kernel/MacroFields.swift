import MapABI

/// Fields of the configuration that Cilium compiles in as macros, by name: what a profile may fix.
enum MacroFields {
  struct Field: Sendable {
    var name: String
    var offset: Int
    var size: Int

    func value(_ config: DatapathConfig) -> UInt64 {
      withUnsafeBytes(of: config) { bytes in
        var value: UInt64 = 0
        for index in 0..<size { value |= UInt64(bytes[offset + index]) << UInt64(8 * index) }
        return value
      }
    }

    func set(_ value: UInt64, in config: inout DatapathConfig) {
      withUnsafeMutableBytes(of: &config) { bytes in
        for index in 0..<size {
          bytes[offset + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index))
        }
      }
    }
  }

  static func field(_ name: String) -> Field? { all.first { $0.name == name } }

  static let all: [Field] = [
    field("encap_ifindex", \.encap_ifindex), field("ipv4_gateway", \.ipv4_gateway),
    field("ipv4_direct_routing", \.ipv4_direct_routing), field("monitor_aggregation", \.monitor_aggregation),
    field("ct_report_flags", \.ct_report_flags), field("lb_selection", \.lb_selection),
    field("ct_connection_lifetime_tcp", \.ct_connection_lifetime_tcp),
    field("ct_connection_lifetime_nontcp", \.ct_connection_lifetime_nontcp),
    field("ct_service_lifetime_tcp", \.ct_service_lifetime_tcp),
    field("ct_service_lifetime_nontcp", \.ct_service_lifetime_nontcp),
    field("ct_service_close_rebalance", \.ct_service_close_rebalance),
    field("ct_syn_timeout", \.ct_syn_timeout), field("ct_close_timeout", \.ct_close_timeout),
    field("ct_report_interval", \.ct_report_interval), field("enable_ipv4", \.enable_ipv4),
    field("enable_ipv6", \.enable_ipv6), field("enable_nodeport", \.enable_nodeport),
    field("enable_routing", \.enable_routing), field("enable_host_routing", \.enable_host_routing),
    field("tunnel_mode", \.tunnel_mode), field("have_encap", \.have_encap),
    field("enable_socket_lb_full", \.enable_socket_lb_full),
    field("enable_socket_lb_host_only", \.enable_socket_lb_host_only),
    field("service_no_backend_response", \.service_no_backend_response),
    field("policy_audit_mode", \.policy_audit_mode), field("enable_sctp", \.enable_sctp),
    field("enable_host_firewall", \.enable_host_firewall),
    field("enable_masquerade_ipv4", \.enable_masquerade_ipv4),
    field("enable_masquerade_ipv6", \.enable_masquerade_ipv6), field("drop_notify", \.drop_notify),
    field("trace_notify", \.trace_notify), field("policy_verdict_notify", \.policy_verdict_notify),
    field("local_delivery_metrics", \.local_delivery_metrics), field("enable_l7_lb", \.enable_l7_lb),
    field("enable_wireguard", \.enable_wireguard),
    field("enable_per_packet_lb", \.enable_per_packet_lb),
    field("cilium_net_ifindex", \.cilium_net_ifindex), field("cilium_host_ifindex", \.cilium_host_ifindex),
    field("host_ep_id", \.host_ep_id), field("tunnel_port", \.tunnel_port),
    field("nodeport_port_min", \.nodeport_port_min), field("nodeport_port_max", \.nodeport_port_max),
    field("enable_arp_responder", \.enable_arp_responder),
    field("direct_routing_dev_ifindex", \.direct_routing_dev_ifindex),
    field("enable_ipv4_fragments", \.enable_ipv4_fragments),
    field("enable_ipv6_fragments", \.enable_ipv6_fragments),
  ]

  private static func field<Value: FixedWidthInteger>(
    _ name: String, _ path: KeyPath<DatapathConfig, Value>
  ) -> Field {
    Field(
      name: name, offset: MemoryLayout<DatapathConfig>.offset(of: path) ?? 0, size: MemoryLayout<Value>.size)
  }
}
