import Wire

/// Compares two captures packet by packet, and names the first field in which a pair differs.
public struct CaptureDifference: Sendable {
  /// What need not be equal.
  public enum Ignorable: String, Sendable, CaseIterable {
    case time
    /// Every checksum of a header that is known.
    case checksum
    /// The identification of IPv4 headers.
    case ipID = "ip.id"
  }

  public let ignored: Set<Ignorable>
  public let ports: DecodingPorts
  /// Pairs compared, a packet without a partner being one.
  public private(set) var compared = 0
  public private(set) var differing = 0

  public init(ignoring ignored: Set<Ignorable> = [], ports: DecodingPorts = DecodingPorts()) {
    self.ignored = ignored
    self.ports = ports
  }

  /// A packet that stays until its partner is there.
  struct Kept: Sendable {
    var octets: [UInt8]
    var original: Int
    var time: UInt64
    var linkType: LinkType
  }

  /// Compares two files; `tell` gets a line per differing pair and one for the sum. Throws when a file cannot be read
  /// to its end, after the packets before that have been compared.
  public mutating func compare(_ first: String, _ second: String, _ tell: (String) -> Void)
    throws(CaptureError)
  {
    var (a, b) = (KeptPackets(), KeptPackets())
    var left = try CaptureReader(path: first)
    var right = try CaptureReader(path: second)
    var failure: CaptureError?
    while true {
      do {
        try a.refill(&left)
        try b.refill(&right)
      } catch { failure = error }
      let pairs = min(a.count, b.count)
      for place in 0..<pairs { compare(a[place], b[place], tell) }
      a.drop(pairs)
      b.drop(pairs)
      if failure != nil || (a.isEmpty && a.ended) || (b.isEmpty && b.ended) { break }
    }
    if let failure { throw failure }
    try lonely(&a, &left, first, tell)
    try lonely(&b, &right, second, tell)
    tell("\(compared) packets compared, \(differing) differ")
  }

  /// What one capture has beyond the end of the other.
  private mutating func lonely(
    _ packets: inout KeptPackets, _ reader: inout CaptureReader, _ name: String, _ tell: (String) -> Void
  ) throws(CaptureError) {
    while true {
      for _ in 0..<packets.count {
        compared += 1
        differing += 1
        tell("packet \(compared): only in \(name)")
      }
      packets.drop(packets.count)
      try packets.refill(&reader)
      if packets.isEmpty { return }
    }
  }

  private mutating func compare(_ a: Kept, _ b: Kept, _ tell: (String) -> Void) {
    compared += 1
    guard let text = firstDifference(a, b) else { return }
    differing += 1
    tell("packet \(compared): \(text)")
  }

  func firstDifference(_ a: Kept, _ b: Kept) -> String? {
    if !ignored.contains(.time), a.time != b.time { return "time: \(a.time) != \(b.time)" }
    if a.linkType != b.linkType { return "link type: \(a.linkType) != \(b.linkType)" }
    if a.octets != b.octets, let text = firstDifferentField(a, b) { return text }
    if a.original != b.original { return "length on the wire: \(a.original) != \(b.original)" }
    if a.octets.count != b.octets.count { return "captured length: \(a.octets.count) != \(b.octets.count)" }
    return nil
  }

  private func firstDifferentField(_ a: Kept, _ b: Kept) -> String? {
    let map = FieldMap(a.octets, a.linkType, ports)
    var offset = 0
    let shared = min(a.octets.count, b.octets.count)
    while offset < shared {
      guard a.octets[offset] != b.octets[offset] else {
        offset += 1
        continue
      }
      let field = map.field(at: offset)
      let end = field.offset + field.length
      if isIgnored(field) {
        offset = end
        continue
      }
      guard end <= shared else { break }
      let (one, other) = (a.octets[field.offset..<end], b.octets[field.offset..<end])
      return "\(field.name) (octet \(field.offset)): \(text(one, field)) != \(text(other, field))"
    }
    return nil
  }

  private func isIgnored(_ field: PacketField) -> Bool {
    (ignored.contains(.checksum) && field.name.hasSuffix(".checksum"))
      || (ignored.contains(.ipID) && (field.name == "ip.id" || field.name == "inner.ip.id"))
  }

  private func text(_ octets: ArraySlice<UInt8>, _ field: PacketField) -> String {
    let isAddress =
      field.name.hasSuffix("src") || field.name.hasSuffix("dst") || field.name.contains("proto_ipv4")
      || field.name.hasSuffix("hw_mac")
    let number = octets.prefix(8).reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
    switch octets.count {
    case 4 where isAddress: return "\(IPv4Address(bits: UInt32(truncatingIfNeeded: number)))"
    case 6 where isAddress: return "\(MACAddress(bits: number))"
    case 16 where isAddress: return IPv6Address(octets: octets).map { "\($0)" } ?? ""
    case ...4 where !field.name.contains("flags"): return "\(number)"
    default: return "0x" + octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
  }
}

/// The packets of one piece of a capture.
struct KeptPackets: PacketSink {
  private var packets: [CaptureDifference.Kept] = []
  private var first = 0
  private(set) var ended = false

  var count: Int { packets.count - first }
  var isEmpty: Bool { count == 0 }
  subscript(place: Int) -> CaptureDifference.Kept { packets[first + place] }

  mutating func drop(_ count: Int) {
    first += count
    if first == packets.count {
      packets.removeAll(keepingCapacity: true)
      first = 0
    }
  }

  mutating func take(_ packet: CapturedPacket) {
    packets.append(
      CaptureDifference.Kept(
        octets: Array(packet.octets), original: packet.original, time: packet.time, linkType: packet.linkType)
    )
  }

  /// Reads on until there is a packet or the file's end.
  mutating func refill(_ reader: inout CaptureReader) throws(CaptureError) {
    while isEmpty, !ended {
      if try !reader.advance(into: &self) {
        ended = true
        try reader.finish()
      }
    }
  }
}
