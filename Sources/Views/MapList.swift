import MapABI

/// A map that the agent has open.
public struct MapRow: Hashable, Sendable {
  public var name: String
  /// nil shows as unknown: the agent has no cache of the map.
  public var entries: Int?
  /// Entries that the agent could not write.
  public var errors: Int

  public init(name: String, entries: Int?, errors: Int = 0) {
    self.name = name
    self.entries = entries
    self.errors = errors
  }

  /// The maps of a node that the agent of 1.20 lists, by name: those that it keeps in its register. Counters and
  /// node ids are not among them. The agent writes no NAT entries, and counts only what it wrote there.
  public static func rows(_ maps: NodeMaps) -> [MapRow] {
    let counts: [(MapID, Int)] = [
      (.endpoints, maps.endpoints.count), (.ipcache, maps.ipcache.count), (.ct4TCP, maps.ct4TCP.count),
      (.ct4Any, maps.ct4Any.count), (.ct6TCP, maps.ct6TCP.count), (.ct6Any, maps.ct6Any.count),
      (.services4, maps.services4.count), (.services6, maps.services6.count),
      (.backends4, maps.backends4.count),
      (.backends6, maps.backends6.count), (.reverseNAT4, maps.reverseNAT4.count),
      (.reverseNAT6, maps.reverseNAT6.count), (.affinity4, maps.affinity4.count),
      (.affinity6, maps.affinity6.count), (.affinityMatch, maps.affinityMatch.count), (.nat4, 0), (.nat6, 0),
      (.fragments4, maps.fragments4.count), (.fragments6, maps.fragments6.count), (.auth, maps.auth.count),
      (.devices, maps.devices.count), (.rateLimit, maps.rateLimit.count),
    ]
    let policies = maps.policies.endpoints.map {
      MapRow(name: PolicyList.mapName($0), entries: maps.policies[$0]?.count ?? 0)
    }
    return (counts.map { MapRow(name: $0.name, entries: $1) } + policies)
      .sorted { $0.name.precedesByOctets($1.name) }
  }
}

/// `cilium-dbg map list`. Source: `cilium-dbg/cmd/map_list.go`.
public enum MapList {
  /// The maps in the order given; cilium-dbg's is random.
  public static func text(_ rows: [MapRow]) -> String {
    var table = TabWriter()
    table.row(["Name", "Num entries", "Num errors", "Cache enabled"])
    for row in rows {
      let entries = row.entries.map { String($0) } ?? "unknown"
      table.row([row.name, entries, String(row.errors), row.entries == nil ? "false" : "true"])
    }
    return table.text
  }

  public static func text(_ maps: NodeMaps) -> String { text(MapRow.rows(maps)) }
}
