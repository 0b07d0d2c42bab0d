import Wire

/// What should be in a capture: identities, and flows with theirs.
///
/// Made from another capture (a scenario run with `--pcap` writes one) or from the JSON report of one. Ports that a
/// client picked (the higher one of the two) do not count: two runs differ in them.
public struct Expectation: Sendable {
  struct Item: Hashable, Sendable, Comparable {
    var vni: UInt32
    var transport: String
    var source: String
    var destination: String

    static func < (a: Self, b: Self) -> Bool {
      (a.vni, a.transport, a.source, a.destination) < (b.vni, b.transport, b.source, b.destination)
    }

    var description: String { "\(transport) \(source) -> \(destination) with identity \(vni)" }
  }

  var identities: Set<UInt32> = []
  var flows: Set<Item> = []

  /// Reads a capture, or a `ciliate.decode/v1` document.
  public init(file: String, ports: DecodingPorts) throws(CaptureError) {
    let octets = try readWholeFile(file)
    let first = octets.first { $0 != 0x20 && $0 != 0x0a && $0 != 0x0d && $0 != 0x09 }
    guard first == UInt8(ascii: "{") else {
      var decoder = Decoder(ports: ports)
      var reader = CaptureReader(name: file, memory: octets)
      try reader.read(into: &decoder)
      self = Expectation(decoder.report())
      return
    }
    let document: JSONValue
    do { document = try JSONValue(parsing: octets) } catch {
      throw CaptureError(file: file, offset: UInt64(error.offset), reason: "JSON: \(error.reason)")
    }
    guard document["schema"]?.string == "ciliate.decode/v1", let list = document["flows"]?.array else {
      throw CaptureError(file: file, reason: "neither a capture nor a ciliate.decode/v1 document")
    }
    for identity in document["identities"]?.array ?? [] {
      if let vni = identity["vni"]?.unsigned { identities.insert(UInt32(truncatingIfNeeded: vni)) }
    }
    for flow in list {
      guard let vni = flow["vni"]?.unsigned, let inner = flow["inner"], let source = inner["src"]?.string,
        let destination = inner["dst"]?.string, let transport = inner["protocol"]?.string
      else { throw CaptureError(file: file, reason: "a flow without vni, src, dst or protocol") }
      insert(
        UInt32(truncatingIfNeeded: vni), transport, source, destination,
        inner["sport"]?.unsigned.map { UInt16(truncatingIfNeeded: $0) },
        inner["dport"]?.unsigned.map { UInt16(truncatingIfNeeded: $0) })
    }
  }

  public init(_ report: borrowing DecodeReport) {
    identities = Set(report.identities.map(\.vni))
    for number in 0..<report.flowCount {
      let flow = report.flow(number)
      var text = TextOutput()
      flow.kind.put(flow.transport, to: &text)
      insert(
        flow.vni, text.text, flow.source.description, flow.destination.description,
        flow.hasPorts ? flow.sourcePort : nil, flow.hasPorts ? flow.destinationPort : nil)
    }
  }

  private mutating func insert(
    _ vni: UInt32, _ transport: String, _ source: String, _ destination: String, _ sport: UInt16?,
    _ dport: UInt16?
  ) {
    func end(_ address: String, _ port: UInt16?, _ other: UInt16?) -> String {
      guard let port, let other else { return address }
      return port > other ? "\(address):*" : "\(address):\(port)"
    }
    flows.insert(
      Item(
        vni: vni, transport: transport, source: end(source, sport, dport),
        destination: end(destination, dport, sport)))
  }

  /// What is missing in `found`, and what is there beyond the expectation; one line each, in a fixed order.
  public func differences(from found: Expectation) -> [String] {
    var lines: [String] = []
    for vni in identities.subtracting(found.identities).sorted() { lines.append("missing: identity \(vni)") }
    for flow in flows.subtracting(found.flows).sorted() { lines.append("missing: \(flow.description)") }
    for vni in found.identities.subtracting(identities).sorted() {
      lines.append("unexpected: identity \(vni)")
    }
    for flow in found.flows.subtracting(flows).sorted() { lines.append("unexpected: \(flow.description)") }
    return lines
  }
}
