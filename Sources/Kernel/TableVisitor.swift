import MapABI

/// Something that is done to a node's table, whatever its key and value.
protocol TableVisitor: ~Copyable {
  associatedtype Failure: Error
  mutating func visit<Key: MapKey, Value: MapValue>(_ table: FlatTable<Key, Value>) throws(Failure)
}

extension NodeMaps {
  /// Hands the table of `map` (of `endpoint`, where each has its own) to `visitor`.
  func visit<Visitor: TableVisitor & ~Copyable>(
    _ map: MapID, endpoint: UInt16 = 0, _ visitor: inout Visitor
  ) throws(Visitor.Failure) {
    switch map {
    case .endpoints: try visitor.visit(endpoints)
    case .ipcache: try visitor.visit(ipcache.entries)
    case .policy: if let policy = policies[endpoint] { try visitor.visit(policy.entries) }
    case .policyStats: try visitor.visit(policyStats)
    case .ct4TCP: try visitor.visit(ct4TCP)
    case .ct4Any: try visitor.visit(ct4Any)
    case .ct6TCP: try visitor.visit(ct6TCP)
    case .ct6Any: try visitor.visit(ct6Any)
    case .services4: try visitor.visit(services4)
    case .services6: try visitor.visit(services6)
    case .backends4: try visitor.visit(backends4)
    case .backends6: try visitor.visit(backends6)
    case .reverseNAT4: try visitor.visit(reverseNAT4)
    case .reverseNAT6: try visitor.visit(reverseNAT6)
    case .affinity4: try visitor.visit(affinity4)
    case .affinity6: try visitor.visit(affinity6)
    case .affinityMatch: try visitor.visit(affinityMatch)
    case .nat4: try visitor.visit(nat4)
    case .nat6: try visitor.visit(nat6)
    case .fragments4: try visitor.visit(fragments4)
    case .fragments6: try visitor.visit(fragments6)
    case .metrics: try visitor.visit(metrics)
    case .auth: try visitor.visit(auth)
    case .nodes: try visitor.visit(nodes)
    case .devices: try visitor.visit(devices)
    case .rateLimit: try visitor.visit(rateLimit)
    }
  }

  /// How many entries the table of `map` has.
  func count(_ map: MapID, endpoint: UInt16 = 0) -> Int {
    var counter = EntryCounter()
    visit(map, endpoint: endpoint, &counter)
    return counter.count
  }
}

private struct EntryCounter: TableVisitor {
  var count = 0
  mutating func visit<Key: MapKey, Value: MapValue>(_ table: FlatTable<Key, Value>) { count = table.count }
}
