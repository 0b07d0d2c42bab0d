/// An address prefix, `10.244.0.0/16` or `fd00::/8`, with its host bits clear.
public struct CIDR: Hashable, Sendable {
  /// The first address: host bits are zero.
  public let network: IPAddress
  /// 0…32 or 0…128.
  public let prefixLength: Int

  /// The prefix of `length` bits that `address` lies in; nil when the length is out of the family's range.
  public init?(_ address: IPAddress, prefixLength length: Int) {
    guard length >= 0, length <= address.bitWidth else { return nil }
    prefixLength = length
    network = address.masked(to: length)
  }

  /// Reads `address/length`; host bits may be set, and are cleared (`10.1.2.3/8` is 10.0.0.0/8).
  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let address = IPAddress(parts[0]) else { return nil }
    guard parts[1].utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
      return nil
    }
    guard parts[1].count == 1 || parts[1].first != "0", let length = Int(parts[1]) else { return nil }
    self.init(address, prefixLength: length)
  }

  /// The prefix that holds this address alone.
  public init(_ address: IPAddress) {
    network = address
    prefixLength = address.bitWidth
  }

  public var family: AddressFamily { network.family }

  public func contains(_ address: IPAddress) -> Bool {
    address.family == family && address.masked(to: prefixLength) == network
  }

  /// Whether every address of `other` is in this prefix.
  public func contains(_ other: CIDR) -> Bool {
    other.prefixLength >= prefixLength && contains(other.network)
  }

  public func overlaps(_ other: CIDR) -> Bool { contains(other) || other.contains(self) }

  /// The address `offset` after the first one; nil when that lies outside the prefix.
  public func address(at offset: UInt64) -> IPAddress? {
    let hostBits = network.bitWidth - prefixLength
    if hostBits < 64, offset >> UInt64(hostBits) != 0 { return nil }
    switch network {
    case .v4(let address): return .v4(IPv4Address(bits: address.bits &+ UInt32(truncatingIfNeeded: offset)))
    case .v6(let address):
      let (low, carry) = address.low.addingReportingOverflow(offset)
      return .v6(IPv6Address(high: address.high &+ (carry ? 1 : 0), low: low))
    }
  }

  /// How many addresses the prefix holds, or `UInt64.max` when they are more than that.
  public var count: UInt64 {
    let hostBits = network.bitWidth - prefixLength
    return hostBits >= 64 ? .max : 1 << UInt64(hostBits)
  }
}

extension CIDR: CustomStringConvertible {
  public var description: String { "\(network)/\(prefixLength)" }
}

extension CIDR: Comparable {
  public static func < (a: Self, b: Self) -> Bool {
    (a.network, a.prefixLength) < (b.network, b.prefixLength)
  }
}

extension IPAddress {
  /// The address with all but its first `length` bits cleared; lengths outside 0…`bitWidth` count as the nearest.
  public func masked(to length: Int) -> IPAddress {
    let length = min(max(length, 0), bitWidth)
    // A shift by the whole width leaves nothing, as it should.
    switch self {
    case .v4(let address):
      return .v4(IPv4Address(bits: address.bits & ~0 << UInt32(32 - length)))
    case .v6(let address):
      let high = address.high & ~0 << UInt64(64 - min(length, 64))
      let low = address.low & ~0 << UInt64(64 - max(length - 64, 0))
      return .v6(IPv6Address(high: high, low: low))
    }
  }
}
