import Capture
import Wire

/// Seeded random numbers (SplitMix64): the same in every run.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }
}

/// An encapsulated packet to be built, and what a decoder should find in it.
struct TunnelFrame {
  enum Link: CaseIterable {
    case ethernet, vlan, qinq, sll, sll2, raw, null, loop

    var type: LinkType {
      switch self {
      case .ethernet, .vlan, .qinq: .ethernet
      case .sll: .linuxSLL
      case .sll2: .linuxSLL2
      case .raw: .raw
      case .null: .null
      case .loop: .loop
      }
    }
  }

  enum Outer: CaseIterable {
    case ipv4, ipv4Options, ipv6, ipv6Extensions
  }

  enum Inner: CaseIterable {
    case tcp4, udp4, icmp4, sctp4, tcp6, udp6, icmp6, arp, lldp, taggedTCP4
  }

  var link = Link.ethernet
  var outer = Outer.ipv4
  /// 8472, 4789 or 6081.
  var port: UInt16 = 8472
  var geneveOptions: [UInt8] = []
  var vni: UInt32 = 62651
  var inner = Inner.tcp4
  var sourcePort: UInt16 = 40000
  var destinationPort: UInt16 = 80
  /// Octets of the inner transport's payload.
  var payload = 0
  var client = IPv4Address(10, 244, 1, 6)
  var server = IPv4Address(10, 244, 3, 193)
  /// Options of the inner IPv4 header; a multiple of four.
  var innerOptions: [UInt8] = []
  /// Whether the packet goes from the second node to the first.
  var returns = false
  /// Fragment offset and flags of the outer IPv4 header.
  var outerFragment: UInt16 = 0

  static let node1 = IPv4Address(172, 18, 0, 5)
  static let node2 = IPv4Address(172, 18, 0, 3)
  static func six(_ host: UInt64) -> IPv6Address { IPv6Address(high: 0xfd00_0010_0244_0001, low: host) }

  var isIPv6Inside: Bool { [.tcp6, .udp6, .icmp6].contains(inner) }

  func bytes() -> [UInt8] {
    let innerFrame = innerBytes()
    var tunnel = Octets(bigEndian: true)
    if port == 6081 {
      tunnel.put(UInt8(geneveOptions.count / 4))
      tunnel.put(0 as UInt8)
      tunnel.put(0x6558 as UInt16)
    } else {
      tunnel.put(0x0800_0000 as UInt32)
    }
    tunnel.put(vni << 8)
    if port == 6081 { tunnel.bytes += geneveOptions }
    var udp = Octets(bigEndian: true)
    udp.put(50123 as UInt16)
    udp.put(port)
    udp.put(UInt16(8 + tunnel.bytes.count + innerFrame.count))
    udp.put(0 as UInt16)
    let payload = udp.bytes + tunnel.bytes + innerFrame
    let packet: [UInt8]
    let (node1, node2) = returns ? (Self.node2, Self.node1) : (Self.node1, Self.node2)
    switch outer {
    case .ipv4: packet = ipv4(17, node1, node2, payload, fragment: outerFragment)
    case .ipv4Options:
      packet = ipv4(
        17, Self.node1, Self.node2, payload, options: [7, 7, 4, 0, 0, 0, 0, 1], fragment: outerFragment)
    case .ipv6: packet = ipv6(17, Self.six(5), Self.six(3), payload)
    case .ipv6Extensions:
      // Hop-by-hop with padding, then destination options with padding.
      let extensions: [UInt8] = [60, 0, 1, 4, 0, 0, 0, 0, 17, 0, 1, 4, 0, 0, 0, 0]
      packet = ipv6(0, Self.six(5), Self.six(3), extensions + payload)
    }
    return linkHeader() + packet
  }

  private func linkHeader() -> [UInt8] {
    let isIPv6 = outer == .ipv6 || outer == .ipv6Extensions
    let type: [UInt8] = isIPv6 ? [0x86, 0xdd] : [0x08, 0x00]
    let macs: [UInt8] = [2, 66, 172, 18, 0, 3, 2, 66, 172, 18, 0, 5]
    switch link {
    case .ethernet: return macs + type
    case .vlan: return macs + [0x81, 0, 0, 7] + type
    case .qinq: return macs + [0x88, 0xa8, 0, 9, 0x81, 0, 0, 7] + type
    case .sll: return [0, 4, 0, 1, 0, 6, 2, 66, 172, 18, 0, 5, 0, 0] + type
    case .sll2: return type + [0, 0, 0, 0, 0, 2, 0, 1, 4, 6, 2, 66, 172, 18, 0, 5, 0, 0]
    case .raw: return []
    case .null: return isIPv6 ? [30, 0, 0, 0] : [2, 0, 0, 0]
    case .loop: return isIPv6 ? [0, 0, 0, 24] : [0, 0, 0, 2]
    }
  }

