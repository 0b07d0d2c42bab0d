import Cluster
import MapABI
import Wire

/// The image of a node, and what it takes to bring it up to date.
struct NodeRenderer {
  let settings: Settings
  let options: DatapathOptions
  /// All nodes, for the node map.
  let nodes: [NodeInfo]

  /// cilium_lxc: the endpoints of the node, and its own addresses as the host's.
  ///
  /// Source: Cilium `pkg/maps/lxcmap`, `daemon/cmd/hostips-sync.go`.
  func endpointTable(_ node: NodeInfo, _ endpoints: [Endpoint]) -> FlatTable<EndpointKey, EndpointInfo> {
    var table = FlatTable<EndpointKey, EndpointInfo>()
    table.reserveCapacity(endpoints.count * 2 + 8)
    for address in node.addresses + node.routerAddresses where options.families.contains(address.family) {
      var info = EndpointInfo()
      info.flags = UInt32(ENDPOINT_FLAG_HOST.rawValue)
      table[EndpointKey(address)] = info
    }
    for endpoint in endpoints {
      var info = EndpointInfo()
      info.ifindex = endpoint.device.ifindex
      info.lxc_id = endpoint.id
      info.mac = MACBytes(endpoint.containerMAC)
      info.node_mac = MACBytes(endpoint.device.mac)
      info.sec_id = endpoint.identity
      for address in endpoint.addresses { table[EndpointKey(address)] = info }
    }
    return table
  }

  /// cilium_devices: the underlay device.
  func deviceTable(_ node: NodeInfo) -> FlatTable<UInt32, DeviceState> {
    var table = FlatTable<UInt32, DeviceState>()
    if let device = node.underlay {
      var state = DeviceState()
      state.mac = MACBytes(device.mac)
      table[device.ifindex] = state
    }
    return table
  }

  /// cilium_node_map_v2: the addresses of every node.
  ///
  /// Source: Cilium `pkg/datapath/linux/node_ids.go`.
  func nodeTable() -> FlatTable<NodeKey, NodeValue> {
    var table = FlatTable<NodeKey, NodeValue>()
    for other in nodes {
      let routers = other.hasStarted ? other.routerAddresses : []
      for address in other.addresses + routers where options.families.contains(address.family) {
        let family = address.family == .ipv4 ? ENDPOINT_KEY_IPV4 : ENDPOINT_KEY_IPV6
        let key = NodeKey(pad1: 0, pad2: 0, family: UInt8(family.rawValue), ip: AddressWords(address))
        table[key] = NodeValue(id: other.nodeID, spi: 0, pad: 0)
      }
    }
    return table
  }

  func ipcache(_ node: NodeInfo, _ facts: AddressFacts) -> LPMTable<IPCacheKey, RemoteEndpointInfo> {
    var table = LPMTable<IPCacheKey, RemoteEndpointInfo>()
    table.reserveCapacity(facts.facts.count)
    for fact in facts.facts {
      if let entry = fact.entry(on: node.name) { table[exactly: IPCacheKey(fact.prefix)] = entry }
    }
    return table
  }

  /// Brings an ipcache from one set of facts to the next, touching only what differs.
  func update(
    _ table: inout LPMTable<IPCacheKey, RemoteEndpointInfo>, _ node: NodeInfo, changed: [AddressFact],
    removed: [CIDR]
  ) -> [MapChange] {
    var changes: [MapChange] = []
    func set(_ prefix: CIDR, _ entry: RemoteEndpointInfo?) {
      let key = IPCacheKey(prefix)
      let before = table[exactly: key]
      if let entry {
        if let before, TableDifference.sameOctets(before, entry) { return }
        table[exactly: key] = entry
        changes.append(MapChange(put: entry, at: key, in: .ipcache))
      } else if before != nil {
        table[exactly: key] = nil
        changes.append(MapChange(delete: key, in: .ipcache))
      }
    }
    for fact in changed { set(fact.prefix, fact.entry(on: node.name)) }
    for prefix in removed { set(prefix, nil) }
    return changes
  }
}

extension DatapathConfig {
  /// One `name: value` line per field that is not zero, with addresses as such.
  public var listing: String {
    var lines: [String] = []
    for child in Mirror(reflecting: self).children {
      guard let label = child.label, !label.hasPrefix("pad") else { continue }
      switch child.value {
      case let mac as MACBytes where mac.mac.bits != 0: lines.append("\(label): \(mac.mac)")
      case let words as AddressWords where words.v6 != .unspecified: lines.append("\(label): \(words.v6)")
      case let number as UInt32 where number != 0:
        let isAddress = label.contains("ipv4") && !label.hasPrefix("enable")
        lines.append("\(label): \(isAddress || label == "ipv4_gateway" ? Self.address(number) : "\(number)")")
      case let number as any FixedWidthInteger where !(number is UInt32) && "\(number)" != "0":
        lines.append("\(label): \(number)")
      default: continue
      }
    }
    return lines.joined(separator: "\n")
  }

  private static func address(_ word: UInt32) -> String {
    IPv4Address(bits: UInt32(bigEndian: word)).description
  }
}
