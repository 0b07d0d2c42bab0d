import MapABI

/// Changes that make one table into another: what is new or different in the new one's order, then what is gone.
enum TableDifference {
  static func changes<Key: MapKey, Value: MapValue>(
    _ map: MapID, from old: FlatTable<Key, Value>, to new: FlatTable<Key, Value>, endpoint: UInt16 = 0
  ) -> [MapChange] {
    var changes: [MapChange] = []
    for index in new.keys.indices {
      let key = new.keys[index]
      if let before = old.index(of: key), sameOctets(old.values[before], new.values[index]) { continue }
      changes.append(MapChange(put: new.values[index], at: key, in: map, endpoint: endpoint))
    }
    for key in old.keys where new.index(of: key) == nil {
      changes.append(MapChange(delete: key, in: map, endpoint: endpoint))
    }
    return changes
  }

  /// Between all that agents write into the maps of a node.
  static func changes(from old: NodeMaps, to new: NodeMaps) -> [MapChange] {
    var changes = TableDifference.changes(.ipcache, from: old.ipcache.entries, to: new.ipcache.entries)
    changes += TableDifference.changes(.endpoints, from: old.endpoints, to: new.endpoints)
    for endpoint in new.policies.endpoints {
      changes += policyChanges(endpoint, from: old, to: new)
    }
    for endpoint in old.policies.endpoints where new.policies[endpoint] == nil {
      changes += policyChanges(endpoint, from: old, to: new)
    }
    changes += serviceChanges(from: old, to: new)
    changes += TableDifference.changes(.nodes, from: old.nodes, to: new.nodes)
    changes += TableDifference.changes(.devices, from: old.devices, to: new.devices)
    return changes
  }

  static func policyChanges(_ endpoint: UInt16, from old: NodeMaps, to new: NodeMaps) -> [MapChange] {
    TableDifference.changes(
      .policy, from: old.policies[endpoint]?.entries ?? FlatTable(),
      to: new.policies[endpoint]?.entries ?? FlatTable(), endpoint: endpoint)
  }

  static func serviceChanges(from old: NodeMaps, to new: NodeMaps) -> [MapChange] {
    // Backends before the services that name them, as the agent writes them.
    var changes = TableDifference.changes(.backends4, from: old.backends4, to: new.backends4)
    changes += TableDifference.changes(.backends6, from: old.backends6, to: new.backends6)
    changes += TableDifference.changes(.reverseNAT4, from: old.reverseNAT4, to: new.reverseNAT4)
    changes += TableDifference.changes(.reverseNAT6, from: old.reverseNAT6, to: new.reverseNAT6)
    changes += TableDifference.changes(.affinityMatch, from: old.affinityMatch, to: new.affinityMatch)
    changes += TableDifference.changes(.services4, from: old.services4, to: new.services4)
    changes += TableDifference.changes(.services6, from: old.services6, to: new.services6)
    return changes
  }

  static func sameOctets<Value>(_ a: Value, _ b: Value) -> Bool {
    withUnsafeBytes(of: a) { a in withUnsafeBytes(of: b) { b in a.elementsEqual(b) } }
  }
}
