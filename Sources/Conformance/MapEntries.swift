import MapABI

extension NodeMaps {
  /// What puts every entry into empty maps, map by map; without the counters, which no program reads.
  var entries: [MapChange] {
    var all: [MapChange] = []
    Self.add(endpoints, .endpoints, to: &all)
    Self.add(ipcache.entries, .ipcache, to: &all)
    for endpoint in policies.endpoints {
      if let policy = policies[endpoint] { Self.add(policy.entries, .policy, endpoint: endpoint, to: &all) }
    }
    Self.add(ct4TCP, .ct4TCP, to: &all)
    Self.add(ct4Any, .ct4Any, to: &all)
    Self.add(ct6TCP, .ct6TCP, to: &all)
    Self.add(ct6Any, .ct6Any, to: &all)
    Self.add(services4, .services4, to: &all)
    Self.add(services6, .services6, to: &all)
    Self.add(backends4, .backends4, to: &all)
    Self.add(backends6, .backends6, to: &all)
    Self.add(reverseNAT4, .reverseNAT4, to: &all)
    Self.add(reverseNAT6, .reverseNAT6, to: &all)
    Self.add(affinity4, .affinity4, to: &all)
    Self.add(affinity6, .affinity6, to: &all)
    Self.add(affinityMatch, .affinityMatch, to: &all)
    Self.add(nat4, .nat4, to: &all)
    Self.add(nat6, .nat6, to: &all)
    Self.add(fragments4, .fragments4, to: &all)
    Self.add(fragments6, .fragments6, to: &all)
    Self.add(auth, .auth, to: &all)
    Self.add(nodes, .nodes, to: &all)
    Self.add(devices, .devices, to: &all)
    Self.add(rateLimit, .rateLimit, to: &all)
    return all
  }

  private static func add<Key: MapKey, Value: MapValue>(
    _ table: FlatTable<Key, Value>, _ map: MapID, endpoint: UInt16 = 0, to all: inout [MapChange]
  ) {
    for (key, value) in table { all.append(MapChange(put: value, at: key, in: map, endpoint: endpoint)) }
  }
}
