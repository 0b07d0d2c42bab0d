import CDatapath
import MapABI
import Wire

/// `cilium-dbg bpf nodeid list` and `nodeid list`. Source: `cilium-dbg/cmd/bpf_nodeid_list.go`, `node_id_list.go`.
///
/// Order: id, then address, IPv4 first.
public enum NodeIDList {
  /// The map: every address with the id of its node; nothing if there is none.
  public static func text(_ maps: NodeMaps) -> String {
    let entries = sorted(maps)
    guard !entries.isEmpty else { return "" }
    var table = header
    for entry in entries {
      table.row([idText(entry.id), entry.address?.description ?? "<unknown>", String(entry.spi)])
    }
    return table.text
  }

  /// The agent's list: the addresses of each id below each other, without the index of the IPsec key.
  public static func agentText(_ maps: NodeMaps) -> String {
    var table = header
    var previous: UInt16?
    for entry in sorted(maps) {
      guard let address = entry.address else { continue }
      table.row([entry.id == previous ? "" : idText(entry.id), address.description])
      previous = entry.id
    }
    return table.text
  }

  private static var header: TabWriter {
    var table = TabWriter()
    table.row(["NODE ID", "IP ADDRESSES", "SPI"])
    return table
  }

  private static func idText(_ id: UInt16) -> String { "0x\(String(id, radix: 16))" }

  private struct Entry {
    var id: UInt16
    /// nil if the key's family is neither.
    var address: IPAddress?
    var spi: UInt8
  }

  private static func sorted(_ maps: NodeMaps) -> [Entry] {
    zip(maps.nodes.keys, maps.nodes.values).map { key, value in
      Entry(id: value.id, address: key.ip.knownAddress(family: key.family), spi: value.spi)
    }
    .sorted { a, b in
      if a.id != b.id { return a.id < b.id }
      if let a = a.address, let b = b.address { return a < b }
      if (a.address == nil) != (b.address == nil) { return a.address != nil }
      return a.spi < b.spi
    }
  }
}
