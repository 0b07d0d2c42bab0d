import CDatapath
import MapABI
import Wire

/// `cilium-dbg bpf tunnel list` of 1.17 and older; later versions keep tunnel endpoints in the ipcache alone.
public enum TunnelList {
  /// The first address of each pod range of another node with that node's address, IPv4 first, ascending.
  ///
  /// Taken from the ipcache's prefixes (not single addresses) that have a tunnel endpoint.
  public static func text(_ maps: NodeMaps) -> String {
    var pairs: [(range: IPAddress, length: UInt32, node: IPAddress)] = []
    for (key, info) in zip(maps.ipcache.entries.keys, maps.ipcache.entries.values) {
      guard UInt32(info.flags) & IPCACHE_FLAG_HAS_TUNNEL_EP.rawValue != 0,
        let range = key.ip.knownAddress(family: key.family),
        key.prefixlen < IPCacheKey.staticPrefix + UInt32(range.bitWidth)
      else { continue }
      let isIPv6 = UInt32(info.flags) & IPCACHE_FLAG_IPV6_TUNNEL_EP.rawValue != 0
      pairs.append((range, key.prefixlen, info.tunnel_endpoint.address(isIPv6 ? .ipv6 : .ipv4)))
    }
    var dump = MapDump()
    for pair in pairs.sorted(by: { ($0.range, $0.length, $0.node) < ($1.range, $1.length, $1.node) }) {
      dump.add("\(pair.range)", "\(pair.node):0")
    }
    return dump.table("TUNNEL", "VALUE")
  }
}
