import Wire

/// Frames for the tests, with checksums made by a plain sum over the pseudo-header.
struct Frames {
  static let podMAC: [UInt8] = [0x0a, 0, 0, 0, 0, 0x11]
  static let hostMAC: [UInt8] = [0x0a, 0, 0, 0, 0, 0x22]

  /// What stands behind the IP header.
  enum Payload {
    case tcp(source: UInt16, destination: UInt16, flags: UInt8)
    case udp(source: UInt16, destination: UInt16, data: [UInt8])
    case icmp(type: UInt8, code: UInt8, rest: [UInt8])
    case raw(protocol: UInt8, [UInt8])

    func number(ipv6: Bool) -> UInt8 {
      switch self {
      case .tcp: 6
      case .udp: 17
      case .icmp: ipv6 ? 58 : 1
      case .raw(let number, _): number
      }
    }

    /// The octets, and where the checksum stands in them.
    var octets: ([UInt8], checksum: Int?) {
      switch self {
      case .tcp(let source, let destination, let flags):
        (
          be(source) + be(destination) + [0, 0, 0, 1, 0, 0, 0, 0, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0], 16
        )
      case .udp(let source, let destination, let data):
        (be(source) + be(destination) + be(UInt16(8 + data.count)) + [0, 0] + data, 6)
      case .icmp(let type, let code, let rest): ([type, code, 0, 0] + rest, 2)
      case .raw(_, let octets): (octets, nil)
      }
    }
  }

  static func ipv4(
    _ source: String, _ destination: String, _ payload: Payload, ttl: UInt8 = 64, id: UInt16 = 1,
    fragment: UInt16 = 0, tos: UInt8 = 0
  ) -> [UInt8] {
    let from = v4(source)
    let to = v4(destination)
    var (body, checksum) = payload.octets
    let number = payload.number(ipv6: false)
    if let checksum {
      let pseudo = number == 1 ? [] : from + to + [0, number] + be(UInt16(body.count))
      var value = sum(pseudo + body)
      if number == 17, value == 0 { value = 0xffff }
      body.replaceSubrange(checksum..<checksum + 2, with: be(value))
    }
    var header =
      [0x45, tos] + be(UInt16(20 + body.count)) + be(id) + be(fragment) + [ttl, number, 0, 0] + from + to
    header.replaceSubrange(10..<12, with: be(sum(header)))
    return hostMAC + podMAC + [0x08, 0x00] + header + body
  }

  static func ipv6(
    _ source: String, _ destination: String, _ payload: Payload, hopLimit: UInt8 = 64,
    extensions: (first: UInt8, octets: [UInt8])? = nil
  ) -> [UInt8] {
    let from = v6(source)
    let to = v6(destination)
    var (body, checksum) = payload.octets
    let number = payload.number(ipv6: true)
    if let checksum {
      let pseudo = from + to + be(UInt16(0)) + be(UInt16(body.count)) + [0, 0, 0, number]
      var value = sum(pseudo + body)
      if number == 17, value == 0 { value = 0xffff }
      body.replaceSubrange(checksum..<checksum + 2, with: be(value))
    }
    let next = extensions?.first ?? number
    let all = (extensions?.octets ?? []) + body
    return hostMAC + podMAC + [0x86, 0xdd, 0x60, 0, 0, 0] + be(UInt16(all.count)) + [next, hopLimit] + from
      + to + all
  }

  static func be(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xff)] }

  static func v4(_ text: String) -> [UInt8] {
    let bits = IPv4Address(text)?.bits ?? 0
    return [UInt8(bits >> 24), UInt8(bits >> 16 & 255), UInt8(bits >> 8 & 255), UInt8(bits & 255)]
  }

  static func v6(_ text: String) -> [UInt8] {
    guard let address = IPv6Address(text) else { return Array(repeating: 0, count: 16) }
    return [address.high, address.low].flatMap { word in
      (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * $0)) }
    }
  }

  /// The internet checksum (RFC 1071) over octets.
  static func sum(_ octets: [UInt8]) -> UInt16 {
    var total: UInt32 = 0
    for index in stride(from: 0, to: octets.count, by: 2) {
      let low = index + 1 < octets.count ? octets[index + 1] : 0
      total += UInt32(octets[index]) << 8 | UInt32(low)
    }
    while total >> 16 != 0 { total = (total & 0xffff) + (total >> 16) }
    return ~UInt16(total)
  }

  /// Whether IP and transport checksums of an IPv4 frame are right.
  static func isValidIPv4(_ frame: [UInt8]) -> Bool {
    guard frame.count >= 34, sum(Array(frame[14..<34])) == 0 else { return false }
    let number = frame[23]
    let body = Array(frame[34...])
    if number == 17, body[6] == 0, body[7] == 0 { return true }
    let pseudo = number == 1 ? [] : Array(frame[26..<34]) + [0, number] + be(UInt16(body.count))
    return sum(pseudo + body) == 0
  }

  /// Whether the transport checksum of an IPv6 frame without extension headers is right.
  static func isValidIPv6(_ frame: [UInt8]) -> Bool {
    let body = Array(frame[54...])
    return sum(
      Array(frame[22..<54]) + be(UInt16(0)) + be(UInt16(body.count)) + [0, 0, 0, frame[20]] + body) == 0
  }
}

private func be(_ value: UInt16) -> [UInt8] { Frames.be(value) }
