import CDatapath
import MapABI
import Wire

/// `cilium-dbg bpf ipcache list` and `get`. Source: `cilium-dbg/cmd/bpf_ipcache_list.go`, `pkg/maps/ipcache`.
public enum IPCacheList {
  /// Every prefix with its identity; nothing if there is none. IPv4 first, ascending by address and prefix length.
  public static func text(_ maps: NodeMaps) -> String {
    let entries = zip(maps.ipcache.entries.keys, maps.ipcache.entries.values).sorted { $0.0.precedes($1.0) }
    guard !entries.isEmpty else { return "" }
    var dump = MapDump()
    for (key, info) in entries { dump.add(keyText(key), infoText(info)) }
    return dump.table("IP PREFIX/ADDRESS", "IDENTITY")
  }

  /// What `bpf ipcache get` says of an address.
  public static func text(_ maps: NodeMaps, address: IPAddress) -> String {
    guard let info = maps.ipcache[matching: IPCacheKey(address)] else {
      return "\(address) does not map to any identity\n"
    }
    return "\(address) maps to identity \(infoText(info))\n"
  }

  private static func keyText(_ key: IPCacheKey) -> String {
    guard let address = key.knownAddress else { return "<unknown>" }
    let length = key.prefixlen &- IPCacheKey.staticPrefix
    let prefix = length <= UInt32(address.bitWidth) ? "\(address)/\(length)" : "invalid Prefix"
    return key.cluster_id == 0 ? prefix : "\(prefix)@\(key.cluster_id)"
  }

  private static func infoText(_ info: RemoteEndpointInfo) -> String {
    let isIPv6 = UInt32(info.flags) & IPCACHE_FLAG_IPV6_TUNNEL_EP.rawValue != 0
    let endpoint = info.tunnel_endpoint.address(isIPv6 ? .ipv6 : .ipv4)
    return "identity=\(info.sec_identity) encryptkey=\(info.key) tunnelendpoint=\(endpoint) "
      + "flags=\(flagsText(info.flags))"
  }

  private static func flagsText(_ flags: UInt8) -> String {
    let names: [(ipcache_flag, String)] = [
      (IPCACHE_FLAG_SKIP_TUNNEL, "skiptunnel"), (IPCACHE_FLAG_HAS_TUNNEL_EP, "hastunnel"),
      (IPCACHE_FLAG_IPV6_TUNNEL_EP, "ipv6tunnel"), (IPCACHE_FLAG_REMOTE_CLUSTER, "remotecluster"),
    ]
    let set = names.filter { UInt32(flags) & $0.0.rawValue != 0 }.map(\.1)
    return set.isEmpty ? "<none>" : set.joined(separator: ",")
  }
}

extension IPCacheKey {
  /// nil if the family is neither.
  fileprivate var knownAddress: IPAddress? { ip.knownAddress(family: family) }

  fileprivate func precedes(_ other: IPCacheKey) -> Bool {
    switch (knownAddress, other.knownAddress) {
    case (let a?, let b?): (a, prefixlen, cluster_id) < (b, other.prefixlen, other.cluster_id)
    case (_?, nil): true
    case (nil, _?): false
    case (nil, nil):
      (family, ip.v6, prefixlen, cluster_id) < (other.family, other.ip.v6, other.prefixlen, other.cluster_id)
    }
  }
}

extension AddressWords {
  /// The address of a key that names its family; nil if it is neither.
  func knownAddress(family: UInt8) -> IPAddress? {
    switch UInt32(family) {
    case ENDPOINT_KEY_IPV4.rawValue: .v4(v4)
    case ENDPOINT_KEY_IPV6.rawValue: .v6(v6)
    default: nil
    }
  }
}
