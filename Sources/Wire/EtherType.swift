/// The protocol that an Ethernet-like header carries. Source: IANA "IEEE 802 Numbers".
public struct EtherType: RawRepresentable, Hashable, Sendable {
  public var rawValue: UInt16
  @inlinable
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  @inlinable public static var ipv4: EtherType { EtherType(rawValue: 0x0800) }
  @inlinable public static var arp: EtherType { EtherType(rawValue: 0x0806) }
  /// Transparent Ethernet bridging: a whole Ethernet frame follows (Geneve's payload).
  @inlinable public static var ethernet: EtherType { EtherType(rawValue: 0x6558) }
  @inlinable public static var vlan: EtherType { EtherType(rawValue: 0x8100) }
  @inlinable public static var ipv6: EtherType { EtherType(rawValue: 0x86dd) }
  @inlinable public static var serviceVLAN: EtherType { EtherType(rawValue: 0x88a8) }

  /// The layer that follows a header with this type.
  public var next: WireProtocol {
    switch self {
    case .ipv4: .ipv4
    case .arp: .arp
    case .ethernet: .ethernet
    case .vlan, .serviceVLAN: .vlan
    case .ipv6: .ipv6
    default: .payload
    }
  }
}

extension EtherType: CustomStringConvertible {
  public var description: String {
    switch self {
    case .ipv4: "ipv4"
    case .arp: "arp"
    case .ethernet: "ethernet"
    case .vlan: "vlan"
    case .ipv6: "ipv6"
    case .serviceVLAN: "service-vlan"
    default: hexadecimal(rawValue)
    }
  }
}

/// `0x` and as many digits as the type is wide.
func hexadecimal<T: FixedWidthInteger & UnsignedInteger>(_ value: T, digits: Int = T.bitWidth / 4) -> String {
  let text = String(value, radix: 16)
  return "0x" + String(repeating: "0", count: max(0, digits - text.count)) + text
}
