import Wire

/// Number forms of Go's `fmt` that the views use.
enum NumberText {
  /// `%#0Nx`: `0x` and at least `digits` lower-case digits.
  static func hex(_ value: some BinaryInteger, digits: Int) -> String {
    let text = String(value, radix: 16)
    return "0x" + String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
  }

  /// `%0NX`
  static func upperHex(_ value: some BinaryInteger, digits: Int) -> String {
    let text = String(value, radix: 16, uppercase: true)
    return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
  }

  /// `%-Nd`
  static func left(_ value: some BinaryInteger, width: Int) -> String {
    let text = String(value)
    return text + String(repeating: " ", count: max(0, width - text.utf8.count))
  }

  /// `%0Nd` of a number that is not negative.
  static func zeroPadded(_ value: some BinaryInteger, width: Int) -> String {
    let text = String(value)
    return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
  }
}

/// Cilium's names of IP protocols. Source: `pkg/u8proto`.
enum ProtocolText {
  static func name(_ number: UInt8) -> String {
    switch number {
    case 0: "ANY"
    case 1: "ICMP"
    case 2: "IGMP"
    case 4: "IPIP"
    case 6: "TCP"
    case 17: "UDP"
    case 41: "IPv6"
    case 47: "GRE"
    case 50: "ESP"
    case 51: "AH"
    case 58: "ICMPv6"
    case 112: "VRRP"
    case 132: "SCTP"
    default: String(number)
    }
  }
}

/// Cilium's names of authentication types. Source: `pkg/policy/types/auth.go`.
enum AuthTypeText {
  static func name(_ number: UInt8) -> String {
    switch number {
    case 0: "disabled"
    case 1: "spire"
    case 2: "test-always-fail"
    default: "Unknown-auth-type-\(number)"
    }
  }
}

extension IPAddress {
  /// `10.0.0.1:80` or `[fd00::1]:80`.
  func joined(port: UInt16) -> String {
    switch self {
    case .v4(let address): "\(address):\(port)"
    case .v6(let address): "[\(address)]:\(port)"
    }
  }

  /// The address, and `@` with the cluster's id unless that is 0.
  func text(clusterID: UInt16) -> String {
    clusterID == 0 ? description : "\(description)@\(clusterID)"
  }
}

extension Sequence where Element == String {
  /// In the order of their octets, as Go sorts strings; Swift's own order is that of Unicode's canonical forms.
  func sortedByOctets() -> [String] { sorted { $0.precedesByOctets($1) } }
}

extension String {
  func precedesByOctets(_ other: String) -> Bool { utf8.lexicographicallyPrecedes(other.utf8) }
}

extension UInt32 {
  /// Octets of an address in memory order, as an IPv4 address.
  var asIPv4: IPAddress { .v4(IPv4Address(bits: UInt32(bigEndian: self))) }
}
