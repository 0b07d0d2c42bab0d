public import Datapath
public import MapABI

/// The nodes of a cluster in this kernel: those that are forecast are made together when the first hop comes, any
/// other when its first hop comes.
public struct KernelCluster: MapHoldingInterpreter, ~Copyable {
  private let objects: DatapathObjects
  private let reading: KernelNode.MapReading
  private let pool: KernelNodePool?
  private var forecast: ProgramForecast?
  private var nodes: [String: Slot] = [:]

  /// A place for a node that cannot be copied.
  final class Slot {
    var node: KernelNode
    /// Loaded ahead, and not yet brought to the state of a hop.
    var isAhead: Bool

    init(_ node: consuming KernelNode, isAhead: Bool) {
      self.node = node
      self.isAhead = isAhead
    }
  }

  /// - Parameters:
  ///   - forecast: what the run is known to need.
  ///   - pool: where nodes of earlier clusters, of the same objects, are taken from, and where this one's go.
  public init(
    objects: DatapathObjects, reading: KernelNode.MapReading = .everyHop, forecast: ProgramForecast? = nil,
    pool: KernelNodePool? = nil
  ) {
    self.objects = objects
    self.reading = reading
    self.forecast = forecast
    self.pool = pool
  }

  deinit {
    guard let pool else { return }
    for name in nodes.keys.sorted() {
      if let slot = nodes[name] { pool.keep(slot) }
    }
  }

  public mutating func run(
    _ attachment: Attachment, on input: HookInput, state: borrowing NodeState
  ) throws(KernelError) -> HookResult {
    try run(attachment, on: input, state: state, readingMaps: reading == .everyHop)
  }

  public mutating func run(
    _ attachment: Attachment, on input: HookInput, state: borrowing NodeState, readingMaps: Bool
  ) throws(KernelError) -> HookResult {
    try slot(state).node.run(attachment, on: input, state: state, readingMaps: readingMaps)
  }

  public mutating func adopt(through position: Int, node: String) {
    nodes[node]?.node.adopt(through: position)
  }

  public mutating func mapDifferences(
    from state: borrowing NodeState
  ) throws(KernelError) -> [MapChange] {
    try nodes[state.image.node]?.node.mapDifferences(from: state) ?? []
  }

  public mutating func reset(to state: borrowing NodeState) throws(KernelError) {
    try slot(state).node.reset(to: state)
  }

  private mutating func slot(_ state: borrowing NodeState) throws(KernelError) -> Slot {
    if let forecast {
      self.forecast = nil
      load(forecast)
    }
    let name = state.image.node
    guard let slot = nodes[name] else {
      let slot = Slot(try KernelNode.make(state, objects: objects, reading: reading), isAhead: false)
      nodes[name] = slot
      return slot
    }
    if slot.isAhead {
      try slot.node.reset(to: state)
      slot.isAhead = false
    }
    return slot
  }

  private func fresh(_ wanted: ProgramForecast.Node) throws(KernelError) -> Slot {
    let room = MapRoom(forecast: wanted.sizes)
    return Slot(try KernelNode.make(NodeState(wanted.image), objects, reading, room), isAhead: true)
  }

  /// Makes every forecast node and loads what is forecast for all of them; while one node is being made, the programs
  /// of those before it are loaded.
  ///
  /// What fails here fails again, and is then reported, when a packet needs it.
  private mutating func load(_ forecast: ProgramForecast) {
    let crew = Crew()
    var loads: [(slot: Slot, forecast: ProgramForecast.Node, pending: [ProgramTable.PendingLoad])] = []
    for wanted in forecast.nodes {
      let state = NodeState(wanted.image)
      do throws(KernelError) {
        let slot = if let idle = pool?.take(wanted) { idle } else { try fresh(wanted) }
        let pending = try slot.node.programs.pendingLoads(
          wanted.attachments, wanted.endpoints, state, slot.node.maps, crew)
        loads.append((slot, wanted, pending))
      } catch {
        continue
      }
    }
    for load in loads {
      for attachment in load.forecast.attachments { try? load.slot.node.addDevice(of: attachment) }
    }
    crew.finish()
    for (slot, wanted, pending) in loads {
      guard (try? slot.node.finish(pending, wanted.attachments, NodeState(wanted.image))) != nil else {
        continue
      }
      nodes[wanted.image.node] = slot
    }
  }
}
