import Wire

/// Protocol numbers of the IPv4 header and the IPv6 next-header chain. Source: IANA protocol numbers.
enum IPProtocol {
  static let hopByHop: UInt8 = 0
  static let icmp: UInt8 = 1
  static let tcp: UInt8 = 6
  static let udp: UInt8 = 17
  static let routing: UInt8 = 43
  static let fragment: UInt8 = 44
  static let esp: UInt8 = 50
  static let authentication: UInt8 = 51
  static let icmpv6: UInt8 = 58
  static let noNext: UInt8 = 59
  static let destinationOptions: UInt8 = 60
  static let sctp: UInt8 = 132
  static let mobility: UInt8 = 135
}

/// Where a packet stands among its fragments.
public enum Fragment: Hashable, Sendable {
  case none
  /// Has the transport header; more follow.
  case first
  /// Has no transport header.
  case later
}

/// An IPv4 or IPv6 header that was passed over.
struct NetworkHeader {
  var source: IPAddress
  var destination: IPAddress
  var transport: UInt8
  /// Where the transport header starts.
  var offset: Int
  var fragment: Fragment
  var dsr: DSROption?
}

extension PacketOctets {
  /// Reads an IP header with its options or extension headers, and narrows the packet to the length it states.
  mutating func network(_ type: UInt16, _ offset: Int) throws(Fault) -> NetworkHeader {
    type == EtherType.ipv4 ? try ipv4Header(offset) : try ipv6Header(offset)
  }

  /// RFC 791 section 3.1. A total length of 0 is an offloaded ("BIG TCP") packet: its length is the frame's.
  private mutating func ipv4Header(_ start: Int) throws(Fault) -> NetworkHeader {
    try need(start, 20, .ipv4)
    let first = u8(start)
    guard first >> 4 == 4 else { throw malformed(start, .version(.ipv4, first >> 4)) }
    let length = Int(first & 15) * 4
    guard length >= 20 else { throw malformed(start, .headerLength(.ipv4, length)) }
    let total = Int(u16(start + 2))
    if total != 0 {
      guard total >= length, start + total <= wireEnd else {
        throw malformed(start + 2, .length(.ipv4, total))
      }
      wireEnd = start + total
    }
    try need(start, length, .ipv4)
    let fragment = u16(start + 6)
    return NetworkHeader(
      source: ipv4(start + 12), destination: ipv4(start + 16), transport: u8(start + 9),
      offset: start + length,
      fragment: fragment & 0x1fff != 0 ? .later : fragment & 0x2000 != 0 ? .first : .none,
      dsr: length > 20 ? try ipv4Options(start + 20, start + length) : nil)
  }

  /// RFC 8200 sections 3 and 4. A payload length of 0 is an offloaded packet or a jumbogram.
  private mutating func ipv6Header(_ start: Int) throws(Fault) -> NetworkHeader {
    try need(start, 40, .ipv6)
    guard u8(start) >> 4 == 6 else { throw malformed(start, .version(.ipv6, u8(start) >> 4)) }
    let payload = Int(u16(start + 4))
    if payload != 0 {
      guard start + 40 + payload <= wireEnd else { throw malformed(start + 4, .length(.ipv6, payload)) }
      wireEnd = start + 40 + payload
    }
    var header = NetworkHeader(
      source: ipv6(start + 8), destination: ipv6(start + 24), transport: u8(start + 6), offset: start + 40,
      fragment: .none, dsr: nil)
    // Every turn moves on by eight octets or more, so the packet's end ends the chain.
    while header.fragment != .later {
      let at = header.offset
      let length: Int
      switch header.transport {
      case IPProtocol.hopByHop, IPProtocol.routing, IPProtocol.destinationOptions, IPProtocol.mobility:
        try need(at, 8, .extensionHeader)
        length = (Int(u8(at + 1)) + 1) * 8
        try need(at, length, .extensionHeader)
        if header.transport == IPProtocol.destinationOptions, let found = ipv6DSR(at, length) {
          header.dsr = found
        }
      case IPProtocol.authentication:
        try need(at, 8, .extensionHeader)
        length = (Int(u8(at + 1)) + 2) * 4
        try need(at, length, .extensionHeader)
      case IPProtocol.fragment:
        try need(at, 8, .extensionHeader)
        length = 8
        let place = u16(at + 2)
        header.fragment = place & 0xfff8 != 0 ? .later : place & 1 != 0 ? .first : header.fragment
      default: return header
      }
      header.transport = u8(at)
      header.offset = at + length
    }
    return header
  }
}
