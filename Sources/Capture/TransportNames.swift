import Wire

extension InnerPacket.Kind {
  /// The name of what a frame carries: the IP protocol's, `ARP`, or the Ethernet type.
  func put(_ transport: UInt8, to output: inout TextOutput) {
    switch self {
    case .arp: output.put("ARP")
    case .other(let type):
      output.put("0x")
      output.hex(UInt64(type), digits: 4)
    case .ipv4, .ipv6:
      switch transport {
      case IPProtocol.tcp: output.put("TCP")
      case IPProtocol.udp: output.put("UDP")
      case IPProtocol.sctp: output.put("SCTP")
      case IPProtocol.icmp: output.put("ICMPv4")
      case IPProtocol.icmpv6: output.put("ICMPv6")
      case IPProtocol.esp: output.put("ESP")
      default:
        output.put("IP/")
        output.put(UInt64(transport))
      }
    }
  }
}

extension TextOutput {
  /// `10.0.0.1:80`, `[fd00::1]:80`, or the address alone where there are no ports.
  mutating func put(_ address: InnerPacket.Address, port: UInt16?) {
    guard let port else { return put(address) }
    if case .ip(let ip) = address, ip.family == .ipv6 {
      put("[")
      put(address)
      put("]")
    } else {
      put(address)
    }
    put(":")
    put(UInt64(port))
  }

  /// TCP flags in Hubble's order.
  mutating func put(tcpFlags flags: UInt8) {
    let names: [(UInt8, StaticString)] = [
      (0x02, "SYN"), (0x10, "ACK"), (0x04, "RST"), (0x01, "FIN"), (0x08, "PSH"), (0x20, "URG"), (0x40, "ECE"),
      (0x80, "CWR"),
    ]
    var first = true
    for (bit, name) in names where flags & bit != 0 {
      if !first { put(", ") }
      put(name)
      first = false
    }
  }
}
