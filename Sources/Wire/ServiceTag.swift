// How Cilium's direct server return tells the backend's node which service address was asked for: a Geneve
// option, an IPv4 option or an IPv6 destination option. Source: Cilium bpf/lib/tunnel.h and bpf/lib/nodeport.h.
//
//   Geneve, class 0x014b, type 0x81               IPv4, type 0x9a, length 8       IPv6 destination option, type 0x1b
//  +----------------------------------+   +------------------------+   +-----------------------------+
//  | address (4 or 16), port (2), 0 0 |   | port (2), address (4)  |   | address (16), port (2), 0 0 |
//  +----------------------------------+   +------------------------+   +-----------------------------+

/// The service address and port that a packet was sent to before translation.
public struct ServiceTag: Hashable, Sendable {
  public var address: IPAddress
  public var port: UInt16

  public init(address: IPAddress, port: UInt16) {
    self.address = address
    self.port = port
  }

  public static let geneveClass: UInt16 = 0x014b
  /// With the critical bit.
  public static let geneveType: UInt8 = 0x81
  /// 26 with the copy flag.
  public static let ipv4Type: UInt8 = 0x9a

  public init?(_ option: GeneveOption) {
    guard case .option(Self.geneveClass, Self.geneveType, _, let data) = option,
      let port = data.load(UInt16.self, at: data.count - 4)
    else { return nil }
    switch data.count {
    case 8: address = .v4(IPv4Address(bits: data.load(UInt32.self, at: 0) ?? 0))
    case 20:
      guard let v6 = IPv6Address(octets: data[..<16]) else { return nil }
      address = .v6(v6)
    default: return nil
    }
    self.port = port
  }

  public var geneveOption: GeneveOption {
    .option(
      class: Self.geneveClass, type: Self.geneveType,
      data: address.octets + [UInt8(port >> 8), UInt8(port & 255)])
  }
}

extension ServiceTag {
  /// The tag of an IPv4 option. On little-endian nodes Cilium swaps both fields once more than they need: they
  /// stand least significant octet first.
  public init?(_ option: IPv4Option) {
    guard case .option(Self.ipv4Type, let data) = option, data.count == 6,
      let port = data.load(UInt16.self, at: 0), let address = data.load(UInt32.self, at: 2)
    else { return nil }
    self.init(address: .v4(IPv4Address(bits: address.byteSwapped)), port: port.byteSwapped)
  }

  /// Nil for an IPv6 service.
  public var ipv4Option: IPv4Option? {
    guard case .v4(let v4) = address else { return nil }
    return .option(
      type: Self.ipv4Type, data: [UInt8(port & 255), UInt8(port >> 8)] + v4.octets.reversed())
  }
}

extension ServiceTag {
  public static let ipv6Type: UInt8 = 0x1b

  public init?(_ option: IPv6Option) {
    guard case .option(Self.ipv6Type, let data) = option, data.count == 20,
      let address = IPv6Address(octets: data[..<16]), let port = data.load(UInt16.self, at: 16)
    else { return nil }
    self.init(address: .v6(address), port: port)
  }

  /// Nil for an IPv4 service. Alone in a destination options header it makes 24 octets.
  public var ipv6Option: IPv6Option? {
    guard case .v6(let v6) = address else { return nil }
    return .option(type: Self.ipv6Type, data: v6.octets + [UInt8(port >> 8), UInt8(port & 255), 0, 0])
  }
}
