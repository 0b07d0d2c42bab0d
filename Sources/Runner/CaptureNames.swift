public import Capture
import Wire

/// A scenario as the source of names and of expectations for captures.
extension ScenarioOutcome {
  /// Adds every identity that the scenario's operator gave, with its labels.
  public func addNames(to identities: inout IdentityNames) {
    for (number, labels) in names.labels { identities.set(number, labels: labels) }
  }

  /// Adds the pods and nodes by their addresses.
  public func addNames(to endpoints: inout EndpointNames) {
    for (text, name) in names.addresses where !name.hasPrefix("svc/") {
      guard let address = IPAddress(text) else { continue }
      endpoints.set(address, EndpointNames.Endpoint(name: name, identity: nil, labels: []))
    }
  }

  /// What the native devices of all nodes would have captured.
  public func expectation(ports: DecodingPorts) throws(CaptureError) -> Capture.Expectation {
    var decoder = Decoder(ports: ports)
    for underlay in JourneyCapture(journeys, comment: "").underlays {
      var reader = CaptureReader(name: "\(file), \(underlay.node)", memory: underlay.pcap)
      try reader.read(into: &decoder)
    }
    return Capture.Expectation(decoder.report())
  }
}
