import Wire

/// What a tunnel carries: the addresses and ports of one frame.
public struct InnerPacket: Hashable, Sendable {
  /// What kind of frame it is.
  public enum Kind: Hashable, Sendable {
    case ipv4, ipv6, arp
    /// Neither IP nor ARP: the Ethernet type; addresses are MAC addresses then.
    case other(UInt16)
  }

  public enum Address: Hashable, Sendable {
    case ip(IPAddress)
    case mac(MACAddress)
  }

  public var kind: Kind
  public var source: Address
  public var destination: Address
  /// The IP protocol number; 0 where there is none.
  public var transport: UInt8 = 0
  /// 0 where the protocol has no ports, and in later fragments.
  public var sourcePort: UInt16 = 0
  public var destinationPort: UInt16 = 0
  public var fragment = Fragment.none
  /// The flags octet of TCP, in Hubble's sense; nil for other protocols and where the capture is too short.
  public var tcpFlags: UInt8?
  /// ICMP type and code, or the ARP operation as a type.
  public var message: (type: UInt8, code: UInt8)? {
    get { messageBits.map { (UInt8($0 >> 8), UInt8($0 & 255)) } }
    set { messageBits = newValue.map { UInt16($0.type) << 8 | UInt16($0.code) } }
  }
  private var messageBits: UInt16?
  /// The service that a direct-server-return option names, when the inner IP header has one.
  public var dsr: DSROption?

  init(kind: Kind, source: Address, destination: Address) {
    self.kind = kind
    self.source = source
    self.destination = destination
  }

  /// Whether the protocol's header starts with two ports.
  public static func hasPorts(_ transport: UInt8) -> Bool {
    transport == IPProtocol.tcp || transport == IPProtocol.udp || transport == IPProtocol.sctp
  }
}

extension InnerPacket.Address: CustomStringConvertible {
  public var description: String {
    switch self {
    case .ip(let address): address.description
    case .mac(let address): address.description
    }
  }
}

extension PacketOctets {
  /// Reads the inner frame: `type` is the Ethernet type that the tunnel states.
  mutating func inner(_ type: UInt16, _ start: Int) throws(Fault) -> InnerPacket {
    var (next, offset) = (type, start)
    if type == EtherType.transparentEthernet { (next, offset) = try ethernet(start) }
    switch next {
    case EtherType.ipv4, EtherType.ipv6:
      let header = try network(next, offset)
      var packet = InnerPacket(
        kind: next == EtherType.ipv4 ? .ipv4 : .ipv6, source: .ip(header.source),
        destination: .ip(header.destination))
      packet.transport = header.transport
      packet.fragment = header.fragment
      packet.dsr = header.dsr
      if header.fragment != .later { try transport(&packet, header.offset) }
      return packet
    case EtherType.arp: return try arp(offset)
    default:
      guard type == EtherType.transparentEthernet else {
        return InnerPacket(
          kind: .other(next), source: .mac(MACAddress(bits: 0)), destination: .mac(MACAddress(bits: 0)))
      }
      return InnerPacket(kind: .other(next), source: .mac(mac(start + 6)), destination: .mac(mac(start)))
    }
  }

  /// RFC 826; only the IPv4 over Ethernet form names addresses that mean anything here.
  private func arp(_ start: Int) throws(Fault) -> InnerPacket {
    try need(start, 28, .arp)
    guard u16(start + 2) == EtherType.ipv4, u8(start + 4) == 6, u8(start + 5) == 4 else {
      throw malformed(start + 2, .headerLength(.arp, Int(u8(start + 4))))
    }
    var packet = InnerPacket(
      kind: .arp, source: .ip(ipv4(start + 14)), destination: .ip(ipv4(start + 24)))
    packet.message = (u8(start + 7), 0)
    return packet
  }

  private func transport(_ packet: inout InnerPacket, _ start: Int) throws(Fault) {
    switch packet.transport {
    case IPProtocol.tcp:
      try ports(&packet, start, .tcp)
      // Without its flags a cut segment still tells its flow.
      guard start + 14 <= wireEnd else { throw malformed(wireEnd, .short(.tcp)) }
      guard start + 14 <= captured else { return }
      let length = Int(u8(start + 12) >> 4) * 4
      guard length >= 20, packet.fragment == .first || start + length <= wireEnd else {
        throw malformed(start + 12, .headerLength(.tcp, length))
      }
      packet.tcpFlags = u8(start + 13)
    case IPProtocol.udp:
      try ports(&packet, start, .udp)
      guard start + 8 <= wireEnd else { throw malformed(wireEnd, .short(.udp)) }
      guard start + 6 <= captured else { return }
      let length = Int(u16(start + 4))
      guard length == 0 || length >= 8, packet.fragment == .first || start + length <= wireEnd else {
        throw malformed(start + 4, .length(.udp, length))
      }
    case IPProtocol.sctp:
      try ports(&packet, start, .sctp)
      guard start + 12 <= wireEnd else { throw malformed(wireEnd, .short(.sctp)) }
    case IPProtocol.icmp, IPProtocol.icmpv6:
      try need(start, 2, .icmp)
      packet.message = (u8(start), u8(start + 1))
    default: break
    }
  }

  @inline(__always)
  private func ports(_ packet: inout InnerPacket, _ start: Int, _ header: Fault.Header) throws(Fault) {
    try need(start, 4, header)
    packet.sourcePort = u16(start)
    packet.destinationPort = u16(start + 2)
  }
}
