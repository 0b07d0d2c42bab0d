import MapABI
import Wire

/// Map entries for readers: what a key is about, and a value's fields by name.
///
/// Connections, policies, services, addresses and counters have names for every field; of other maps the octets are
/// shown.
enum EntryFields {
  typealias Field = (name: String, value: String)

  /// `cilium_policy_v2 of endpoint 102[ingress 10001 protocol 6 port 80/24]`.
  static func key(of change: MapChange) -> String {
    let place = change.map.isPerEndpoint ? " of endpoint \(change.endpoint)" : ""
    return "\(change.map.name)\(place)[\(keyText(change))]"
  }

  /// A value's fields; those that are zero are left out.
  static func text(of change: MapChange) -> String {
    if change.operation == .delete { return "no entry" }
    let fields = fields(of: change).filter { !["0", "0x0"].contains($0.value) }
    return fields.isEmpty ? "all zero" : fields.map { "\($0.name) \($0.value)" }.joined(separator: ", ")
  }

  /// `name: ours vs theirs` for each field that differs.
  static func differences(_ ours: MapChange, _ theirs: MapChange) -> [String] {
    guard ours.operation != .delete, theirs.operation != .delete else { return [] }
    let named = zip(fields(of: ours), fields(of: theirs)).filter { $0.value != $1.value }
    if named.isEmpty { return Comparison.octetDifferences(ours.valueBytes, theirs.valueBytes) }
    return named.map { "\($0.name): \($0.value) vs \($1.value)" }
  }

  private static func keyText(_ change: MapChange) -> String {
    switch change.map {
    case .policy: text(change.key(as: PolicyKey.self))
    case .policyStats: text(change.key(as: PolicyStatsKey.self))
    case .ct4TCP, .ct4Any, .nat4: text(change.key(as: CTTuple4.self))
    case .ct6TCP, .ct6Any, .nat6: text(change.key(as: CTTuple6.self))
    case .services4: text(change.key(as: ServiceKey4.self))
    case .services6: text(change.key(as: ServiceKey6.self))
    case .endpoints: "\(change.key(as: EndpointKey.self).address)"
    case .ipcache: text(change.key(as: IPCacheKey.self))
    case .metrics: text(change.key(as: MetricsKey.self))
    default: Comparison.hexadecimal(change.keyBytes)
    }
  }

  private static func fields(of change: MapChange) -> [Field] {
    switch change.map {
    case .policy: fields(change.value(as: PolicyEntry.self))
    case .policyStats, .metrics: fields(change.value(as: Counters.self))
    case .ct4TCP, .ct4Any, .ct6TCP, .ct6Any: fields(change.value(as: CTEntry.self))
    case .services4, .services6: fields(change.value(as: ServiceEntry.self))
    case .endpoints: fields(change.value(as: EndpointInfo.self))
    case .ipcache: fields(change.value(as: RemoteEndpointInfo.self))
    default: [("value", Comparison.hexadecimal(change.valueBytes))]
    }
  }
}

extension EntryFields {
  private static func text(_ key: PolicyKey) -> String {
    policyText(key.egress, key.sec_label, key.protocol, key.dport, bits: Int(key.prefixlen) - 40)
  }

  private static func text(_ key: PolicyStatsKey) -> String {
    "endpoint \(key.endpoint_id) "
      + policyText(key.egress, key.sec_label, key.protocol, key.dport, bits: Int(key.prefix_len))
  }

  /// `bits` counts the octets of protocol and port that are named.
  private static func policyText(
    _ egress: UInt8, _ identity: UInt32, _ protocol: UInt8, _ port: UInt16, bits: Int
  ) -> String {
    let transport = bits > 0 ? " protocol \(`protocol`)" : ""
    let ports = bits > 8 ? " port \(UInt16(bigEndian: port))/\(bits)" : ""
    return "\(egress == 0 ? "ingress" : "egress") \(identity)\(transport)\(ports)"
  }

  private static func text(_ key: CTTuple4) -> String {
    tuple(
      .v4(IPv4Address(bits: UInt32(bigEndian: key.saddr))), key.sport,
      .v4(IPv4Address(bits: UInt32(bigEndian: key.daddr))), key.dport, key.nexthdr, key.flags)
  }

  private static func text(_ key: CTTuple6) -> String {
    tuple(.v6(key.saddr.v6), key.sport, .v6(key.daddr.v6), key.dport, key.nexthdr, key.flags)
  }

