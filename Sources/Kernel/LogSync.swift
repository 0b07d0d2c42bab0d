import Datapath
import MapABI

/// How far the kernel's maps have followed a node's log, and what the programs did to them since.
struct LogSync {
  /// The log position that the maps stood at before the last run.
  private(set) var position: Int
  /// Entries that the last run changed, with their values afterwards (nil: removed); only known when maps are read
  /// after every hop.
  private var changed: [MapEntryKey: [UInt8]?] = [:]
  /// Whether a run has happened at `position` whose changes are not known.
  private var hasRunUnread = false

  init(position: Int) { self.position = position }

  /// Notes a run after which the maps were read.
  mutating func didRun(_ entries: [MapEntryKey: [UInt8]?]) {
    changed = entries
    hasRunUnread = false
  }

  /// Notes a run after which the maps were not read.
  mutating func didRunUnread() { hasRunUnread = true }

  /// The log has been followed up to here by the programs themselves.
  mutating func adopt(_ position: Int) {
    self.position = position
    changed = [:]
    hasRunUnread = false
  }

  @inline(__always)
  func isCurrent(_ state: borrowing NodeState) -> Bool { state.position == position && changed.isEmpty }

  /// The entries that must be written to bring the maps to the end of the log.
  ///
  /// After a run that was not read, what the log says about the programs' own maps is taken to be what the program
  /// has done itself: it is compared when the caller asks. Removals are sent in any case.
  mutating func pending(_ state: borrowing NodeState) -> [MapEntryKey] {
    var pending: [MapEntryKey] = []
    var seen: Set<MapEntryKey> = []
    func add(_ key: MapEntryKey) { if seen.insert(key).inserted { pending.append(key) } }
    for index in position..<max(position, state.position) {
      let change = state.log[index]
      let isOwn = change.map.isWrittenByPrograms && change.operation != .delete
      if !(hasRunUnread && isOwn) { add(MapEntryKey(change)) }
    }
    for key in changed.keys { add(key) }
    pending.removeAll { key in
      guard let value = changed[key] else { return false }
      var lookup = EntryLookup(key.words)
      state.maps.visit(key.map, endpoint: key.endpoint, &lookup)
      return lookup.value == value
    }
    adopt(state.position)
    return pending
  }
}
