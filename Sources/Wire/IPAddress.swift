/// An IPv4 or an IPv6 address.
public enum IPAddress: Hashable, Sendable {
  case v4(IPv4Address)
  case v6(IPv6Address)

  public init?(_ text: some StringProtocol) {
    if let v4 = IPv4Address(text) {
      self = .v4(v4)
    } else if let v6 = IPv6Address(text) {
      self = .v6(v6)
    } else {
      return nil
    }
  }

  public var family: AddressFamily {
    switch self {
    case .v4: .ipv4
    case .v6: .ipv6
    }
  }

  public var v4: IPv4Address? { if case .v4(let address) = self { address } else { nil } }
  public var v6: IPv6Address? { if case .v6(let address) = self { address } else { nil } }

  /// The octets in wire order: four or sixteen.
  public var octets: [UInt8] {
    switch self {
    case .v4(let address): address.octets
    case .v6(let address): address.octets
    }
  }

  /// The length of the address in bits: 32 or 128.
  public var bitWidth: Int { family.bitWidth }
}

/// The two address families of the Internet Protocol.
public enum AddressFamily: String, Hashable, Sendable, CaseIterable {
  case ipv4, ipv6

  public var bitWidth: Int { self == .ipv4 ? 32 : 128 }
}

extension IPAddress: CustomStringConvertible {
  public var description: String {
    switch self {
    case .v4(let address): address.description
    case .v6(let address): address.description
    }
  }
}

extension IPAddress: Comparable {
  /// IPv4 before IPv6, then by number.
  public static func < (a: Self, b: Self) -> Bool {
    switch (a, b) {
    case (.v4(let a), .v4(let b)): a < b
    case (.v6(let a), .v6(let b)): a < b
    case (.v4, .v6): true
    case (.v6, .v4): false
    }
  }
}
