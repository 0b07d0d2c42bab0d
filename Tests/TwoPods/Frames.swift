public import Wire

/// Frames built octet by octet, independently of the project's own packet types.
public enum Frames {
  public static func tcp(
    from: (MACAddress, IPAddress), to: (MACAddress, IPAddress), sourcePort: UInt16, destinationPort: UInt16,
    flags: UInt8, payload: [UInt8] = []
  ) -> [UInt8] {
    var segment = octets(sourcePort) + octets(destinationPort)
    segment += [0, 0, 0, 1, 0, 0, 0, 0, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0] + payload
    let sum = checksum(
      from.1.octets + to.1.octets + [0, 6] + octets(UInt16(segment.count)) + segment)
    segment.replaceSubrange(16..<18, with: octets(sum))
    var packet: [UInt8] = [0x45, 0] + octets(UInt16(20 + segment.count)) + [0, 1, 0x40, 0, 64, 6, 0, 0]
    packet += from.1.octets + to.1.octets
    packet.replaceSubrange(10..<12, with: octets(checksum(packet)))
    return to.0.octets + from.0.octets + [0x08, 0] + packet + segment
  }

  /// The Internet checksum (RFC 1071).
  public static func checksum(_ bytes: [UInt8]) -> UInt16 {
    var sum: UInt32 = 0
    for index in stride(from: 0, to: bytes.count, by: 2) {
      sum += UInt32(bytes[index]) << 8 | (index + 1 < bytes.count ? UInt32(bytes[index + 1]) : 0)
    }
    while sum >> 16 != 0 { sum = sum & 0xffff + sum >> 16 }
    return ~UInt16(sum)
  }

  private static func octets(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xff)] }
}
