import Wire

// What forwarding does to a frame's octets, everything else left as it is.
enum FrameEdit {
  static let ethernetLength = 14

  /// EtherType; nil for a frame that is too short for one.
  static func etherType(_ frame: [UInt8]) -> UInt16? {
    frame.count >= ethernetLength ? UInt16(frame[12]) << 8 | UInt16(frame[13]) : nil
  }

  static func setAddresses(_ frame: inout [UInt8], source: MACAddress, destination: MACAddress) {
    guard frame.count >= ethernetLength else { return }
    frame.replaceSubrange(0..<6, with: destination.octets)
    frame.replaceSubrange(6..<12, with: source.octets)
  }

  static func destinationMAC(_ frame: [UInt8]) -> MACAddress? {
    guard frame.count >= ethernetLength else { return nil }
    return MACAddress(bits: frame[0..<6].reduce(0) { $0 << 8 | UInt64($1) })
  }

  /// Source and destination of the IP header; nil when there is no whole one.
  static func addresses(_ frame: [UInt8]) -> (source: IPAddress, destination: IPAddress)? {
    switch etherType(frame) {
    case 0x0800 where frame.count >= 34:
      func v4(_ offset: Int) -> IPAddress {
        .v4(IPv4Address(bits: frame[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }))
      }
      return (v4(26), v4(30))
    case 0x86dd where frame.count >= 54:
      guard let source = IPv6Address(octets: frame[22..<38]),
        let destination = IPv6Address(octets: frame[38..<54])
      else { return nil }
      return (.v6(source), .v6(destination))
    default: return nil
    }
  }

  /// Takes one off TTL or hop limit. False when it has run out.
  static func decrementTTL(_ frame: inout [UInt8]) -> Bool {
    switch etherType(frame) {
    case 0x0800 where frame.count >= 34:
      guard frame[22] > 1 else { return false }
      let old = UInt16(frame[22]) << 8 | UInt16(frame[23])
      frame[22] -= 1
      let new = UInt16(frame[22]) << 8 | UInt16(frame[23])
      let sum = Checksum.update(UInt16(frame[24]) << 8 | UInt16(frame[25]), from: old, to: new)
      frame[24] = UInt8(sum >> 8)
      frame[25] = UInt8(sum & 255)
      return true
    case 0x86dd where frame.count >= 54:
      guard frame[21] > 1 else { return false }
      frame[21] -= 1
      return true
    default: return false
    }
  }

  /// A number from the flow that the frame belongs to, the same for every packet of a direction: FNV-1a over
  /// addresses, protocol and ports. The kernel's own is keyed by a random number, so any will do.
  static func flowHash(_ frame: [UInt8]) -> UInt32 {
    var hash: UInt32 = 2_166_136_261
    func mix(_ octets: some Sequence<UInt8>) {
      for octet in octets { hash = (hash ^ UInt32(octet)) &* 16_777_619 }
    }
    switch etherType(frame) {
    case 0x0800 where frame.count >= 34:
      mix(frame[26..<34])
      mix([frame[23]])
      let ports = 14 + Int(frame[14] & 15) * 4
      if [6, 17, 132].contains(frame[23]), frame.count >= ports + 4 { mix(frame[ports..<ports + 4]) }
    case 0x86dd where frame.count >= 54:
      mix(frame[22..<54])
      mix([frame[20]])
      if [6, 17, 132].contains(frame[20]), frame.count >= 58 { mix(frame[54..<58]) }
    default: mix(frame.prefix(12))
    }
    return hash
  }
}
