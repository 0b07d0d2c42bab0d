import Wire

/// Frames put together octet by octet, so that nothing keeps them from being wrong.
enum RawFrame {
  /// What stands behind the IP header.
  enum Payload {
    case tcp(source: UInt16, destination: UInt16, flags: UInt8)
    case udp(source: UInt16, destination: UInt16, [UInt8])
    case icmp(type: UInt8, code: UInt8, rest: [UInt8])
    case sctp(source: UInt16, destination: UInt16, chunk: UInt8)
    case other(UInt8, [UInt8])

    func number(_ family: AddressFamily) -> UInt8 {
      switch self {
      case .tcp: 6
      case .udp: 17
      case .icmp: family == .ipv4 ? 1 : 58
      case .sctp: 132
      case .other(let number, _): number
      }
    }

    /// The octets, and where the Internet checksum stands in them.
    var octets: (octets: [UInt8], checksum: Int?) {
      switch self {
      case .tcp(let source, let destination, let flags):
        (
          be(source) + be(destination) + [0, 0, 0, 1, 0, 0, 0, 1, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0], 16
        )
      case .udp(let source, let destination, let data):
        (be(source) + be(destination) + be(UInt16(truncatingIfNeeded: 8 + data.count)) + [0, 0] + data, 6)
      case .icmp(let type, let code, let rest): ([type, code, 0, 0] + rest, 2)
      case .sctp(let source, let destination, let chunk):
        (be(source) + be(destination) + [0, 0, 0, 1, 0, 0, 0, 0, chunk, 0, 0, 4], nil)
      case .other(_, let octets): (octets, nil)
      }
    }
  }

  /// What an IP header may say beside the usual.
  struct Network {
    var ttl: UInt8 = 64
    /// IPv4: flags and offset.
    var fragment: UInt16 = 0
    /// IPv4: a multiple of four octets.
    var options: [UInt8] = []
    /// IPv6: the first header's number, and headers of which the last names the payload.
    var extensions: (first: UInt8, octets: [UInt8])?
  }

  /// The packet; nil when the addresses are of two families.
  static func packet(
    _ source: IPAddress, _ destination: IPAddress, _ payload: Payload, _ network: Network = Network()
  ) -> [UInt8]? {
    guard source.family == destination.family else { return nil }
    var (body, checksum) = payload.octets
    let number = payload.number(source.family)
    if let checksum {
      let isBare = number == 1
      let pseudo =
        isBare
        ? [] : source.octets + destination.octets + [0, number] + be(UInt16(truncatingIfNeeded: body.count))
      var value = Checksum(pseudo + body).complement
      if number == 17, value == 0 { value = 0xffff }
      body.replaceSubrange(checksum..<checksum + 2, with: be(value))
    }
    return source.family == .ipv4
      ? ipv4(source, destination, number, body, network) : ipv6(source, destination, number, body, network)
  }

  private static func ipv4(
    _ source: IPAddress, _ destination: IPAddress, _ number: UInt8, _ body: [UInt8], _ network: Network
  ) -> [UInt8] {
    let words = UInt8(truncatingIfNeeded: 5 + network.options.count / 4)
    let total = UInt16(truncatingIfNeeded: 20 + network.options.count + body.count)
    var header = [0x40 | words, 0] + be(total) + [0, 1] + be(network.fragment)
    header += [network.ttl, number, 0, 0] + source.octets + destination.octets + network.options
    header.replaceSubrange(10..<12, with: be(Checksum(header).complement))
    return header + body
  }

  private static func ipv6(
    _ source: IPAddress, _ destination: IPAddress, _ number: UInt8, _ body: [UInt8], _ network: Network
  ) -> [UInt8] {
    let all = (network.extensions?.octets ?? []) + body
    let header: [UInt8] = [0x60, 0, 0, 0] + be(UInt16(truncatingIfNeeded: all.count))
    return header + [network.extensions?.first ?? number, network.ttl] + source.octets + destination.octets
      + all
  }

  static func ethernet(_ source: MACAddress, _ destination: MACAddress, _ type: UInt16, _ rest: [UInt8])
    -> [UInt8]
  {
    destination.octets + source.octets + be(type) + rest
  }

  static func be(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xff)] }
}

private func be(_ value: UInt16) -> [UInt8] { RawFrame.be(value) }
