public import Datapath
public import MapABI

/// The nodes of a cluster in this kernel: each node's datapath is made when its first hop comes.
public struct KernelCluster: HookInterpreter, ~Copyable {
  private let objects: DatapathObjects
  private let reading: KernelNode.MapReading
  private let forecast: [String: ProgramForecast.Node]
  private var nodes: [String: Slot] = [:]

  /// A place for a node that cannot be copied.
  private final class Slot {
    var node: KernelNode
    init(_ node: consuming KernelNode) { self.node = node }
  }

  /// - Parameter forecast: what the run is known to need, loaded together when a node is made.
  public init(
    objects: DatapathObjects, reading: KernelNode.MapReading = .everyHop, forecast: ProgramForecast? = nil
  ) {
    self.objects = objects
    self.reading = reading
    self.forecast = forecast?.nodes ?? [:]
  }

  public mutating func run(
    _ attachment: Attachment, on input: HookInput, state: borrowing NodeState
  ) throws(KernelError) -> HookResult {
    let name = state.image.node
    if let slot = nodes[name] { return try slot.node.run(attachment, on: input, state: state) }
    let slot = Slot(try KernelNode.make(state, objects: objects, reading: reading))
    if let forecast = forecast[name] { try slot.node.preload(state, forecast) }
    nodes[name] = slot
    return try slot.node.run(attachment, on: input, state: state)
  }
}
