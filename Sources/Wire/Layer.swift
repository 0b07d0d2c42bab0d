/// One layer of a frame: a header as a value, or octets that no header describes.
public enum Layer: Hashable, Sendable {
  case ethernet(EthernetHeader)
  case linuxCooked(LinuxCookedHeader)
  case vlan(VLANHeader)
  case arp(ARPHeader)
  case ipv4(IPv4Header)
  case ipv6(IPv6Header)
  case ipv6Extension(IPv6ExtensionHeader)
  case icmpv4(ICMPv4Header)
  case icmpv6(ICMPv6Header)
  /// The body of a neighbour solicitation or advertisement.
  case neighbor(NeighborBody)
  case routerSolicitation(RouterSolicitationBody)
  case routerAdvertisement(RouterAdvertisementBody)
  case tcp(TCPHeader)
  case udp(UDPHeader)
  case sctp(SCTPHeader)
  /// All that an ICMP error quotes of a TCP or SCTP header, as far as it can be named.
  case ports(PortsHeader)
  case vxlan(VXLANHeader)
  case geneve(GeneveHeader)
  case payload([UInt8])
  /// Octets after the end that a header declares, such as Ethernet padding.
  case trailer([UInt8])

  /// Reads the layer that `name` announces from the start of `bytes`; payload and trailer take all of them.
  public init(_ name: WireProtocol, parsing bytes: RawSpan) throws(WireError) {
    switch name {
    case .ethernet: self = .ethernet(try EthernetHeader(parsing: bytes))
    case .linuxCooked: self = .linuxCooked(try LinuxCookedHeader(parsing: bytes))
    case .vlan: self = .vlan(try VLANHeader(parsing: bytes))
    case .arp: self = .arp(try ARPHeader(parsing: bytes))
    case .ipv4: self = .ipv4(try IPv4Header(parsing: bytes))
    case .ipv6: self = .ipv6(try IPv6Header(parsing: bytes))
    case .hopByHop: self = .ipv6Extension(try IPv6ExtensionHeader(.hopByHop, parsing: bytes))
    case .routing: self = .ipv6Extension(try IPv6ExtensionHeader(.routing, parsing: bytes))
    case .fragment: self = .ipv6Extension(try IPv6ExtensionHeader(.fragment, parsing: bytes))
    case .authentication: self = .ipv6Extension(try IPv6ExtensionHeader(.authentication, parsing: bytes))
    case .destinationOptions:
      self = .ipv6Extension(try IPv6ExtensionHeader(.destinationOptions, parsing: bytes))
    case .icmpv4: self = .icmpv4(try ICMPv4Header(parsing: bytes))
    case .icmpv6: self = .icmpv6(try ICMPv6Header(parsing: bytes))
    case .neighbor: self = .neighbor(try NeighborBody(parsing: bytes))
    case .routerSolicitation: self = .routerSolicitation(try RouterSolicitationBody(parsing: bytes))
    case .routerAdvertisement: self = .routerAdvertisement(try RouterAdvertisementBody(parsing: bytes))
    case .tcp: self = .tcp(try TCPHeader(parsing: bytes))
    case .udp: self = .udp(try UDPHeader(parsing: bytes))
    case .sctp: self = .sctp(try SCTPHeader(parsing: bytes))
    case .ports: self = .ports(try PortsHeader(parsing: bytes))
    case .vxlan: self = .vxlan(try VXLANHeader(parsing: bytes))
    case .geneve: self = .geneve(try GeneveHeader(parsing: bytes))
    case .payload: self = .payload(bytes.array)
    case .trailer: self = .trailer(bytes.array)
    }
  }

