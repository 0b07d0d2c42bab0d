import Capture
import Datapath
import MapABI

/// What a `capture` step asks for: a sniffer at one device for a while.
struct CaptureWindow: Equatable {
  var name: String
  var node: String
  /// A device's name, `lxc(namespace/pod)`, or `any`.
  var interface: String
  var since: Instant
  /// nil while it goes on.
  var until: Instant?

  func holds(_ sighting: Sighting, _ names: NameBook) -> Bool {
    guard sighting.node == node, sighting.time >= since, until.map({ sighting.time <= $0 }) ?? true else {
      return false
    }
    if interface == "any" || interface == sighting.device { return true }
    if let pod = sighting.deliveredTo, interface == "lxc(\(pod))" { return true }
    return sighting.hop.map { names.devices["\(node)/\($0.attachment.ifindex)"] == interface } ?? false
  }
}

/// A capture that a scenario asked for by name.
public struct NamedCapture: Sendable {
  public var name: String
  public var packets: Int
  /// A classic pcap.
  public var pcap: [UInt8]

  init(_ window: CaptureWindow, _ journeys: [Journey], _ names: NameBook) {
    let sightings = journeys.flatMap(\.sightings).filter { window.holds($0, names) }.sorted {
      ($0.time, $0.journey, $0.order) < ($1.time, $1.journey, $1.order)
    }
    var writer = PcapWriter()
    for sighting in sightings { writer.write(time: sighting.time.unixNanoseconds, bytes: sighting.frame) }
    name = window.name
    packets = sightings.count
    pcap = writer.bytes
  }
}
