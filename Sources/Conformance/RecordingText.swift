public import Datapath
import MapABI

/// The text of a recording while it grows; shared with whoever started it.
public final class RecordingText {
  private var writer: HopWriter
  private var nodes: [String: Written] = [:]
  public private(set) var hops = 0
  public var text: String { writer.text }

  /// What has been written about a node.
  private struct Written {
    var position: Int
    var attachments: [UInt8]
    var endpoints: [UInt8]
  }

  /// - Parameter profile: the version of Cilium that answers.
  public init(_ profile: DatapathProfile, scenario: String) {
    writer = HopWriter(version: profile.description, scenario: scenario)
  }

  /// Writes a hop, and before it what has changed on its node since the hop before.
  public func add(_ hop: borrowing Hop, _ state: borrowing NodeState) {
    writer.enter(hop.node)
    let attachments = state.image.attachments
    let identity = attachments.flatMap { attachment in
      Array(attachment.device.utf8) + withUnsafeBytes(of: attachment.config) { Array($0) }
    }
    let endpoints = state.image.endpointConfigs.flatMap { config in withUnsafeBytes(of: config) { Array($0) }
    }
    let known = nodes[hop.node]
    if known?.attachments != identity { writer.write(attachments) }
    if known?.endpoints != endpoints { writer.write(state.image.endpointConfigs) }
    if known == nil { for change in state.image.maps.entries { writer.write(change) } }
    for change in Self.lastChanges(state.log[(known?.position ?? 0)...]) { writer.write(change) }
    nodes[hop.node] = Written(position: state.position, attachments: identity, endpoints: endpoints)
    writer.write(hop)
    hops += 1
  }

  private struct Entry: Hashable {
    var map: MapID
    var endpoint: UInt16
    var key: [UInt8]
  }

  /// The last change of each entry; without the counters, which no program reads.
  private static func lastChanges(_ log: ArraySlice<MapChange>) -> [MapChange] {
    var positions: [Entry: Int] = [:]
    var changes: [MapChange] = []
    for change in log where !change.map.isCounter {
      let entry = Entry(map: change.map, endpoint: change.endpoint, key: change.keyBytes)
      if let position = positions[entry] {
        changes[position] = change
      } else {
        positions[entry] = changes.count
        changes.append(change)
      }
    }
    return changes
  }
}
