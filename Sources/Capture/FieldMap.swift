import Wire

/// A named stretch of a packet.
public struct PacketField: Hashable, Sendable {
  /// As Wireshark names it where it has a name; `inner.` before it inside a tunnel.
  public var name: String
  public var offset: Int
  public var length: Int
}

/// Names the octets of a packet, header by header, as far as they can be told; what remains is payload.
struct FieldMap {
  private(set) var fields: [PacketField] = []
  private let octets: [UInt8]
  private let ports: DecodingPorts
  private var prefix = ""

  init(_ octets: [UInt8], _ linkType: LinkType, _ ports: DecodingPorts) {
    self.octets = octets
    self.ports = ports
    switch linkType {
    case .ethernet: ethernet(0)
    case .raw, .ipv4, .ipv6: ip(0)
    case .linuxSLL:
      let end = add(
        0, ("sll.pkttype", 2), ("sll.hatype", 2), ("sll.halen", 2), ("sll.src", 8), ("sll.etype", 2))
      network(u16(14), end)
    case .linuxSLL2:
      let end = add(
        0, ("sll.etype", 2), ("sll.reserved", 2), ("sll.ifindex", 4), ("sll.hatype", 2), ("sll.pkttype", 1),
        ("sll.halen", 1), ("sll.src", 8))
      network(u16(0), end)
    case .null, .loop:
      ip(add(0, ("null.family", 4)))
    default: break
    }
  }

  /// The field that holds an octet.
  func field(at offset: Int) -> PacketField {
    if let field = fields.last(where: { $0.offset <= offset && offset < $0.offset + $0.length }) {
      return field
    }
    let end = fields.last.map { $0.offset + $0.length } ?? 0
    return PacketField(name: "\(prefix)payload[\(max(0, offset - end))]", offset: offset, length: 1)
  }

  private func u8(_ offset: Int) -> Int { offset < octets.count ? Int(octets[offset]) : 0 }
  private func u16(_ offset: Int) -> Int { u8(offset) << 8 | u8(offset + 1) }

  /// Adds fields one after the other, and gives the offset behind them.
  @discardableResult
  private mutating func add(_ start: Int, _ list: (String, Int)...) -> Int {
    var offset = start
    for (name, length) in list {
      if offset + length <= octets.count, length > 0 {
        fields.append(PacketField(name: prefix + name, offset: offset, length: length))
      }
      offset += length
    }
    return offset
  }

  private mutating func ethernet(_ start: Int) {
    var offset = add(start, ("eth.dst", 6), ("eth.src", 6), ("eth.type", 2))
    while EtherType.isVLAN(UInt16(u16(offset - 2))), offset < octets.count {
      offset = add(offset, ("vlan.tci", 2), ("vlan.etype", 2))
    }
    network(u16(offset - 2), offset)
  }

  private mutating func network(_ type: Int, _ start: Int) {
    switch UInt16(type) {
    case EtherType.ipv4, EtherType.ipv6: ip(start)
    case EtherType.arp:
      add(
        start, ("arp.hw.type", 2), ("arp.proto.type", 2), ("arp.hw.size", 1), ("arp.proto.size", 1),
        ("arp.opcode", 2), ("arp.src.hw_mac", 6), ("arp.src.proto_ipv4", 4), ("arp.dst.hw_mac", 6),
        ("arp.dst.proto_ipv4", 4))
    default: break
    }
  }

  private mutating func ip(_ start: Int) {
    if u8(start) >> 4 == 6 {
      add(
        start, ("ipv6.version_class_flow", 4), ("ipv6.plen", 2), ("ipv6.nxt", 1), ("ipv6.hlim", 1),
        ("ipv6.src", 16), ("ipv6.dst", 16))
      var (next, offset) = (u8(start + 6), start + 40)
      // Each header is eight octets or more, so the packet ends the chain.
      while [0, 43, 44, 60, 135].contains(next), offset < octets.count {
        let length = next == 44 ? 8 : (u8(offset + 1) + 1) * 8
        let following = u8(offset)
        add(offset, ("ipv6.ext.nxt", 1), ("ipv6.ext.len", 1), ("ipv6.ext.data", length - 2))
        (next, offset) = (following, offset + length)
      }
      return transport(next, offset)
    }
    let length = max(20, (u8(start) & 15) * 4)
    add(
      start, ("ip.version_hdr_len", 1), ("ip.dsfield", 1), ("ip.len", 2), ("ip.id", 2),
      ("ip.flags_frag_offset", 2),
      ("ip.ttl", 1), ("ip.proto", 1), ("ip.checksum", 2), ("ip.src", 4), ("ip.dst", 4),
      ("ip.options", length - 20))
    if u16(start + 6) & 0x1fff == 0 { transport(u8(start + 9), start + length) }
  }

  private mutating func transport(_ number: Int, _ start: Int) {
    switch UInt8(truncatingIfNeeded: number) {
    case IPProtocol.tcp:
      let length = max(20, (u8(start + 12) >> 4) * 4)
      add(
        start, ("tcp.srcport", 2), ("tcp.dstport", 2), ("tcp.seq_raw", 4), ("tcp.ack_raw", 4),
        ("tcp.hdr_len", 1),
        ("tcp.flags", 1), ("tcp.window_size_value", 2), ("tcp.checksum", 2), ("tcp.urgent_pointer", 2),
        ("tcp.options", length - 20))
    case IPProtocol.udp:
      let end = add(
        start, ("udp.srcport", 2), ("udp.dstport", 2), ("udp.length", 2), ("udp.checksum", 2))
      if prefix.isEmpty, end < octets.count, let tunnel = ports.tunnel(UInt16(u16(start + 2))) {
        tunnelled(tunnel, end)
      }
    case IPProtocol.sctp:
      add(
        start, ("sctp.srcport", 2), ("sctp.dstport", 2), ("sctp.verification_tag", 4), ("sctp.checksum", 4))
    case IPProtocol.icmp:
      add(start, ("icmp.type", 1), ("icmp.code", 1), ("icmp.checksum", 2), ("icmp.ident", 2), ("icmp.seq", 2))
    case IPProtocol.icmpv6:
      add(start, ("icmpv6.type", 1), ("icmpv6.code", 1), ("icmpv6.checksum", 2), ("icmpv6.body", 4))
    default: break
    }
  }

  private mutating func tunnelled(_ tunnel: TunnelProtocol, _ start: Int) {
    switch tunnel {
    case .vxlan:
      let end = add(start, ("vxlan.flags", 2), ("vxlan.gbp", 2), ("vxlan.vni", 3), ("vxlan.reserved8", 1))
      prefix = "inner."
      ethernet(end)
    case .geneve:
      let end = add(
        start, ("geneve.version_optlen", 1), ("geneve.flags", 1), ("geneve.proto_type", 2), ("geneve.vni", 3),
        ("geneve.reserved", 1), ("geneve.options", (u8(start) & 63) * 4))
      prefix = "inner."
      if u16(start + 2) == EtherType.transparentEthernet {
        ethernet(end)
      } else {
        network(u16(start + 2), end)
      }
    }
  }
}
