extension Frame {
  /// What `build` computes; the rest is emitted as the headers have it.
  public struct Fill: OptionSet, Hashable, Sendable {
    public var rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Total, payload and datagram lengths.
    public static let lengths = Fill(rawValue: 1)
    /// IPv4, ICMP, TCP, UDP and SCTP checksums, complete.
    public static let checksums = Fill(rawValue: 2)
    /// EtherTypes, protocols and next headers, where a header follows that has a number.
    public static let types = Fill(rawValue: 4)
    /// With `checksums`: TCP and UDP get the pseudo-header's sum only, as a sender with offload leaves it.
    public static let partial = Fill(rawValue: 8)

    public static let all: Fill = [.lengths, .checksums, .types]
    /// Every field as given.
    public static let nothing: Fill = []
  }

  /// Puts layers together, the innermost first, each one in front of what is there already.
  ///
  /// Encapsulation is more layers: `[.ethernet, .ipv4, .udp, .vxlan, .ethernet, .ipv4, .tcp]`. Not computed,
  /// but left as given: the checksum of a UDP header that a tunnel header follows (Linux sends zero there for
  /// Cilium), the transport checksum of a fragment, and everything that an ICMP error quotes. Trailers come
  /// last, the outermost frame's at the very end, and count in no length of their own frame.
  ///
  /// - Throws: `WireError` when a field does not fit its place, lengths above 65535 included.
  public static func build(
    _ layers: [Layer], payload: [UInt8] = [], fill: Fill = .all
  ) throws(WireError) -> [UInt8] {
    var layers = layers
    if !payload.isEmpty {
      let end = layers.lastIndex { if case .trailer = $0 { false } else { true } }.map { $0 + 1 } ?? 0
      layers.insert(.payload(payload), at: end)
    }
    var assembly = FrameAssembly(layers, fill: fill)
    for index in layers.indices.reversed() { try assembly.prepend(index) }
    return assembly.bytes
  }
}

/// The state of a frame under construction: the layers after `start` are complete.
private struct FrameAssembly {
  let layers: [Layer]
  let fill: Frame.Fill
  /// For each layer, the end of what its own length covers.
  let ends: [Int]
  /// Layers from this one on are quoted in an ICMP error.
  let quoted: Int
  var bytes: [UInt8]
  var start: Int

  init(_ layers: [Layer], fill: Frame.Fill) {
    self.layers = layers
    self.fill = fill
    let count = layers.reduce(0) { $0 + $1.byteCount }
    bytes = [UInt8](repeating: 0, count: count)
    start = count
    quoted = layers.firstIndex { $0.quotesPacket }.map { $0 + 1 } ?? layers.count

    var trailers: [Int] = []
    for layer in layers.reversed() {
      guard case .trailer(let octets) = layer else { break }
      trailers.append(octets.count)
    }
    var end = count
    var outer = trailers.makeIterator()
    end -= outer.next() ?? 0
    var ends: [Int] = []
    for (index, layer) in layers.enumerated() {
      ends.append(end)
      let next = index + 1 < layers.count ? layers[index + 1].name : .payload
      if layer.opensInner(next) { end -= outer.next() ?? 0 }
    }
    self.ends = ends
  }

  mutating func prepend(_ index: Int) throws(WireError) {
    let layer = index < quoted ? try filled(index) : layers[index]
    start -= layer.byteCount
    let place = start
    var span = bytes.mutableSpan
    var room = span.mutableBytes
    try layer.emit(into: &room, at: place)
    if index < quoted, fill.contains(.checksums) { addChecksum(index) }
  }

  /// The layer with its type and length fields set.
  private func filled(_ index: Int) throws(WireError) -> Layer {
    let next = index + 1 < layers.count ? layers[index + 1] : .payload([])
    let length = max(0, ends[index] - start)
    let setsTypes = fill.contains(.types)
    let setsLengths = fill.contains(.lengths)
    switch layers[index] {
    case .ethernet(var header):
      if setsTypes { header.type = next.etherType(keeping: header.type) }
      return .ethernet(header)
    case .linuxCooked(var header):
      if setsTypes { header.type = next.etherType(keeping: header.type) }
      return .linuxCooked(header)
    case .vlan(var header):
      if setsTypes { header.type = next.etherType(keeping: header.type) }
      return .vlan(header)
    case .geneve(var header):
      if setsTypes { header.type = next.etherType(keeping: header.type) }
      return .geneve(header)
    case .ipv4(var header):
      if setsTypes { header.protocol = next.ipProtocol ?? header.protocol }
      if setsLengths { header.totalLength = try fit(length + header.byteCount, .ipv4, "totalLength") }
      return .ipv4(header)
    case .ipv6(var header):
      if setsTypes { header.nextHeader = next.ipProtocol ?? header.nextHeader }
      if setsLengths { header.payloadLength = try fit(length, .ipv6, "payloadLength") }
      return .ipv6(header)
    case .ipv6Extension(var header):
      if setsTypes { header.nextHeader = next.ipProtocol ?? header.nextHeader }
      return .ipv6Extension(header)
    case .udp(var header):
      if setsLengths { header.length = try fit(length + header.byteCount, .udp, "length") }
      return .udp(header)
    case let layer: return layer
    }
  }

