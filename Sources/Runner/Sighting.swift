import Capture
import Datapath
import MapABI

/// A packet as a sniffer at a node's device sees it.
struct Sighting {
  var time: Instant
  var journey: Int
  /// Its place among the journey's sightings.
  var order: Int
  var node: String
  var device: String
  var frame: [UInt8]
  var direction: PacketDirection
  /// Whether the device is the node's native one.
  var isUnderlay: Bool
  /// The program that saw it there; nil where none is attached.
  var hop: Hop?
  /// Whose stack took it behind this device.
  var deliveredTo: String?
}

extension Journey {
  /// Where sniffers see the packet: before a device's ingress program, behind its egress program, on a native device
  /// without egress program as it leaves, and at a pod's device as the pod gets it.
  var sightings: [Sighting] {
    var result: [Sighting] = []
    func add(
      _ time: Instant, _ node: String, _ device: String, _ frame: [UInt8], _ direction: PacketDirection,
      underlay: Bool = false, hop: Hop? = nil, deliveredTo: String? = nil
    ) {
      result.append(
        Sighting(
          time: time, journey: id, order: result.count, node: node, device: device, frame: frame,
          direction: direction, isUnderlay: underlay, hop: hop, deliveredTo: deliveredTo))
    }
    for (index, passage) in passages.enumerated() {
      switch passage {
      case .hook(let hop):
        let isEgress = hop.hook.isEgress
        if isEgress, hop.result.verdict == .drop { continue }
        guard let frame = isEgress ? hop.result.subject.frame : hop.input.subject.frame else { continue }
        add(
          hop.time, hop.node, hop.device, frame, isEgress ? .outbound : .inbound,
          underlay: hop.hook == .fromNetdev || hop.hook == .toNetdev, hop: hop)
      case .kernel(let step):
        switch step.action {
        case .delivered(let to) where !step.node.isEmpty && !step.device.isEmpty:
          add(step.time, step.node, step.device, step.frame, .outbound, deliveredTo: to)
        case .wire where !step.node.isEmpty && !hasLeft(before: index, step.node, step.device):
          add(step.time, step.node, step.device, step.frame, .outbound, underlay: true)
        default: break
        }
      case .proxy: break
      }
    }
    return result
  }

  /// Whether the passage before is the egress program of the same device.
  private func hasLeft(before index: Int, _ node: String, _ device: String) -> Bool {
    guard index > 0, case .hook(let hop) = passages[index - 1] else { return false }
    return hop.hook.isEgress && hop.node == node && hop.device == device
  }
}
