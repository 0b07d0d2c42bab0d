import Wire

/// The service that a packet was sent to before Cilium's direct server return rewrote it.
///
/// Cilium carries it in one of three ways: a Geneve option (class 0x014b, type 0x81), an IPv4 option (0x9a), or an
/// IPv6 destination option (0x1b). Source: Cilium bpf/lib/nodeport.h and bpf/lib/tunnel.h.
public struct DSROption: Hashable, Sendable {
  public enum Carrier: String, Hashable, Sendable {
    case geneve, ipv4, ipv6
  }

  public var carrier: Carrier
  public var address: IPAddress
  public var port: UInt16
}

extension PacketOctets {
  /// Walks the IPv4 options (RFC 791 section 3.1), `start..<end`, which are there.
  func ipv4Options(_ start: Int, _ end: Int) throws(Fault) -> DSROption? {
    var at = start
    var found: DSROption?
    while at < end {
      let kind = u8(at)
      if kind == 0 { break }
      if kind == 1 {
        at += 1
        continue
      }
      guard at + 2 <= end else { throw malformed(at, .optionLength(.ipv4, 1)) }
      let length = Int(u8(at + 1))
      guard length >= 2, at + length <= end else { throw malformed(at + 1, .optionLength(.ipv4, length)) }
      if kind == 0x9a, length == 8 {
        // Cilium swaps values that are in network order already: both fields stand least octet first.
        found = DSROption(
          carrier: .ipv4, address: .v4(IPv4Address(bits: u32(at + 4).byteSwapped)),
          port: u16(at + 2).byteSwapped)
      }
      at += length
    }
    return found
  }

  /// The option in a destination options header of `length` octets at `start`, if that is what it holds.
  func ipv6DSR(_ start: Int, _ length: Int) -> DSROption? {
    guard length == 24, u8(start + 2) == 0x1b, u8(start + 3) == 20 else { return nil }
    return DSROption(carrier: .ipv6, address: ipv6(start + 4), port: u16(start + 20))
  }

  /// Walks the Geneve options (RFC 8926 section 3.5), `start..<end`, which are there.
  func geneveOptions(_ start: Int, _ end: Int) throws(Fault) -> DSROption? {
    var at = start
    var found: DSROption?
    while at < end {
      guard at + 4 <= end else { throw malformed(at, .optionLength(.geneve, end - at)) }
      let length = 4 + Int(u8(at + 3) & 31) * 4
      guard at + length <= end else { throw malformed(at + 3, .optionLength(.geneve, length)) }
      if u16(at) == 0x014b, u8(at + 2) == 0x81 {
        switch length {
        case 12: found = DSROption(carrier: .geneve, address: ipv4(at + 4), port: u16(at + 8))
        case 24: found = DSROption(carrier: .geneve, address: ipv6(at + 4), port: u16(at + 20))
        default: break
        }
      }
      at += length
    }
    return found
  }
}
