import Datapath
import MapABI

/// Nodes that a scenario is done with, kept for the next: what has been loaded for an object and a configuration need not
/// be loaded again. One pool for each build of objects.
public final class KernelNodePool {
  /// Those that nobody uses now, the one kept last at the end.
  private(set) var slots: [KernelCluster.Slot] = []
  /// Nodes that are kept at most; each holds some dozens of maps and programs.
  private static let limit = 12

  public init() {}

  /// Keeps a node that nobody uses any more.
  func keep(_ slot: KernelCluster.Slot) {
    slots.append(slot)
    if slots.count > Self.limit { slots.removeFirst() }
  }

  /// The node that has most of what is forecast loaded already, made ready for it; nil when none has any of it, or
  /// its devices or the sizes of its maps do not fit.
  func take(_ wanted: ProgramForecast.Node) -> KernelCluster.Slot? {
    var best: (index: Int, loaded: Int)?
    for (index, slot) in slots.enumerated() {
      let loaded = slot.node.loadedCount(of: wanted)
      if loaded > best?.loaded ?? 0, slot.node.fits(wanted) { best = (index, loaded) }
    }
    guard let best else { return nil }
    let slot = slots.remove(at: best.index)
    slot.isAhead = true
    // One that cannot be cleared is not used again.
    return (try? slot.node.recycle(for: wanted)) == nil ? nil : slot
  }
}

extension KernelNode {
  /// How much of what is forecast is loaded here.
  func loadedCount(of wanted: ProgramForecast.Node) -> Int {
    var count = 0
    for attachment in wanted.attachments {
      guard let placement = objects.placement(of: attachment.hook) else { continue }
      count += programs.holds(placement, attachment.config) ? 1 : 0
    }
    if let stage = objects.policyStage {
      count += wanted.endpoints.count { programs.holds(stage, $0) }
    }
    return count
  }

  /// Whether the devices that are here are those that are wanted, and the maps have room.
  func fits(_ wanted: ProgramForecast.Node) -> Bool {
    guard !isRouted else { return false }
    for attachment in wanted.image.attachments + wanted.attachments {
      if let device = devices[attachment.ifindex], device != KernelDevice(of: attachment) { return false }
    }
    return maps.hasRoom(MapRoom(forecast: wanted.sizes), wanted.image.maps)
  }

  /// Forgets the scenario before: maps as the image says, everything else that a program could read empty.
  mutating func recycle(for wanted: ProgramForecast.Node) throws(KernelError) {
    let state = NodeState(wanted.image)
    maps.room = MapRoom(forecast: wanted.sizes)
    try maps.clearUnmodelled()
    try reset(to: state)
    try programs.followPolicies(state, maps)
    endpoints = state.image.endpointConfigs
    events?.discard()
    signals?.discard()
    given = GivenValues()
  }
}

extension NodeMapSet {
  /// Whether the maps that are here are as large as they would be made.
  func hasRoom(_ room: MapRoom, _ maps: NodeMaps) -> Bool {
    for id in MapID.allCases where id != .policy {
      guard let map = self[id, 0], map.shape.isSizable else { continue }
      if map.shape.maxEntries < room.size(map.shape, id, holding: maps.count(id)) { return false }
    }
    return policies.allSatisfy { endpoint, map in
      map.shape.maxEntries
        >= room.size(
          map.shape, .policy, endpoint: endpoint, holding: maps.count(.policy, endpoint: endpoint))
    }
  }

  /// Empties the maps that programs write and the model does not know.
  func clearUnmodelled() throws(KernelError) {
    for map in unmodelled where map.shape.flags & MapShape.readOnlyOrMapped == 0 {
      if map.shape.isSizable {
        let dump = try map.readAll()
        for index in 0..<dump.count { try map.delete(dump.key(index)) }
      } else if map.shape.isCounterArray {
        let zero = [UInt8](repeating: 0, count: map.shape.transferSize)
        for index in 0..<map.shape.maxEntries {
          var key = index
          try map.update(&key, zero)
        }
      }
    }
  }
}
