/// All that the agent of one node has put into the datapath: the maps' contents and the programs' configuration.
///
/// Rendered once by the control plane, and read by every interpreter: the model, our programs, Cilium's.
public struct MapImage: Sendable {
  /// The node's name.
  public var node: String
  public var maps: NodeMaps
  /// Every attached program, ordered by (ifindex, hook).
  public var attachments: [Attachment]
  /// What the endpoint-policy stage of each local endpoint is told, ascending by endpoint id.
  public var endpointConfigs: [DatapathConfig]

  public init(
    node: String, maps: NodeMaps = NodeMaps(), attachments: [Attachment] = [],
    endpointConfigs: [DatapathConfig] = []
  ) {
    self.node = node
    self.maps = maps
    self.attachments = attachments
    self.endpointConfigs = endpointConfigs
  }

  /// The configuration of the endpoint with this id: the program that `cilium_call_policy` holds for it.
  public func endpointConfig(_ id: UInt16) -> DatapathConfig? {
    var low = 0
    var high = endpointConfigs.count
    while low < high {
      let middle = (low + high) / 2
      if endpointConfigs[middle].endpoint_id < id { low = middle + 1 } else { high = middle }
    }
    guard low < endpointConfigs.count, endpointConfigs[low].endpoint_id == id else { return nil }
    return endpointConfigs[low]
  }

  public func attachment(_ hook: Hook, ifindex: UInt32) -> Attachment? {
    attachments.first { $0.hook == hook && $0.ifindex == ifindex }
  }
}
