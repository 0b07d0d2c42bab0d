import CDatapath
import MapABI
import Wire

/// `cilium-dbg bpf endpoint list`. Source: `cilium-dbg/cmd/bpf_endpoint_list.go`, `pkg/maps/lxcmap`.
public enum LocalEndpointList {
  /// The addresses of this node's endpoints and of the node itself, IPv4 first, ascending.
  public static func text(_ maps: NodeMaps) -> String {
    let entries = zip(maps.endpoints.keys, maps.endpoints.values).sorted { $0.0.precedes($1.0) }
    var dump = MapDump()
    for (key, info) in entries { dump.add(keyText(key), infoText(info)) }
    return dump.table("IP ADDRESS", "LOCAL ENDPOINT INFO")
  }

  private static func keyText(_ key: EndpointKey) -> String {
    guard let address = key.ip.knownAddress(family: key.family) else { return "nil" }
    return "\(address.text(clusterID: key.cluster_id)):\(key.key)"
  }

  private static func infoText(_ info: EndpointInfo) -> String {
    guard info.flags & ENDPOINT_FLAG_HOST.rawValue == 0 else { return "(localhost)" }
    return "id=\(NumberText.left(info.lxc_id, width: 5)) sec_id=\(NumberText.left(info.sec_id, width: 5)) "
      + "flags=0x\(NumberText.upperHex(info.flags, digits: 4)) ifindex=\(NumberText.left(info.ifindex, width: 3)) "
      + "mac=\(macText(info.mac)) nodemac=\(macText(info.node_mac)) "
      + "parent_ifindex=\(NumberText.left(info.parent_ifindex, width: 3)) rt_info:\(info.rt_info)"
  }

  private static func macText(_ mac: MACBytes) -> String {
    mac.mac.octets.map { NumberText.upperHex($0, digits: 2) }.joined(separator: ":")
  }
}

extension EndpointKey {
  fileprivate func precedes(_ other: EndpointKey) -> Bool {
    switch (ip.knownAddress(family: family), other.ip.knownAddress(family: other.family)) {
    case (let a?, let b?): (a, cluster_id, key) < (b, other.cluster_id, other.key)
    case (_?, nil): true
    case (nil, _?): false
    case (nil, nil):
      (family, ip.v6, cluster_id, key) < (other.family, other.ip.v6, other.cluster_id, other.key)
    }
  }
}
