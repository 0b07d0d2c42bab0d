public import Datapath
public import MapABI

/// Hops that were once run on a brought-along datapath, with its answers: data that stands in for the objects.
///
/// A recording holds each node's configuration and maps as they were, brought up to date between hops, so that any
/// interpreter can be asked again.
public struct HopRecording: Sendable {
  /// The version of the objects that answered: `1.20`.
  public var version: String
  /// The scenario that the hops came from.
  public var scenario: String
  public var items: [Item] = []

  /// What happens next.
  public enum Item: Sendable {
    /// The items that follow are about this node.
    case node(String)
    /// The node's programs.
    case attachments([Attachment])
    /// What the endpoint-policy stages of the node's endpoints are told.
    case endpointConfigs([DatapathConfig])
    /// The node's maps have changed.
    case change(MapChange)
    /// A program ran; the result is the recorded one.
    case hop(Hop)
  }

  public init(version: String, scenario: String) {
    self.version = version
    self.scenario = scenario
  }

  /// How many hops there are.
  public var hopCount: Int {
    items.reduce(0) { count, item in
      if case .hop = item { count + 1 } else { count }
    }
  }

  /// Hands every hop to `observer`, with the state that it ran in.
  public func replay<Observer: HopObserver & ~Copyable>(to observer: inout Observer) {
    var places: [String: Place] = [:]
    var place = Place("")
    for item in items {
      switch item {
      case .node(let name):
        place = places[name] ?? Place(name)
        places[name] = place
      case .attachments(let attachments):
        place.state.reconfigure(attachments: attachments, endpointConfigs: nil, changes: [])
      case .endpointConfigs(let configs):
        place.state.reconfigure(attachments: nil, endpointConfigs: configs, changes: [])
      case .change(let change): place.state.apply([change])
      case .hop(var hop):
        hop.node = place.state.image.node
        hop.position = place.state.position
        observer.observe(hop, state: place.state)
      }
    }
  }

  private final class Place {
    var state: NodeState
    init(_ name: String) { state = NodeState(MapImage(node: name)) }
  }
}

/// What is wrong with a recording's text, and where.
public struct RecordingError: Error, CustomStringConvertible {
  public var file: String
  public var line: Int
  public var message: String

  public init(file: String, line: Int, message: String) {
    self.file = file
    self.line = line
    self.message = message
  }

  public var description: String { "\(file):\(line): \(message)" }
}
