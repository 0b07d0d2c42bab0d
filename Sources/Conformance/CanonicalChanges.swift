import Datapath
import MapABI

/// What a run did to the maps, in an order that does not depend on who ran it: entries as they ended, and counters
/// summed by key.
struct CanonicalChanges {
  /// A change with what tells its entry from all others; entries are in ascending order of it.
  struct Entry {
    var id: String
    var change: MapChange

    init(_ change: MapChange) {
      id = "\(change.map.name)/\(change.endpoint)/\(Comparison.hexadecimal(change.keyBytes))"
      self.change = change
    }
  }

  private(set) var entries: [Entry] = []
  private(set) var counters: [Entry] = []

  /// - Parameter foreign: metrics are summed over the source positions that they are counted at.
  init(_ changes: [MapChange], foreign: Bool) {
    for var change in changes {
      guard change.operation == .add else {
        entries.append(Entry(change))
        continue
      }
      let added = change.value(as: Counters.self)
      if change.map == .metrics, foreign {
        var metric = change.key(as: MetricsKey.self)
        (metric.line, metric.file) = (0, 0)
        change = MapChange(add: added, to: metric, in: .metrics)
      }
      let sum = Entry(change)
      if let index = counters.firstIndex(where: { $0.id == sum.id }) {
        counters[index].change.add(added)
      } else {
        counters.append(sum)
      }
    }
    entries.sort { $0.id < $1.id }
    counters.sort { $0.id < $1.id }
  }
}

extension MapChange {
  /// Adds to the counters that the change adds.
  fileprivate mutating func add(_ more: Counters) {
    var counters = value(as: Counters.self)
    counters.packets &+= more.packets
    counters.bytes &+= more.bytes
    withUnsafeMutableBytes(of: &valueWords) { $0.storeBytes(of: counters, as: Counters.self) }
  }
}

extension [CanonicalChanges.Entry] {
  /// The change of an entry.
  func change(of id: String) -> MapChange? {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if self[middle].id < id { low = middle + 1 } else { high = middle }
    }
    return low < count && self[low].id == id ? self[low].change : nil
  }
}
