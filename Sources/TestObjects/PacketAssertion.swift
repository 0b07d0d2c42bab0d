public import Wire

/// An assertion about a packet that failed: what was expected there, and what was found.
///
/// One entry of `scapy_assert_map`: four texts of 128 octets (name, file, line, first layer), then the two packets,
/// each a length of 16 bits and room for 1518 octets. Modelled: `bpf/tests/scapy.h`.
public struct PacketAssertion: Hashable, Sendable {
  public var name: String
  public var file: String
  public var line: String
  /// The header at which the packets begin, in Scapy's words (Ether, IP, ...).
  public var firstLayer: String
  public var expected: [UInt8]
  /// As much of the packet as was compared. Empty when the packet is shorter than `expected`: programs do not say what
  /// is in it then.
  public var found: [UInt8]
  /// How long the packet is from there on.
  public var foundLength: Int

  static let entrySize = 3554
  private static let textSize = 128
  private static let bufferSize = 1518

  /// Nil when the entry is too short to be one.
  public init?(entry: [UInt8]) {
    guard entry.count >= Self.entrySize else { return nil }
    func text(_ index: Int) -> String {
      let octets = entry[index * Self.textSize..<(index + 1) * Self.textSize]
      return String(decoding: octets.prefix { $0 != 0 }, as: UTF8.self)
    }
    func length(_ offset: Int) -> Int { Int(entry[offset]) | Int(entry[offset + 1]) << 8 }
    (name, file, line, firstLayer) = (text(0), text(1), text(2), text(3))
    let (first, second) = (4 * Self.textSize, 4 * Self.textSize + 2 + Self.bufferSize)
    let count = min(length(first), Self.bufferSize)
    expected = Array(entry[first + 2..<first + 2 + count])
    foundLength = length(second)
    found = foundLength >= count ? Array(entry[second + 2..<second + 2 + count]) : []
  }

  public init(
    name: String, file: String, line: String, firstLayer: String, expected: [UInt8], found: [UInt8]
  ) {
    (self.name, self.file, self.line, self.firstLayer) = (name, file, line, firstLayer)
    self.expected = expected
    self.found = found
    foundLength = found.count
  }

  /// What the first layer is to us; payload for those that we cannot read.
  public var firstProtocol: WireProtocol {
    switch firstLayer {
    case "Ether": .ethernet
    case "Dot1Q": .vlan
    case "ARP": .arp
    case "IP": .ipv4
    case "IPv6": .ipv6
    case "ICMP": .icmpv4
    case "TCP": .tcp
    case "UDP": .udp
    case "SCTP": .sctp
    case "VXLAN": .vxlan
    case "GENEVE": .geneve
    default: firstLayer.hasPrefix("ICMPv6") ? .icmpv6 : .payload
    }
  }

  /// Fields that differ, by name: nothing when the packet is too short to be compared.
  public var differences: [FieldDiff] {
    found.count == expected.count ? FieldDiff.between(expected, found, as: firstProtocol) : []
  }

  /// For people: where it is, which fields differ, and the octets around each difference.
  public var lines: [String] {
    var lines = ["packet assertion \(name) at \(file):\(line)"]
    guard found.count == expected.count else {
      lines.append(
        "  expected \(expected.count) octets, the packet has \(foundLength) from there on; nothing compared")
      return lines + HexDifference.rows(expected, as: firstProtocol).map { "  " + $0 }
    }
    lines += differences.map { "  \($0.path): expected \($0.left), got \($0.right)" }
    return lines + HexDifference.rows(expected, found, as: firstProtocol).map { "  " + $0 }
  }
}
