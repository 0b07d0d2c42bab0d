public import Datapath
public import MapABI
import Wire

extension Comparison {
  /// Notes that the maps are not what the model's are, found when they were compared after `hop` and whatever ran
  /// before it.
  ///
  /// - Parameter differences: what turns the model's maps into the other side's.
  public func compareMaps(
    _ differences: [MapChange], with state: borrowing NodeState, after hop: borrowing Hop,
    into agreement: inout Agreement
  ) {
    for change in differences {
      let key = EntryFields.key(of: change)
      let ours = state.maps.entry(at: change)
      guard change.operation != .add else {
        agreement.divergences.append(
          Divergence(
            hop: hop, field: .counters, expected: "\(key): \(ours.map(EntryFields.text) ?? "no entry")",
            found: "more by \(EntryFields.text(of: change))"))
        continue
      }
      agreement.divergences.append(
        Divergence(
          hop: hop, field: .mapChanges, expected: "\(key): \(ours.map(EntryFields.text) ?? "no entry")",
          found: EntryFields.text(of: change),
          details: ours.map { EntryFields.differences($0, change) } ?? []))
    }
  }
}

extension NodeMaps {
  /// The entry at a change's key, as a change that would put it there.
  func entry(at change: MapChange) -> MapChange? {
    func put<Key: MapKey, Value: MapValue>(_ table: FlatTable<Key, Value>) -> MapChange? {
      let key = change.key(as: Key.self)
      return table[key].map { MapChange(put: $0, at: key, in: change.map, endpoint: change.endpoint) }
    }
    return switch change.map {
    case .endpoints: put(endpoints)
    case .ipcache: put(ipcache.entries)
    case .policy: policies[change.endpoint].flatMap { put($0.entries) }
    case .policyStats: put(policyStats)
    case .ct4TCP: put(ct4TCP)
    case .ct4Any: put(ct4Any)
    case .ct6TCP: put(ct6TCP)
    case .ct6Any: put(ct6Any)
    case .services4: put(services4)
    case .services6: put(services6)
    case .backends4: put(backends4)
    case .backends6: put(backends6)
    case .reverseNAT4: put(reverseNAT4)
    case .reverseNAT6: put(reverseNAT6)
    case .affinity4: put(affinity4)
    case .affinity6: put(affinity6)
    case .affinityMatch: put(affinityMatch)
    case .nat4: put(nat4)
    case .nat6: put(nat6)
    case .fragments4: put(fragments4)
    case .fragments6: put(fragments6)
    case .metrics: put(metrics)
    case .auth: put(auth)
    case .nodes: put(nodes)
    case .devices: put(devices)
    case .rateLimit: put(rateLimit)
    }
  }
}
