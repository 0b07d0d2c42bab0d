import CDatapath
import MapABI

/// `cilium-dbg bpf policy get` and `list`. Source: `cilium-dbg/cmd/bpf_policy_get.go`, `pkg/maps/policymap`.
public enum PolicyList {
  /// The policy of one endpoint; nil if it has no map.
  ///
  /// Order: deny before allow, ingress before egress, identity (as cilium-dbg sorts), then prefix length, protocol,
  /// port. With `numeric`, and where `names` knows no labels, the identity's number shows.
  public static func text(
    _ maps: NodeMaps, endpoint: UInt16, names: IdentityNames = IdentityNames(), numeric: Bool = false
  ) -> String? {
    guard let policy = maps.policies[endpoint] else { return nil }
    let entries = zip(policy.entries.keys, policy.entries.values).sorted { precedes($0, $1) }
    var table = TabWriter()
    table.row([
      "POLICY", "DIRECTION", numeric ? "IDENTITY" : "LABELS (source:key[=value])", "PORT/PROTO", "PROXY PORT",
      "AUTH TYPE", "BYTES", "PACKETS", "PREFIX", "COOKIE",
    ])
    for (key, entry) in entries {
      let stats = maps.policyStats[statsKey(key, endpoint)]
      let labels = numeric ? [] : names.printable(key.sec_label) ?? []
      let peers =
        labels.isEmpty ? [String(key.sec_label)] : labels.map { $0 == "reserved:unknown" ? "ANY" : $0 }
      table.row(cells(key, entry, stats, peer: peers[0]))
      for peer in peers.dropFirst() { table.row(["", "", peer, "", "", "", "", "", "", "", ""]) }
    }
    let hint = "Policy stats empty. Perhaps the policy enforcement is disabled?\n"
    return table.text + (entries.isEmpty ? hint : "")
  }

  /// The policies of all endpoints, ascending by id.
  public static func allText(
    _ maps: NodeMaps, names: IdentityNames = IdentityNames(), numeric: Bool = false
  ) -> String {
    guard !maps.policies.endpoints.isEmpty else { return "no maps found\n" }
    return maps.policies.endpoints.map { id in
      // The tool cuts all leading zeros of the map's name.
      let path = "/sys/fs/bpf/tc/globals/\(mapName(id))"
      return "Endpoint ID: \(id == 0 ? "" : String(id))\nPath: \(path)\n\n"
        + (text(maps, endpoint: id, names: names, numeric: numeric) ?? "") + "\n\n"
    }
    .joined()
  }

  /// `cilium_policy_v2_00232`
  static func mapName(_ endpoint: UInt16) -> String {
    "\(MapID.policy.name)_\(NumberText.zeroPadded(endpoint, width: 5))"
  }

  private static func cells(_ key: PolicyKey, _ entry: PolicyEntry, _ stats: Counters?, peer: String)
    -> [String]
  {
    let proxyPort = UInt16(bigEndian: entry.proxy_port)
    let direction =
      switch key.egress {
      case 0: "Ingress"
      case 1: "Egress"
      default: "Unknown"
      }
    return [
      isDeny(entry) ? "Deny" : "Allow", direction, peer, portText(key),
      proxyPort == 0 ? "NONE" : String(proxyPort),
      AuthTypeText.name(entry.auth & UInt8(POLICY_ENTRY_AUTH_MASK.rawValue)), countText(stats?.bytes),
      countText(stats?.packets), String(prefixLength(key)), String(entry.cookie),
    ]
  }

  private static func countText(_ count: UInt64?) -> String {
    guard let count, count != .max else { return "-" }
    return String(count)
  }

  private static func isDeny(_ entry: PolicyEntry) -> Bool {
    UInt32(entry.bits) & POLICY_ENTRY_DENY.rawValue != 0
  }

  /// Bits of protocol and port that count: 0, 8, or 9 to 24.
  private static func prefixLength(_ key: PolicyKey) -> UInt8 {
    UInt8(truncatingIfNeeded: key.prefixlen &- UInt32(POLICY_PREFIX_STATIC.rawValue))
  }

  private static func portText(_ key: PolicyKey) -> String {
    let port = UInt16(bigEndian: key.dport)
    let name = ProtocolText.name(key.protocol)
    switch prefixLength(key) {
    case 0, 8: return name
    case let length where length > 8 && length < 24:
      return "\(port)-\(port &+ (0xffff >> UInt16(length - 8)))/\(name)"
    case 24: return "\(port)/\(name)"
    case let length: return "<INVALID PREFIX LENGTH: \(length)>"
    }
  }

  private static func statsKey(_ key: PolicyKey, _ endpoint: UInt16) -> PolicyStatsKey {
    PolicyStatsKey(
      endpoint_id: endpoint, pad1: 0, prefix_len: prefixLength(key), sec_label: key.sec_label,
      egress: key.egress,
      protocol: key.protocol, dport: key.dport)
  }

  private static func precedes(_ a: (PolicyKey, PolicyEntry), _ b: (PolicyKey, PolicyEntry)) -> Bool {
    if isDeny(a.1) != isDeny(b.1) { return isDeny(a.1) }
    if a.0.egress != b.0.egress { return a.0.egress < b.0.egress }
    return (a.0.sec_label, a.0.prefixlen, a.0.protocol, UInt16(bigEndian: a.0.dport))
      < (b.0.sec_label, b.0.prefixlen, b.0.protocol, UInt16(bigEndian: b.0.dport))
  }
}