  private func innerBytes() -> [UInt8] {
    let macs: [UInt8] = [0x0a, 0, 0, 0, 0, 2, 0x0a, 0, 0, 0, 0, 1]
    let data = [UInt8](repeating: 0x61, count: payload)
    switch inner {
    case .tcp4: return macs + [8, 0] + ipv4(6, client, server, tcp + data, options: innerOptions)
    case .taggedTCP4: return macs + [0x81, 0, 0, 5, 8, 0] + ipv4(6, client, server, tcp + data)
    case .udp4: return macs + [8, 0] + ipv4(17, client, server, udp(data), options: innerOptions)
    case .icmp4: return macs + [8, 0] + ipv4(1, client, server, [8, 0, 0, 0, 0, 1, 0, 1] + data)
    case .sctp4:
      var header = Octets(bigEndian: true)
      header.put(sourcePort)
      header.put(destinationPort)
      return macs + [8, 0] + ipv4(132, client, server, header.bytes + [0, 0, 0, 0, 0, 0, 0, 0] + data)
    case .tcp6: return macs + [0x86, 0xdd] + ipv6(6, Self.six(0x60), Self.six(0x93), tcp + data)
    case .udp6: return macs + [0x86, 0xdd] + ipv6(17, Self.six(0x60), Self.six(0x93), udp(data))
    case .icmp6:
      return macs + [0x86, 0xdd]
        + ipv6(58, Self.six(0x60), Self.six(0x93), [128, 0, 0, 0, 0, 1, 0, 1] + data)
    case .arp:
      return macs + [8, 6, 0, 1, 8, 0, 6, 4, 0, 1] + macs[6...] + client.octets + [0, 0, 0, 0, 0, 0]
        + server.octets
    case .lldp: return macs + [0x88, 0xcc, 2, 7, 4, 2, 66, 172, 18, 0, 5, 4, 2, 7, 0, 0, 0]
    }
  }

  private var tcp: [UInt8] {
    var header = Octets(bigEndian: true)
    header.put(sourcePort)
    header.put(destinationPort)
    header.put(0x0000_0001_0000_0000 as UInt64)
    header.bytes += [0x50, 0x12, 0xff, 0xff, 0, 0, 0, 0]
    return header.bytes
  }

  private func udp(_ data: [UInt8]) -> [UInt8] {
    var header = Octets(bigEndian: true)
    header.put(sourcePort)
    header.put(destinationPort)
    header.put(UInt16(8 + data.count))
    header.put(0 as UInt16)
    return header.bytes + data
  }

  private func ipv4(
    _ transport: UInt8, _ source: IPv4Address, _ destination: IPv4Address, _ payload: [UInt8],
    options: [UInt8] = [], fragment: UInt16 = 0
  ) -> [UInt8] {
    var header = Octets(bigEndian: true)
    header.put(UInt8(0x45 + options.count / 4))
    header.put(0 as UInt8)
    header.put(UInt16(20 + options.count + payload.count))
    header.put(0x1234 as UInt16)
    header.put(fragment)
    header.put(64 as UInt8)
    header.put(transport)
    header.put(0 as UInt16)
    header.put(source.bits)
    header.put(destination.bits)
    return header.bytes + options + payload
  }

  private func ipv6(_ next: UInt8, _ source: IPv6Address, _ destination: IPv6Address, _ payload: [UInt8])
    -> [UInt8]
  {
    var header = Octets(bigEndian: true)
    header.put(0x6000_0000 as UInt32)
    header.put(UInt16(payload.count))
    header.put(next)
    header.put(64 as UInt8)
    return header.bytes + source.octets + destination.octets + payload
  }

  /// Every combination of link type, outer header, tunnel and content, with its own identity and ports.
  static func allKinds() -> [TunnelFrame] {
    let tunnels: [(UInt16, [UInt8])] = [
      (8472, []), (4789, []), (6081, []), (6081, [1, 2, 3, 1, 9, 9, 9, 9]),
    ]
    var frames: [TunnelFrame] = []
    for link in Link.allCases {
      for outer in Outer.allCases {
        for (port, options) in tunnels {
          for inner in Inner.allCases {
            let number = UInt32(frames.count)
            frames.append(
              TunnelFrame(
                link: link, outer: outer, port: port, geneveOptions: options,
                vni: 256 + number * 7,
                inner: inner, sourcePort: UInt16(30000 + number), destinationPort: UInt16(80 + number % 5),
                payload: Int(number % 3) * 11))
          }
        }
      }
    }
    return frames
  }
}

/// Dissects octets in memory.
func dissect(
  _ bytes: [UInt8], _ linkType: LinkType = .ethernet, original: Int? = nil,
  ports: DecodingPorts = DecodingPorts()
) -> TunnelDissection {
  bytes.withUnsafeBytes { octets in
    // An empty array has no address; any will do for no octets.
    let base = octets.baseAddress ?? UnsafeRawPointer(bitPattern: 16)!
    return TunnelDissection(
      CapturedPacket(
        base: base, captured: bytes.count, original: original ?? bytes.count, time: 0, linkType: linkType),
      ports: ports)
  }
}