  public var name: WireProtocol {
    switch self {
    case .ethernet: .ethernet
    case .linuxCooked: .linuxCooked
    case .vlan: .vlan
    case .arp: .arp
    case .ipv4: .ipv4
    case .ipv6: .ipv6
    case .ipv6Extension(let header): header.kind.protocol.next
    case .icmpv4: .icmpv4
    case .icmpv6: .icmpv6
    case .neighbor: .neighbor
    case .routerSolicitation: .routerSolicitation
    case .routerAdvertisement: .routerAdvertisement
    case .tcp: .tcp
    case .udp: .udp
    case .sctp: .sctp
    case .ports: .ports
    case .vxlan: .vxlan
    case .geneve: .geneve
    case .payload: .payload
    case .trailer: .trailer
    }
  }

  /// In octets.
  public var byteCount: Int {
    switch self {
    case .ethernet(let header): header.byteCount
    case .linuxCooked(let header): header.byteCount
    case .vlan(let header): header.byteCount
    case .arp(let header): header.byteCount
    case .ipv4(let header): header.byteCount
    case .ipv6(let header): header.byteCount
    case .ipv6Extension(.hopByHop(let header)), .ipv6Extension(.destinationOptions(let header)):
      header.byteCount
    case .ipv6Extension(.routing(let header)): header.byteCount
    case .ipv6Extension(.fragment(let header)): header.byteCount
    case .ipv6Extension(.authentication(let header)): header.byteCount
    case .icmpv4(let header): header.byteCount
    case .icmpv6(let header): header.byteCount
    case .neighbor(let body): body.byteCount
    case .routerSolicitation(let body): body.byteCount
    case .routerAdvertisement(let body): body.byteCount
    case .tcp(let header): header.byteCount
    case .udp(let header): header.byteCount
    case .sctp(let header): header.byteCount
    case .ports(let header): header.byteCount
    case .vxlan(let header): header.byteCount
    case .geneve(let header): header.byteCount
    case .payload(let octets), .trailer(let octets): octets.count
    }
  }

  /// Writes the layer's `byteCount` octets at `offset`; on error nothing is written.
  @_lifetime(bytes: copy bytes)
  public func emit(into bytes: inout MutableRawSpan, at offset: Int) throws(WireError) {
    switch self {
    case .ethernet(let header): try header.emit(into: &bytes, at: offset)
    case .linuxCooked(let header): try header.emit(into: &bytes, at: offset)
    case .vlan(let header): try header.emit(into: &bytes, at: offset)
    case .arp(let header): try header.emit(into: &bytes, at: offset)
    case .ipv4(let header): try header.emit(into: &bytes, at: offset)
    case .ipv6(let header): try header.emit(into: &bytes, at: offset)
    case .ipv6Extension(.hopByHop(let header)), .ipv6Extension(.destinationOptions(let header)):
      try header.emit(into: &bytes, at: offset)
    case .ipv6Extension(.routing(let header)): try header.emit(into: &bytes, at: offset)
    case .ipv6Extension(.fragment(let header)): try header.emit(into: &bytes, at: offset)
    case .ipv6Extension(.authentication(let header)): try header.emit(into: &bytes, at: offset)
    case .icmpv4(let header): try header.emit(into: &bytes, at: offset)
    case .icmpv6(let header): try header.emit(into: &bytes, at: offset)
    case .neighbor(let body): try body.emit(into: &bytes, at: offset)
    case .routerSolicitation(let body): try body.emit(into: &bytes, at: offset)
    case .routerAdvertisement(let body): try body.emit(into: &bytes, at: offset)
    case .tcp(let header): try header.emit(into: &bytes, at: offset)
    case .udp(let header): try header.emit(into: &bytes, at: offset)
    case .sctp(let header): try header.emit(into: &bytes, at: offset)
    case .ports(let header): try header.emit(into: &bytes, at: offset)
    case .vxlan(let header): try header.emit(into: &bytes, at: offset)
    case .geneve(let header): try header.emit(into: &bytes, at: offset)
    case .payload(let octets), .trailer(let octets):
      let room = offset >= 0 ? max(0, bytes.byteCount - offset) : 0
      guard room >= octets.count else { throw .noRoom(name, needed: octets.count, had: room) }
      bytes.store(octets, at: offset)
    }
  }
}
