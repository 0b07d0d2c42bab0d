import Capture
public import Datapath
import MapABI

/// The captures of a run: what a sniffer at every device of every node would have recorded.
public struct JourneyCapture: Sendable {
  /// One pcapng with an interface for each node and device, and the hook's verdict as a comment on each packet.
  public var pcapng: [UInt8]
  /// A classic pcap of each node's native device, by node name.
  public var underlays: [(node: String, pcap: [UInt8])]

  public init(_ journeys: [Journey], comment: String) {
    let sightings = journeys.flatMap(Self.sightings).sorted {
      ($0.time, $0.journey, $0.order) < ($1.time, $1.journey, $1.order)
    }
    pcapng = Self.pcapng(sightings, comment: comment)
    underlays = Self.underlays(sightings)
  }

  /// A packet as seen at a device.
  private struct Sighting {
    var time: Instant
    var journey: Int
    var order: Int
    var node: String
    var device: String
    var frame: [UInt8]
    var comment: String
    var direction: PacketDirection
    var isUnderlay: Bool
  }

  private static func sightings(_ journey: Journey) -> [Sighting] {
    var result: [Sighting] = []
    func add(
      _ time: Instant, _ node: String, _ device: String, _ frame: [UInt8], _ comment: String,
      _ direction: PacketDirection, underlay: Bool = false
    ) {
      result.append(
        Sighting(
          time: time, journey: journey.id, order: result.count, node: node, device: device, frame: frame,
          comment: comment, direction: direction, isUnderlay: underlay))
    }
    for passage in journey.passages {
      switch passage {
      case .hook(let hop):
        // A sniffer sees a frame before the ingress hook and after the egress hook.
        let isEgress = hop.hook.isEgress
        if isEgress, hop.result.verdict == .drop { continue }
        guard let frame = isEgress ? hop.result.subject.frame : hop.input.subject.frame else { continue }
        add(
          hop.time, hop.node, hop.device, frame, comment(hop), isEgress ? .outbound : .inbound,
          underlay: hop.hook == .fromNetdev || hop.hook == .toNetdev)
      case .kernel(let step):
        if case .delivered(let to) = step.action, !step.node.isEmpty, !step.device.isEmpty {
          add(step.time, step.node, step.device, step.frame, "delivered to \(to)", .outbound)
        }
      }
    }
    return result
  }

  private static func comment(_ hop: Hop) -> String {
    var words = hop.hook.rawValue + ": "
    switch hop.result.verdict {
    case .pass: words += "pass"
    case .drop: words += "drop"
    case .redirect(let target): words += target.map { "redirect to ifindex \($0.ifindex)" } ?? "redirect"
    case .transmit: words += "transmit"
    case .other(let code): words += "returned \(code)"
    }
    if let reason = hop.result.drop { words += " \(reason.rawValue) (\(reason.text))" }
    return words
  }

  private static func pcapng(_ sightings: [Sighting], comment: String) -> [UInt8] {
    var writer = PcapngWriter(comment: comment)
    var names: [String: Int] = [:]
    for name in Set(sightings.map { "\($0.node)/\($0.device)" }).sorted() {
      names[name] = writer.addInterface(name: name)
    }
    for sighting in sightings {
      guard let interface = names["\(sighting.node)/\(sighting.device)"] else { continue }
      writer.write(
        time: sighting.time.unixNanoseconds, interface: interface, bytes: sighting.frame,
        comment: sighting.comment, direction: sighting.direction)
    }
    return writer.bytes
  }

  private static func underlays(_ sightings: [Sighting]) -> [(node: String, pcap: [UInt8])] {
    Set(sightings.filter(\.isUnderlay).map(\.node)).sorted().map { node in
      var writer = PcapWriter()
      for sighting in sightings where sighting.isUnderlay && sighting.node == node {
        writer.write(time: sighting.time.unixNanoseconds, bytes: sighting.frame)
      }
      return (node, writer.bytes)
    }
  }
}
