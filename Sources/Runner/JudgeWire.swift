import Cluster
import Datapath
import MapABI
import Scenario
import Wire

/// What an expectation about the wire needs to know of the cluster.
struct WireFacts {
  var identity: (ProbeSource) -> UInt32?
  var address: (String) -> [IPAddress]
  var names: NameBook
}

extension Judge {
  /// Whether some packet of the conversation looks on a node's device as expected, or none does.
  mutating func judgeWire(_ expectations: [WireExpectation], _ journeys: [Journey], _ facts: WireFacts) {
    for expectation in expectations {
      expect("wire", Self.text(expectation))
      var reasons: [String] = []
      let found = journeys.contains { journey in
        Self.frames(journey, expectation, facts.names).contains { frame in
          let reason = Self.difference(frame, expectation, facts)
          if let reason { reasons.append(reason) }
          return reason == nil
        }
      }
      if !expectation.isSeen {
        if found { fail("wire: expected not to see \(Self.text(expectation)), but such a packet was there") }
      } else if !found {
        let why = reasons.first.map { ": the first packet there has \($0)" } ?? ": no packet was seen there"
        fail("wire: expected \(Self.text(expectation))\(why)")
      }
    }
  }

  private static func text(_ expectation: WireExpectation) -> String {
    var words: [String] = []
    if let node = expectation.node { words.append(node) }
    if let device = expectation.device { words.append(device) }
    if let encapsulation = expectation.encapsulation { words.append(encapsulation.rawValue) }
    if let port = expectation.port { words.append("port \(port)") }
    switch expectation.vni {
    case .number(let number): words.append("VNI \(number)")
    case .identityOf(let source): words.append("VNI of \(source)")
    case nil: break
    }
    if let source = expectation.source { words.append("from \(source)") }
    if let destination = expectation.destination { words.append("to \(destination)") }
    if let overhead = expectation.overhead { words.append("overhead \(overhead)") }
    if let ttl = expectation.ttl { words.append("TTL \(ttl)") }
    return (expectation.isSeen ? "" : "not seen: ") + words.joined(separator: " ")
  }

  /// The frames of a journey at the device that is named.
  private static func frames(
    _ journey: Journey, _ expectation: WireExpectation, _ names: NameBook
  ) -> [[UInt8]] {
    journey.sightings.compactMap { sighting in
      if let node = expectation.node, node != sighting.node { return nil }
      guard let device = expectation.device else { return sighting.frame }
      let isThere =
        sighting.hop.map { isDevice(device, $0, names) }
        ?? [sighting.device, "lxc", "lxc(\(sighting.deliveredTo ?? ""))"].contains(device)
      return isThere ? sighting.frame : nil
    }
  }

  /// What of a frame is not as expected; nil when all is.
  private static func difference(
    _ frame: [UInt8], _ expectation: WireExpectation, _ facts: WireFacts
  ) -> String? {
    let seen = OuterHeaders(frame)
    if let wanted = expectation.encapsulation, wanted.rawValue != seen.encapsulation {
      return "encapsulation \(seen.encapsulation)"
    }
    if let wanted = expectation.port, wanted != seen.port {
      return "port \(seen.port.map { "\($0)" } ?? "none")"
    }
    if let wanted = expectation.vni {
      let number: UInt32? =
        switch wanted {
        case .number(let number): number
        case .identityOf(let source): facts.identity(source)
        }
      if number != seen.vni {
        return
          "VNI \(seen.vni.map { "\($0)" } ?? "none") instead of \(number.map { "\($0)" } ?? "an unknown one")"
      }
    }
    if let wanted = expectation.source, !matches(wanted, seen.source, facts) {
      return "source \(seen.source.map { "\($0)" } ?? "none")"
    }
    if let wanted = expectation.destination, !matches(wanted, seen.destination, facts) {
      return "destination \(seen.destination.map { "\($0)" } ?? "none")"
    }
    if let wanted = expectation.overhead, wanted != seen.overhead { return "overhead \(seen.overhead)" }
    if let wanted = expectation.ttl, wanted != seen.ttl { return "TTL \(seen.ttl.map { "\($0)" } ?? "none")" }
    return nil
  }

  private static func matches(_ wanted: String, _ address: IPAddress?, _ facts: WireFacts) -> Bool {
    guard let address else { return false }
    if let literal = IPAddress(wanted) { return literal == address }
    return facts.address(wanted).contains(address)
  }
}

/// The outermost headers of a frame, and what tunnel they make.
struct OuterHeaders {
  var encapsulation = "none"
  var source: IPAddress?
  var destination: IPAddress?
  /// UDP destination port of a tunnel; of anything else its own destination port.
  var port: UInt16?
  var vni: UInt32?
  var ttl: UInt8?
  /// Octets in front of the inner frame, the outer Ethernet header not counted twice.
  var overhead = 0

  init(_ frame: [UInt8]) {
    for entry in Frame.dissect(frame).entries {
      switch entry.layer {
      case .ipv4(let header) where source == nil:
        source = .v4(header.source)
        destination = .v4(header.destination)
        ttl = header.timeToLive
      case .ipv6(let header) where source == nil:
        source = .v6(header.source)
        destination = .v6(header.destination)
        ttl = header.hopLimit
      case .udp(let header) where port == nil: port = header.destinationPort
      case .tcp(let header) where port == nil: port = header.destinationPort
      case .vxlan(let header):
        encapsulation = "vxlan"
        vni = header.vni
        overhead = entry.range.upperBound
        return
      case .geneve(let header):
        encapsulation = "geneve"
        vni = header.vni
        overhead = entry.range.upperBound
        return
      default: break
      }
    }
  }
}
