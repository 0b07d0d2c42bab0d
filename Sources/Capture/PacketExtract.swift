import Wire

/// Writes a selection of packets into a new pcapng capture, each with its identity as a comment.
public struct PacketExtract: ~Copyable {
  public enum Content: Sendable {
    /// The packet as it was captured.
    case whole
    /// The frame that the tunnel carried; packets outside tunnels are left out.
    case inner
  }

  private var file: OutputFile
  private var writer = PcapngWriter()
  private let content: Content
  private let names: ReportNames
  /// The interface of each link type written so far.
  private var interfaces: [LinkType: Int] = [:]
  /// What stands beside the packets of a tunnel: there are few tunnels, and a text for each packet would cost more
  /// than all the rest.
  private var comments: [Tunnel: String] = [:]
  private var lastTunnel: (tunnel: Tunnel, comment: String)?

  private struct Tunnel: Hashable {
    var vni: UInt32
    var tunnel: TunnelProtocol
    var source: IPAddress
    var destination: IPAddress
  }

  /// The first error; nothing is written after it.
  public private(set) var failure: CaptureError?

  public init(path: String, content: Content, names: ReportNames) throws(CaptureError) {
    file = try OutputFile(path: path)
    self.content = content
    self.names = names
  }

  public mutating func put(_ packet: CapturedPacket, _ dissection: TunnelDissection) {
    guard case .tunnel(let tunnel) = dissection else {
      if content == .whole { add(packet.octets, packet.original, packet, packet.linkType, comment: "") }
      return
    }
    let comment = comment(
      Tunnel(vni: tunnel.vni, tunnel: tunnel.tunnel, source: tunnel.source, destination: tunnel.destination))
    guard content == .inner else {
      return add(packet.octets, packet.original, packet, packet.linkType, comment: comment)
    }
    let start = min(tunnel.innerOffset, packet.captured)
    let end = min(packet.captured, start + tunnel.innerLength)
    add(
      UnsafeRawBufferPointer(rebasing: packet.octets[start..<end]), tunnel.innerLength, packet,
      tunnel.innerIsEthernet ? .ethernet : .raw, comment: comment)
  }

  private mutating func comment(_ tunnel: Tunnel) -> String {
    if let lastTunnel, lastTunnel.tunnel == tunnel { return lastTunnel.comment }
    var comment = comments[tunnel] ?? ""
    if comment.isEmpty {
      comment = "identity \(tunnel.vni)"
      if let name = names.identities.name(tunnel.vni) { comment += " (\(name))" }
      comment += ", \(tunnel.tunnel) \(tunnel.source) > \(tunnel.destination)"
      if comments.count < 1 << 16 { comments[tunnel] = comment }
    }
    lastTunnel = (tunnel, comment)
    return comment
  }

  private mutating func add(
    _ octets: UnsafeRawBufferPointer, _ original: Int, _ packet: CapturedPacket, _ linkType: LinkType,
    comment: String
  ) {
    let interface = interfaces[linkType] ?? writer.addInterface(name: "\(linkType)", linkType: linkType)
    interfaces[linkType] = interface
    writer.write(
      time: packet.time, interface: interface, octets: octets, originalLength: original, comment: comment)
    if writer.bytes.count > 256 << 10 { drain() }
  }

  private mutating func drain() {
    if failure == nil {
      do { try file.write(writer.bytes) } catch { failure = error }
    }
    writer.removeAll()
  }

  /// Writes what is left and gives the file its name.
  public mutating func finish() throws(CaptureError) {
    drain()
    if let failure { throw failure }
    try file.commit()
  }
}
