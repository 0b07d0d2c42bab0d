import Wire

/// The two encapsulations that Cilium speaks.
public enum TunnelProtocol: UInt8, Hashable, Sendable {
  case vxlan = 0
  case geneve = 1
}

extension TunnelProtocol: CustomStringConvertible {
  public var description: String { self == .vxlan ? "vxlan" : "geneve" }
}

/// Which UDP destination ports are what.
public struct DecodingPorts: Hashable, Sendable {
  public var vxlan: [UInt16]
  public var geneve: [UInt16]
  public var wireguard: UInt16

  /// Cilium's ports: VXLAN 8472 (and IANA's 4789), Geneve 6081, WireGuard 51871.
  public init(vxlan: [UInt16] = [8472, 4789], geneve: [UInt16] = [6081], wireguard: UInt16 = 51871) {
    self.vxlan = vxlan
    self.geneve = geneve
    self.wireguard = wireguard
  }

  func tunnel(_ port: UInt16) -> TunnelProtocol? {
    vxlan.contains(port) ? .vxlan : geneve.contains(port) ? .geneve : nil
  }
}

/// A packet of a tunnel, with what it carries.
public struct TunnelPacket: Hashable, Sendable {
  public var tunnel: TunnelProtocol
  /// The tunnel's ends, as nodes know each other.
  public var source: IPAddress
  public var destination: IPAddress
  public var sourcePort: UInt16
  public var destinationPort: UInt16
  /// The virtual network identifier: with Cilium, the sender's security identity. 0 … 2^24 − 1.
  public var vni: UInt32
  /// Where the inner frame starts in the captured packet.
  public var innerOffset: Int
  /// How long the inner frame was on the wire.
  public var innerLength: Int
  /// Whether the inner frame starts with an Ethernet header (Geneve may carry bare IP).
  public var innerIsEthernet: Bool
  /// The service that a Geneve option names.
  public var dsr: DSROption?
  public var inner: Result<InnerPacket, Fault>
}

/// What a captured packet is to someone who looks for identities.
public enum TunnelDissection: Hashable, Sendable {
  case tunnel(TunnelPacket)
  /// Not of a tunnel; with the direct-server-return option that its IP header may carry.
  case plain(DSROption?)
  /// A later fragment of a UDP packet: there is no port in it to tell what it belongs to.
  case laterFragment
  case wireguard
  case ipsec
  /// Nothing could be read before the tunnel's identity.
  case broken(Fault)
  case unknownLinkType
}

extension TunnelDissection {
  /// Reads a packet from its link layer to the transport ports of the inner frame.
  public init(_ packet: CapturedPacket, ports: DecodingPorts) {
    var octets = PacketOctets(base: packet.base, captured: packet.captured, wireEnd: packet.original)
    // A packet cannot be longer in the file than on the wire; believe what is there.
    octets.wireEnd = max(packet.original, packet.captured)
    do { self = try octets.dissect(packet.linkType, ports) } catch { self = .broken(error) }
  }
}

extension PacketOctets {
  mutating func dissect(_ linkType: LinkType, _ ports: DecodingPorts) throws(Fault) -> TunnelDissection {
    guard let link = try linkLayer(linkType) else { return .unknownLinkType }
    guard link.type == EtherType.ipv4 || link.type == EtherType.ipv6 else { return .plain(nil) }
    let header = try network(link.type, link.offset)
    switch header.transport {
    case IPProtocol.esp: return .ipsec
    case IPProtocol.udp: break
    default: return .plain(header.dsr)
    }
    if header.fragment == .later { return .laterFragment }
    try need(header.offset, 8, .udp)
    let port = u16(header.offset + 2)
    guard let tunnel = ports.tunnel(port) else {
      let isWireguard = port == ports.wireguard || u16(header.offset) == ports.wireguard
      return isWireguard ? .wireguard : .plain(header.dsr)
    }
    try udpLength(header)
    return try .tunnel(tunnelPacket(tunnel, header))
  }

  /// Narrows the packet to what UDP states; 0 is an offloaded packet. In a first fragment that is more than the
  /// fragment holds.
  private mutating func udpLength(_ header: NetworkHeader) throws(Fault) {
    let length = Int(u16(header.offset + 4))
    guard length != 0 else { return }
    guard length >= 8, header.fragment == .first || header.offset + length <= wireEnd else {
      throw malformed(header.offset + 4, .length(.udp, length))
    }
    wireEnd = header.offset + length
  }

  private mutating func tunnelPacket(
    _ tunnel: TunnelProtocol, _ header: NetworkHeader
  ) throws(Fault) -> TunnelPacket {
    let start = header.offset + 8
    var type = EtherType.transparentEthernet
    var innerOffset = start + 8
    var dsr: DSROption?
    switch tunnel {
    case .vxlan:
      // RFC 7348 section 5; other flag bits (group policy) do not matter here.
      try need(start, 8, .vxlan)
      guard u8(start) & 0x08 != 0 else { throw malformed(start, .noVNI(u8(start))) }
    case .geneve:
      // RFC 8926 section 3.4.
      try need(start, 8, .geneve)
      guard u8(start) >> 6 == 0 else { throw malformed(start, .version(.geneve, u8(start) >> 6)) }
      type = u16(start + 2)
      innerOffset += Int(u8(start) & 63) * 4
      try need(start, innerOffset - start, .geneve)
      dsr = try geneveOptions(start + 8, innerOffset)
    }
    let vni = u32(start + 4) >> 8
    let length = max(0, wireEnd - innerOffset)
    let content: Result<InnerPacket, Fault>
    do { content = .success(try inner(type, innerOffset)) } catch { content = .failure(error) }
    return TunnelPacket(
      tunnel: tunnel, source: header.source, destination: header.destination,
      sourcePort: u16(header.offset), destinationPort: u16(header.offset + 2), vni: vni,
      innerOffset: innerOffset, innerLength: length, innerIsEthernet: type == EtherType.transparentEthernet,
      dsr: dsr, inner: content)
  }
}
