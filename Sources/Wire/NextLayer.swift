/// UDP destination ports that stand for a tunnel; no header says so.
public struct TunnelPorts: Hashable, Sendable {
  public var vxlan: [UInt16]
  public var geneve: [UInt16]

  public init(vxlan: [UInt16], geneve: [UInt16]) {
    self.vxlan = vxlan
    self.geneve = geneve
  }

  /// VXLAN on 8472 (Linux and Cilium) and 4789 (IANA), Geneve on 6081 (IANA).
  public static let standard = TunnelPorts(vxlan: [8472, 4789], geneve: [6081])
  /// Tunnels are payload.
  public static let none = TunnelPorts(vxlan: [], geneve: [])
}

extension Layer {
  /// What follows this layer, by its own fields.
  public func next(_ ports: TunnelPorts) -> WireProtocol {
    switch self {
    case .ethernet(let header): header.type.next
    case .linuxCooked(let header): header.type.next
    case .vlan(let header): header.type.next
    // A fragment but the first has no transport header.
    case .ipv4(let header): header.fragmentOffset == 0 ? header.protocol.next : .payload
    case .ipv6(let header): header.nextHeader.next
    case .ipv6Extension(.fragment(let header)):
      header.fragmentOffset == 0 ? header.nextHeader.next : .payload
    case .ipv6Extension(let header): header.nextHeader.next
    case .icmpv4(let header): header.type.quotesPacket ? .ipv4 : .payload
    case .icmpv6(let header): header.type.next
    case .udp(let header):
      if ports.vxlan.contains(header.destinationPort) {
        .vxlan
      } else if ports.geneve.contains(header.destinationPort) {
        .geneve
      } else {
        .payload
      }
    case .vxlan: .ethernet
    case .geneve(let header): header.type.next
    case .arp, .neighbor, .routerSolicitation, .routerAdvertisement, .tcp, .sctp, .ports, .payload, .trailer:
      .payload
    }
  }

  /// How many octets the layer says that follow it; nil when it does not say, or says what cannot be.
  var declaredPayloadLength: Int? {
    switch self {
    case .ipv4(let header):
      Int(header.totalLength) >= header.byteCount ? Int(header.totalLength) - header.byteCount : nil
    case .ipv6(let header): header.payloadLength > 0 ? Int(header.payloadLength) : nil
    case .udp(let header):
      Int(header.length) >= UDPHeader.byteCount ? Int(header.length) - UDPHeader.byteCount : nil
    case .arp: 0
    default: nil
    }
  }

  /// Whether the layers after this one belong to a packet within the packet.
  func opensInner(_ next: WireProtocol) -> Bool {
    switch self {
    case .vxlan, .geneve: true
    case .icmpv4, .icmpv6, .ipv4, .ipv6, .ipv6Extension: next == .ipv4 || next == .ipv6
    default: false
    }
  }

  /// Whether the layer is an ICMP error, which quotes the start of a packet.
  var quotesPacket: Bool {
    switch self {
    case .icmpv4(let header): header.type.quotesPacket
    case .icmpv6(let header): header.type.quotesPacket
    default: false
    }
  }
}
