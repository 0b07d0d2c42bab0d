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
    let sightings = journeys.flatMap(\.sightings).sorted {
      ($0.time, $0.journey, $0.order) < ($1.time, $1.journey, $1.order)
    }
    pcapng = Self.pcapng(sightings, comment: comment)
    underlays = Self.underlays(sightings)
  }

  private static func comment(_ sighting: Sighting) -> String {
    if let hop = sighting.hop { return comment(hop) }
    return sighting.deliveredTo.map { "delivered to \($0)" } ?? "no program"
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
        comment: Self.comment(sighting), direction: sighting.direction)
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
