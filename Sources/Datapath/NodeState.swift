public import MapABI

/// A node's datapath state: the agent's image, and everything that has changed since.
///
/// One log for each node: a hop names a position in it instead of holding a copy of the maps.
public struct NodeState: ~Copyable {
  /// What the agent rendered: configuration and the maps at position 0.
  public private(set) var image: MapImage
  /// The maps as they are at the end of the log.
  public private(set) var maps: NodeMaps
  /// Every change since the image, in order.
  public private(set) var log: [MapChange] = []

  public init(_ image: consuming MapImage) {
    maps = image.maps
    self.image = image
  }

  /// The end of the log.
  public var position: Int { log.count }

  /// Appends changes of a program or of the agent, and carries them out.
  public mutating func apply(_ changes: some Sequence<MapChange>) {
    for change in changes {
      maps.apply(change)
      log.append(change)
    }
  }

  /// Adds the map changes of a new rendering, and replaces the programs' configuration where it is given.
  public mutating func reconfigure(
    attachments: [Attachment]?, endpointConfigs: [DatapathConfig]?, changes: some Sequence<MapChange>
  ) {
    if let attachments { image.attachments = attachments }
    if let endpointConfigs { image.endpointConfigs = endpointConfigs }
    apply(changes)
  }
}
