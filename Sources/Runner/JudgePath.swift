import Cluster
import Datapath
import MapABI
import Scenario

extension Judge {
  /// An ordered subset of the passages of the first packet, or of any packet of the conversation.
  mutating func judgePath(_ patterns: [Located<PassagePattern>], _ journeys: [Journey], _ names: NameBook) {
    guard !patterns.isEmpty else { return }
    let text = patterns.map(\.value.description).joined(separator: " → ")
    expect("path", text)
    for journey in journeys where Self.follows(journey, patterns.map(\.value), names) { return }
    let seen = journeys.first.map { Self.places($0, names).joined(separator: " → ") } ?? "no packet"
    fail("path: expected \(text), got \(seen)")
  }

  private static func follows(_ journey: Journey, _ patterns: [PassagePattern], _ names: NameBook) -> Bool {
    var rest = patterns[...]
    for hop in journey.hops {
      guard let next = rest.first else { return true }
      if matches(next, hop, names) { rest.removeFirst() }
    }
    return rest.isEmpty
  }

  private static func matches(_ pattern: PassagePattern, _ hop: Hop, _ names: NameBook) -> Bool {
    if let node = pattern.node, !matchesGlob(hop.node, node) { return false }
    if let hook = pattern.hook, hook != hop.hook.rawValue { return false }
    guard let device = pattern.device else { return true }
    return isDevice(device, hop, names)
  }

  /// Whether a hop is at the device that a scenario names: by its own name (a glob), as `lxc(namespace/pod)`, or as
  /// `lxc` where any may be meant.
  static func isDevice(_ device: String, _ hop: Hop, _ names: NameBook) -> Bool {
    let name = names.devices["\(hop.node)/\(hop.attachment.ifindex)"] ?? hop.device
    return device == name || device == hop.device || matchesGlob(hop.device, device)
      || name.hasPrefix("\(device)(")
  }

  private static func places(_ journey: Journey, _ names: NameBook) -> [String] {
    journey.hops.map { hop in
      let name = names.devices["\(hop.node)/\(hop.attachment.ifindex)"] ?? hop.device
      return "\(hop.node)/\(name):\(hop.hook.rawValue)"
    }
  }
}
