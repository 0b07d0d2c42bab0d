import MapABI
import Wire

/// The entries of a node's maps as fields by name, key and value together, as expectations speak of them.
///
/// Names are those of the ABI's structures, besides `prefix`, `address`, `direction` and `port` for what a key stands
/// for.
enum MapRows {
  typealias Row = [String: String]

  /// The entries of a map by its name; nil for one that has no names for its fields here.
  static func rows(_ name: String, _ maps: NodeMaps) -> [Row]? {
    switch name {
    case "cilium_ipcache_v2", "cilium_ipcache": maps.ipcache.entries.map(row)
    case "cilium_policy_v2", "cilium_policy":
      maps.policies.endpoints.flatMap { id in
        (maps.policies[id]?.entries ?? FlatTable()).map { row(id, $0, $1) }
      }
    case "cilium_lxc": maps.endpoints.map(row)
    case "cilium_ct4_global": maps.ct4TCP.map(row)
    case "cilium_ct_any4_global": maps.ct4Any.map(row)
    case "cilium_ct6_global": maps.ct6TCP.map(row)
    case "cilium_ct_any6_global": maps.ct6Any.map(row)
    case "cilium_lb4_services_v2": maps.services4.map(row)
    case "cilium_lb4_backends_v3": maps.backends4.map(row)
    default: nil
    }
  }

  private static func row(_ key: IPCacheKey, _ value: RemoteEndpointInfo) -> Row {
    let isIPv6 = UInt32(value.flags) & IPCACHE_FLAG_IPV6_TUNNEL_EP.rawValue != 0
    return [
      "prefix": "\(key.address)/\(Int(key.prefixlen) - 32)", "address": "\(key.address)",
      "prefixlen": "\(key.prefixlen)", "sec_identity": "\(value.sec_identity)",
      "tunnel_endpoint": "\(value.tunnel_endpoint.address(isIPv6 ? .ipv6 : .ipv4))", "key": "\(value.key)",
      "flags": "\(value.flags)",
    ]
  }

  private static func row(_ endpoint: UInt16, _ key: PolicyKey, _ value: PolicyEntry) -> Row {
    [
      "endpoint": "\(endpoint)", "direction": key.egress == 0 ? "ingress" : "egress",
      "egress": "\(key.egress)", "sec_label": "\(key.sec_label)", "protocol": "\(key.protocol)",
      "port": "\(UInt16(bigEndian: key.dport))", "prefixlen": "\(key.prefixlen)",
      "proxy_port": "\(UInt16(bigEndian: value.proxy_port))",
      "deny": "\(value.bits & UInt8(POLICY_ENTRY_DENY.rawValue))", "precedence": "\(value.precedence)",
      "auth": "\(value.auth)", "cookie": "\(value.cookie)",
    ]
  }

  private static func row(_ key: EndpointKey, _ value: EndpointInfo) -> Row {
    [
      "address": "\(key.address)", "ifindex": "\(value.ifindex)", "lxc_id": "\(value.lxc_id)",
      "flags": "\(value.flags)", "mac": "\(value.mac.mac)", "node_mac": "\(value.node_mac.mac)",
      "sec_id": "\(value.sec_id)",
    ]
  }

  private static func row(_ key: CTTuple4, _ value: CTEntry) -> Row {
    connection(
      "\(address(key.daddr))", "\(address(key.saddr))", key.dport, key.sport, key.nexthdr, key.flags, value)
  }

  private static func row(_ key: CTTuple6, _ value: CTEntry) -> Row {
    connection("\(key.daddr.v6)", "\(key.saddr.v6)", key.dport, key.sport, key.nexthdr, key.flags, value)
  }

  private static func connection(
    _ daddr: String, _ saddr: String, _ dport: UInt16, _ sport: UInt16, _ nexthdr: UInt8, _ flags: UInt8,
    _ value: CTEntry
  ) -> Row {
    [
      "daddr": daddr, "saddr": saddr, "dport": "\(UInt16(bigEndian: dport))",
      "sport": "\(UInt16(bigEndian: sport))", "nexthdr": "\(nexthdr)", "tuple_flags": "\(flags)",
      "flags": "\(value.flags)", "lifetime": "\(value.lifetime)", "rev_nat_index": "\(value.rev_nat_index)",
      "proxy_redirect": UInt32(value.flags) & CT_FLAG_PROXY_REDIRECT.rawValue != 0 ? "1" : "0",
      "src_sec_id": "\(value.src_sec_id)", "packets": "\(value.packets)", "bytes": "\(value.bytes)",
    ]
  }

  private static func row(_ key: ServiceKey4, _ value: ServiceEntry) -> Row {
    [
      "address": "\(address(key.address))", "port": "\(UInt16(bigEndian: key.dport))",
      "proto": "\(key.proto)",
      "scope": "\(key.scope)", "backend_slot": "\(key.backend_slot)", "backend_id": "\(value.backend_id)",
      "count": "\(value.count)", "rev_nat_index": "\(value.rev_nat_index)", "flags": "\(value.flags)",
      "flags2": "\(value.flags2)",
    ]
  }

  private static func row(_ id: UInt32, _ value: Backend4) -> Row {
    [
      "id": "\(id)", "address": "\(address(value.address))", "port": "\(UInt16(bigEndian: value.port))",
      "proto": "\(value.proto)", "flags": "\(value.flags)",
    ]
  }

  private static func address(_ word: UInt32) -> IPv4Address { IPv4Address(bits: UInt32(bigEndian: word)) }
}
