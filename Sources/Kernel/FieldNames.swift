import MapABI

/// Cilium's names for the fields of our values, in all versions from 1.18 on; for the maps whose values have changed.
enum FieldNames {
  struct Field: Sendable {
    var names: [String]
    var offset: Int
    var size: Int

    init(_ offset: Int, _ size: Int, _ names: String...) {
      self.names = names
      self.offset = offset
      self.size = size
    }
  }

  /// Nil for maps whose values are the same in every version: only their size is checked.
  static func of(_ map: MapID) -> [Field]? {
    switch map {
    case .endpoints: endpoint
    case .ipcache: remoteEndpoint
    case .policy: policy
    case .ct4TCP, .ct4Any, .ct6TCP, .ct6Any: conntrack
    case .services4, .services6: service
    default: nil
    }
  }

  /// Whether a field holds nothing: padding, or what a version has and the model leaves zero.
  static func isPadding(_ name: String) -> Bool {
    ["pad", "reserved", "unused"].contains { name.hasPrefix($0) } || name == "proxy_port_priority"
  }

  private static let endpoint = [
    Field(0, 4, "ifindex"), Field(6, 2, "lxc_id"), Field(8, 4, "flags"), Field(12, 4, "rt_info"),
    Field(16, 8, "mac"), Field(24, 8, "node_mac"), Field(32, 4, "sec_id"), Field(36, 4, "parent_ifindex"),
  ]

  private static let remoteEndpoint = [
    Field(0, 4, "sec_identity"), Field(4, 16, "tunnel_endpoint"), Field(22, 1, "key"),
    Field(
      23, 1, "flag_skip_tunnel", "flag_has_tunnel_ep", "flag_ipv6_tunnel_ep", "flag_remote_cluster", "flags"),
  ]

  private static let policy = [
    Field(0, 2, "proxy_port"), Field(2, 1, "deny", "lpm_prefix_length"),
    Field(3, 1, "auth_type", "has_explicit_auth_type"), Field(4, 4, "precedence"), Field(8, 4, "cookie"),
  ]

  private static let conntrack = [
    Field(0, 16, "nat_addr"), Field(8, 8, "backend_id"), Field(16, 8, "packets"), Field(24, 8, "bytes"),
    Field(32, 4, "lifetime"),
    Field(
      36, 1, "rx_closing", "tx_closing", "lb_loopback", "seen_non_syn", "node_port", "proxy_redirect",
      "dsr_internal"),
    Field(37, 1, "from_l7lb", "from_tunnel"), Field(38, 2, "rev_nat_index"), Field(40, 2, "nat_port"),
    Field(42, 1, "tx_flags_seen"), Field(43, 1, "rx_flags_seen"), Field(44, 4, "src_sec_id"),
    Field(48, 4, "last_tx_report"), Field(52, 4, "last_rx_report"),
  ]

  private static let service = [
    Field(0, 4, "backend_id", "affinity_timeout", "l7_lb_proxy_port"), Field(4, 2, "count"),
    Field(6, 2, "rev_nat_index"), Field(8, 1, "flags"), Field(9, 1, "flags2"), Field(10, 2, "qcount"),
  ]
}
