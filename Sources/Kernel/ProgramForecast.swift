public import Datapath
import MapABI

/// Which programs a run will need and how large its maps become, learnt from a run of the model alone: everything is
/// then loaded together, on all processors, instead of one by one as packets reach it. The verifier takes most of a
/// kernel run's time.
///
/// A forecast only saves time. What it does not name is loaded when a packet reaches it.
public final class ProgramForecast: HopObserver {
  /// What one node needs.
  struct Node: Sendable {
    /// The node as its first hop found it.
    var image: MapImage
    /// Every program that is reached, those of endpoints that come later included.
    var attachments: [Attachment] = []
    /// Endpoints whose policy stage is reached.
    var endpoints: [DatapathConfig] = []
    var sizes = MapSizes()

    fileprivate mutating func note(_ hop: borrowing Hop, _ state: borrowing NodeState) {
      let attachment = hop.attachment
      if !attachments.contains(where: { ProgramForecast.isSame($0, attachment) }) {
        attachments.append(attachment)
      }
      // A policy stage signs its events with its endpoint.
      for event in hop.result.events {
        guard let source = event.header?.source, source != attachment.config.endpoint_id,
          let config = state.image.endpointConfig(source)
        else { continue }
        if !endpoints.contains(where: { ProgramTable.same($0, config) }) { endpoints.append(config) }
      }
    }
  }

  /// In the order in which packets reach them.
  private(set) var nodes: [Node] = []

  public init() {}

  public func observe(_ hop: borrowing Hop, state: borrowing NodeState) {
    if let index = index(of: hop.node) { return nodes[index].note(hop, state) }
    var image = state.image
    image.maps = state.maps
    var node = Node(image: image)
    node.note(hop, state)
    nodes.append(node)
  }

  public func conversationEnded(on state: borrowing NodeState) {
    if let index = index(of: state.image.node) { nodes[index].sizes.note(state.maps) }
  }

  private func index(of node: String) -> Int? { nodes.firstIndex { $0.image.node == node } }

  static func isSame(_ a: Attachment, _ b: Attachment) -> Bool {
    a.hook == b.hook && a.ifindex == b.ifindex && ProgramTable.same(a.config, b.config)
  }
}

/// How many entries each map of a node came to hold.
struct MapSizes: Sendable, Equatable {
  private var entries: [MapID: Int] = [:]
  private var policies: [UInt16: Int] = [:]

  mutating func note(_ maps: borrowing NodeMaps) {
    for id in MapID.allCases where id != .policy { entries[id] = max(self[id, 0], maps.count(id)) }
    for endpoint in maps.policies.endpoints {
      policies[endpoint] = max(self[.policy, endpoint], maps.count(.policy, endpoint: endpoint))
    }
  }

  subscript(map: MapID, endpoint: UInt16) -> Int {
    (map == .policy ? policies[endpoint] : entries[map]) ?? 0
  }
}

/// How large a map is made.
struct MapRoom: Sendable {
  /// What the run is known to need; nil when nothing is known.
  var forecast: MapSizes?

  /// For a map that holds `count` entries now. Without a forecast there is room for twice as many and some more.
  func size(_ shape: MapShape, _ map: MapID?, endpoint: UInt16 = 0, holding count: Int) -> UInt32 {
    guard let forecast else {
      return UInt32(clamping: 2 * count) &+ (shape.isLRU ? Self.connections : Self.entries)
    }
    let known = max(count, map.map { forecast[$0, endpoint] } ?? 0)
    // A power of two, so that a scenario with a few entries more can take the same maps.
    let room = UInt32(clamping: 1 << (Int.bitWidth - (known + known / 4 + 64).leadingZeroBitCount))
    guard shape.isLRU else { return room }
    let processors = UInt32(clamping: Processors.possible)
    return shape.hasOwnLists ? room &* processors : room &+ Self.lot &* (processors &+ 1)
  }

  private static let entries: UInt32 = 512
  private static let connections: UInt32 = 4096
  /// LRU maps hand free entries to processors in lots, and evict when less than a lot is left.
  private static let lot: UInt32 = 128
}
