public import Datapath
import MapABI

/// Which programs a run will need, learnt from a run of the model alone: a node then loads them together, on all
/// processors, instead of one by one as packets reach them. The verifier takes most of a kernel run's time.
///
/// A forecast only saves time. What it does not name is loaded when a packet reaches it.
public final class ProgramForecast: HopObserver {
  /// The programs of one node.
  struct Node: Sendable {
    var attachments: [Attachment] = []
    /// Endpoints whose policy stage is reached.
    var endpoints: [UInt16] = []
  }

  private(set) var nodes: [String: Node] = [:]

  public init() {}

  public func observe(_ hop: borrowing Hop, state: borrowing NodeState) {
    let attachment = hop.attachment
    var node = nodes[hop.node] ?? Node()
    if !node.attachments.contains(where: { Self.isSame($0, attachment) }) {
      node.attachments.append(attachment)
    }
    // A policy stage signs its events with its endpoint.
    for event in hop.result.events {
      guard let source = event.header?.source, source != attachment.config.endpoint_id,
        !node.endpoints.contains(source), state.image.endpointConfig(source) != nil
      else { continue }
      node.endpoints.append(source)
    }
    nodes[hop.node] = node
  }

  static func isSame(_ a: Attachment, _ b: Attachment) -> Bool {
    a.hook == b.hook && a.ifindex == b.ifindex && ProgramTable.same(a.config, b.config)
  }
}
