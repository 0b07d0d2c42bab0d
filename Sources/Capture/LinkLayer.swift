/// Ethernet types that the decoder knows. Source: IEEE 802 numbers at IANA.
enum EtherType {
  static let ipv4: UInt16 = 0x0800
  static let arp: UInt16 = 0x0806
  static let ipv6: UInt16 = 0x86dd
  static let transparentEthernet: UInt16 = 0x6558

  /// 802.1Q, 802.1ad (QinQ), and the two that came before the latter.
  @inline(__always)
  static func isVLAN(_ type: UInt16) -> Bool {
    type == 0x8100 || type == 0x88a8 || type == 0x9100 || type == 0x9200
  }
}

extension PacketOctets {
  /// Passes over the link layer: what comes next, as an Ethernet type, and where; nil for a link type that the
  /// decoder does not know.
  func linkLayer(_ linkType: LinkType) throws(Fault) -> (type: UInt16, offset: Int)? {
    switch linkType {
    case .ethernet: return try ethernet(0)
    case .raw: return try rawIP(0)
    case .ipv4: return (EtherType.ipv4, 0)
    case .ipv6: return (EtherType.ipv6, 0)
    case .linuxSLL:
      try need(0, 16, .cooked)
      return try vlans(u16(14), 16)
    case .linuxSLL2:
      try need(0, 20, .cooked)
      return try vlans(u16(0), 20)
    case .null, .loop:
      try need(0, 4, .loopback)
      // One of the two orders has the family in its low octet, whatever machine wrote it.
      let family = u32(0) > 0xffff ? u32(0).byteSwapped : u32(0)
      return (Self.etherType(ofFamily: family), 4)
    default: return nil
    }
  }

  /// AF_INET is 2 everywhere; AF_INET6 is 10 on Linux, 24, 28 or 30 on the BSDs.
  private static func etherType(ofFamily family: UInt32) -> UInt16 {
    switch family {
    case 2: EtherType.ipv4
    case 10, 24, 28, 30: EtherType.ipv6
    default: 0
    }
  }

  /// Passes over an Ethernet header and its VLAN tags.
  @inline(__always)
  func ethernet(_ offset: Int) throws(Fault) -> (type: UInt16, offset: Int) {
    try need(offset, 14, .ethernet)
    return try vlans(u16(offset + 12), offset + 14)
  }

  @inline(__always)
  private func vlans(_ type: UInt16, _ offset: Int) throws(Fault) -> (type: UInt16, offset: Int) {
    var (type, offset) = (type, offset)
    while EtherType.isVLAN(type) {
      try need(offset, 4, .vlan)
      type = u16(offset + 2)
      offset += 4
    }
    return (type, offset)
  }

  func rawIP(_ offset: Int) throws(Fault) -> (type: UInt16, offset: Int) {
    try need(offset, 1, .ipv4)
    switch u8(offset) >> 4 {
    case 4: return (EtherType.ipv4, offset)
    case 6: return (EtherType.ipv6, offset)
    case let version: throw malformed(offset, .version(.ipv4, version))
    }
  }
}
