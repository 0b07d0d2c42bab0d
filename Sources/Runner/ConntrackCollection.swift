import ControlPlane
import Datapath
import MapABI
import Simulator

/// When the agent of a node looks for conntrack entries that have outlived their time.
///
/// The programs never look at an entry's lifetime: an entry that has run out still counts until the agent has removed
/// it. The first pass comes five minutes after the agent's start; one that removed something makes the next wait half
/// as long again, up to twelve hours. (A pass that removes more than a twentieth of the map's capacity shortens the wait;
/// no simulation fills a map that far.)
/// Source: Cilium `pkg/maps/ctmap/gc/gc.go`.
struct ConntrackCollection {
  private var interval = Instant.Span.seconds(300)
  private(set) var next = Instant.start + .seconds(300)

  private static let longest = Instant.Span.seconds(12 * 3600)

  /// A pass over a node's maps at a moment: the entries to remove.
  mutating func pass(over maps: NodeMaps, at now: Instant) -> [MapChange] {
    let seconds = UInt32(truncatingIfNeeded: now.ktime / 1_000_000_000)
    let changes =
      Self.expired(.ct4TCP, maps.ct4TCP, seconds) + Self.expired(.ct4Any, maps.ct4Any, seconds)
      + Self.expired(.ct6TCP, maps.ct6TCP, seconds) + Self.expired(.ct6Any, maps.ct6Any, seconds)
    if !changes.isEmpty {
      let longer = (interval.nanoseconds / 1_000_000_000 * 3 + 1) / 2
      interval = min(.seconds(longer), Self.longest)
    }
    next = now + interval
    return changes
  }

  private static func expired<Key: MapKey>(
    _ map: MapID, _ table: FlatTable<Key, CTEntry>, _ now: UInt32
  ) -> [MapChange] {
    table.keys.indices.filter { table.values[$0].lifetime < now }.map {
      MapChange(delete: table.keys[$0], in: map)
    }
  }
}

extension Session where Observer: ~Copyable {
  /// Lets time pass; the agents' passes happen when they are due.
  mutating func advance(by span: Instant.Span) {
    let end = network.clock + span
    while let due = nextDue, due < end {
      if due > network.clock {
        network.advance(by: Instant.Span(nanoseconds: due.nanoseconds &- network.clock.nanoseconds))
      }
      collectConntrack()
      collectNames()
    }
    network.advance(by: Instant.Span(nanoseconds: end.nanoseconds &- network.clock.nanoseconds))
    collectConntrack()
    collectNames()
  }

  private var nextDue: Instant? {
    [nextCollection, controlPlane.nextNameCollection.map { Instant(nanoseconds: $0) }].compactMap(\.self)
      .min()
  }

  private var nextCollection: Instant? { collections.values.map(\.next).min() }

  /// Carries out the passes that are due.
  mutating func collectConntrack() {
    for name in nodeOrder {
      guard let index = network.nodeIndex(named: name) else { continue }
      var collection = collections[name] ?? ConntrackCollection()
      defer { collections[name] = collection }
      while collection.next <= network.clock {
        let now = network.clock
        let isUp = controlPlane.node(name)?.agent == .up
        let maps = isUp ? network.withState(ofNode: index) { $0.maps } : NodeMaps()
        let changes = collection.pass(over: maps, at: now)
        if !changes.isEmpty {
          network.update(node: index, attachments: nil, endpointConfigs: nil, changes: changes)
        }
        if isUp { noteConntrackPass(name, index) }
      }
    }
  }
}
