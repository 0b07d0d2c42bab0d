/// Sees each packet that a selective decoder counts.
public protocol PacketVisitor: ~Copyable {
  mutating func visit(_ packet: CapturedPacket, _ dissection: Dissection)
}

/// Which packets of a capture are of interest.
public struct PacketSelection {
  /// Nanoseconds since the epoch; both ends are included.
  public var from: UInt64?
  public var to: UInt64?
  public var filter: PacketFilter?

  public init(from: UInt64? = nil, to: UInt64? = nil, filter: PacketFilter? = nil) {
    self.from = from
    self.to = to
    self.filter = filter
  }

  /// Whether every packet is.
  public var isEverything: Bool { from == nil && to == nil && filter == nil }
}

/// A decoder that counts a selection of packets, and shows each to a visitor.
public struct SelectiveDecoder<Visitor: PacketVisitor & ~Copyable>: PacketSink, ~Copyable {
  public var decoder: Decoder
  public let selection: PacketSelection
  public var visitor: Visitor

  public init(decoder: consuming Decoder, selection: PacketSelection, visitor: consuming Visitor) {
    self.decoder = decoder
    self.selection = selection
    self.visitor = visitor
  }

  public mutating func take(_ packet: CapturedPacket) {
    if let from = selection.from, packet.time < from { return }
    if let to = selection.to, packet.time > to { return }
    let dissection = Dissection(packet, ports: decoder.ports)
    if let filter = selection.filter, !filter.matches(packet, dissection) { return }
    decoder.counts.packets &+= 1
    if packet.captured < packet.original { decoder.counts.cut &+= 1 }
    decoder.count(dissection, packet)
    visitor.visit(packet, dissection)
  }
}