  /// As the tuple has it, addresses reversed in conntrack's.
  private static func tuple(
    _ source: IPAddress, _ sourcePort: UInt16, _ destination: IPAddress, _ destinationPort: UInt16,
    _ protocol: UInt8, _ flags: UInt8
  ) -> String {
    "source \(source) \(UInt16(bigEndian: sourcePort)), destination \(destination) "
      + "\(UInt16(bigEndian: destinationPort)), protocol \(`protocol`), flags \(flags)"
  }

  private static func text(_ key: ServiceKey4) -> String {
    "\(IPv4Address(bits: UInt32(bigEndian: key.address))) port \(UInt16(bigEndian: key.dport))"
      + " protocol \(key.proto) scope \(key.scope) slot \(key.backend_slot)"
  }

  private static func text(_ key: ServiceKey6) -> String {
    "\(key.address.v6) port \(UInt16(bigEndian: key.dport))"
      + " protocol \(key.proto) scope \(key.scope) slot \(key.backend_slot)"
  }

  private static func text(_ key: IPCacheKey) -> String { "\(key.address)/\(Int(key.prefixlen) - 32)" }

  private static func text(_ key: MetricsKey) -> String {
    "reason \(key.reason) direction \(key.dir) line \(key.line) file \(key.file)"
  }
}

extension EntryFields {
  private static func fields(_ value: PolicyEntry) -> [Field] {
    [
      ("deny", "\(value.bits & UInt8(POLICY_ENTRY_DENY.rawValue))"),
      ("prefix length", "\(value.bits >> UInt8(POLICY_ENTRY_PREFIX_SHIFT.rawValue))"),
      ("proxy port", "\(UInt16(bigEndian: value.proxy_port))"), ("auth", "\(value.auth)"),
      ("precedence", "\(Hexadecimal(value.precedence))"), ("cookie", "\(value.cookie)"),
    ]
  }

  private static func fields(_ value: Counters) -> [Field] {
    [("packets", "\(value.packets)"), ("bytes", "\(value.bytes)")]
  }

  private static func fields(_ value: CTEntry) -> [Field] {
    [
      ("nat address", "0x" + String(value.nat_addr_low, radix: 16)),
      ("backend", "0x" + String(value.backend_id, radix: 16)), ("packets", "\(value.packets)"),
      ("bytes", "\(value.bytes)"), ("lifetime", "\(value.lifetime)"),
      ("flags", "\(Hexadecimal(UInt32(value.flags)))"),
      ("reverse NAT", "\(UInt16(bigEndian: value.rev_nat_index))"),
      ("nat port", "\(UInt16(bigEndian: value.nat_port))"),
      ("sent flags", "\(Hexadecimal(UInt32(value.tx_flags_seen)))"),
      ("received flags", "\(Hexadecimal(UInt32(value.rx_flags_seen)))"), ("source", "\(value.src_sec_id)"),
      ("last sent report", "\(value.last_tx_report)"), ("last received report", "\(value.last_rx_report)"),
    ]
  }

  private static func fields(_ value: ServiceEntry) -> [Field] {
    [
      ("backend", "\(value.backend_id)"), ("count", "\(value.count)"),
      ("reverse NAT", "\(UInt16(bigEndian: value.rev_nat_index))"),
      ("flags", "\(Hexadecimal(UInt32(value.flags)))"),
      ("flags 2", "\(Hexadecimal(UInt32(value.flags2)))"), ("quarantined", "\(value.qcount)"),
    ]
  }

  private static func fields(_ value: EndpointInfo) -> [Field] {
    [
      ("ifindex", "\(value.ifindex)"), ("endpoint", "\(value.lxc_id)"),
      ("flags", "\(Hexadecimal(value.flags))"), ("route", "\(value.rt_info)"), ("MAC", "\(value.mac.mac)"),
      ("node MAC", "\(value.node_mac.mac)"), ("identity", "\(value.sec_id)"),
      ("parent", "\(value.parent_ifindex)"),
    ]
  }

  private static func fields(_ value: RemoteEndpointInfo) -> [Field] {
    let family: AddressFamily =
      UInt32(value.flags) & IPCACHE_FLAG_IPV6_TUNNEL_EP.rawValue != 0 ? .ipv6 : .ipv4
    return [
      ("identity", "\(value.sec_identity)"), ("tunnel", "\(value.tunnel_endpoint.address(family))"),
      ("key", "\(value.key)"), ("flags", "\(Hexadecimal(UInt32(value.flags)))"),
    ]
  }
}