  private func fit(_ length: Int, _ name: WireProtocol, _ field: String) throws(WireError) -> UInt16 {
    guard let value = UInt16(exactly: length) else {
      throw .invalid(name, field: field, needed: "at most 65535", had: UInt64(clamping: length))
    }
    return value
  }

  /// Computes the checksum of the layer that stands at `start`.
  private mutating func addChecksum(_ index: Int) {
    let covered = start..<max(start, ends[index])
    switch layers[index] {
    case .ipv4(let header):
      let own = start..<start + header.byteCount
      set(UInt16(0), at: IPv4Header.Offset.checksum)
      let sum = Checksum(bytes.span.bytes.window(own))
      set(sum.complement, at: IPv4Header.Offset.checksum)
    case .icmpv4:
      set(UInt16(0), at: ICMPv4Header.Offset.checksum)
      let sum = Checksum(bytes.span.bytes.window(covered))
      set(sum.complement, at: ICMPv4Header.Offset.checksum)
    case .icmpv6:
      guard var sum = pseudoHeader(index, .icmpv6, covered.count) else { return }
      set(UInt16(0), at: ICMPv6Header.Offset.checksum)
      sum.add(bytes.span.bytes.window(covered))
      set(sum.complement, at: ICMPv6Header.Offset.checksum)
    case .tcp:
      guard var sum = pseudoHeader(index, .tcp, covered.count) else { return }
      set(UInt16(0), at: TCPHeader.Offset.checksum)
      if !fill.contains(.partial) { sum.add(bytes.span.bytes.window(covered)) }
      set(fill.contains(.partial) ? sum.folded : sum.complement, at: TCPHeader.Offset.checksum)
    case .udp:
      if index + 1 < layers.count, layers[index + 1].name == .vxlan || layers[index + 1].name == .geneve {
        return
      }
      guard var sum = pseudoHeader(index, .udp, covered.count) else { return }
      set(UInt16(0), at: UDPHeader.Offset.checksum)
      if !fill.contains(.partial) { sum.add(bytes.span.bytes.window(covered)) }
      set(fill.contains(.partial) ? sum.folded : sum.udpComplement, at: UDPHeader.Offset.checksum)
    case .sctp:
      guard pseudoHeader(index, .sctp, covered.count) != nil,
        let sum = try? SCTPView(bytes.span.bytes.window(covered)).computedChecksum
      else { return }
      set(sum.byteSwapped, at: SCTPHeader.Offset.checksum)
    default: break
    }
  }

  private mutating func set<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, at offset: Int) {
    let place = start + offset
    bytes.store(value, at: place)
  }

  /// The sum of the pseudo-header for the transport layer at `index`; nil when no network layer is directly
  /// around it, or when the packet is a fragment.
  private func pseudoHeader(_ index: Int, _ name: IPProtocol, _ length: Int) -> Checksum? {
    for layer in layers[..<index].reversed() {
      switch layer {
      case .ipv6Extension(.fragment): return nil
      case .ipv6Extension: continue
      case .ipv4(let header):
        guard header.fragmentOffset == 0, !header.flags.contains(.moreFragments) else { return nil }
        return .pseudoHeader(
          source: header.source, destination: header.destination, protocol: name, length: length)
      case .ipv6(let header):
        return .pseudoHeader(
          source: header.source, destination: header.destination, protocol: name, length: length)
      default: return nil
      }
    }
    return nil
  }
}

extension Layer {
  /// The EtherType that announces this layer; `old` when it has none.
  func etherType(keeping old: EtherType) -> EtherType {
    switch name {
    case .ethernet: .ethernet
    case .vlan: old == .serviceVLAN ? .serviceVLAN : .vlan
    case .arp: .arp
    case .ipv4: .ipv4
    case .ipv6: .ipv6
    default: old
    }
  }

  /// The protocol number that announces this layer; nil when it has none.
  var ipProtocol: IPProtocol? {
    switch name {
    case .hopByHop: .hopByHop
    case .routing: .routing
    case .fragment: .fragment
    case .authentication: .authentication
    case .destinationOptions: .destinationOptions
    case .icmpv4: .icmpv4
    case .icmpv6: .icmpv6
    case .ipv4: .ipv4
    case .ipv6: .ipv6
    case .tcp: .tcp
    case .udp: .udp
    case .sctp: .sctp
    default: nil
    }
  }
}
