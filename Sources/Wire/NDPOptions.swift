// Options of neighbour discovery. Source: RFC 4861, section 4.6.
//
//  +--------+--------+--------+--------+
//  |  Type  | Length |    Data …       |     length in units of eight octets, type and length included
//  +--------+--------+--------+--------+

/// One option of a neighbour discovery message.
public enum NDPOption: Hashable, Sendable {
  case sourceLinkLayerAddress(MACAddress)
  case targetLinkLayerAddress(MACAddress)
  /// `flags`: 0x80 on-link, 0x40 autonomous; lifetimes in seconds. The reserved word must be zero to be read.
  case prefix(IPv6Address, length: UInt8, flags: UInt8, valid: UInt32, preferred: UInt32)
  /// In octets. The reserved half-word must be zero to be read.
  case mtu(UInt32)
  /// Any other option; `data` is what follows the length octet, 8n − 2 octets.
  case other(type: UInt8, data: [UInt8])
  /// Octets in which no further option can be read.
  case malformed([UInt8])

  init(type: UInt8, data: [UInt8]) {
    func mac() -> MACAddress {
      MACAddress(bits: (data + [0, 0]).load(UInt64.self, at: 0).map { $0 >> 16 } ?? 0)
    }
    switch (type, data.count) {
    case (1, 6): self = .sourceLinkLayerAddress(mac())
    case (2, 6): self = .targetLinkLayerAddress(mac())
    case (3, 30) where data.load(UInt32.self, at: 10) == 0:
      self = .prefix(
        IPv6Address(
          high: data.load(UInt64.self, at: 14) ?? 0, low: data.load(UInt64.self, at: 22) ?? 0),
        length: data[0], flags: data[1], valid: data.load(UInt32.self, at: 2) ?? 0,
        preferred: data.load(UInt32.self, at: 6) ?? 0)
    case (5, 6) where data.load(UInt16.self, at: 0) == 0:
      self = .mtu(data.load(UInt32.self, at: 2) ?? 0)
    default: self = .other(type: type, data: data)
    }
  }

  var octets: [UInt8] {
    switch self {
    case .sourceLinkLayerAddress(let mac): return [1, 1] + mac.octets
    case .targetLinkLayerAddress(let mac): return [2, 1] + mac.octets
    case .prefix(let prefix, let length, let flags, let valid, let preferred):
      var octets: [UInt8] = [3, 4, length, flags] + [UInt8](repeating: 0, count: 12) + prefix.octets
      octets.store(valid, at: 4)
      octets.store(preferred, at: 8)
      return octets
    case .mtu(let mtu):
      var octets: [UInt8] = [5, 1, 0, 0, 0, 0, 0, 0]
      octets.store(mtu, at: 4)
      return octets
    case .other(let type, let data):
      let units = (data.count + 2 + 7) / 8
      let padding = [UInt8](repeating: 0, count: units * 8 - 2 - data.count)
      return [type, UInt8(truncatingIfNeeded: units)] + data + padding
    case .malformed(let rest): return rest
    }
  }
}

/// The options of a neighbour discovery message: kept as octets, so that nothing is lost, and read as a list.
public struct NDPOptions: Hashable, Sendable {
  public var octets: [UInt8]

  public init(octets: [UInt8]) { self.octets = octets }

  public init(_ options: [NDPOption]) { octets = options.flatMap(\.octets) }

  public var list: [NDPOption] {
    var result: [NDPOption] = []
    var rest = octets[...]
    while let type = rest.first {
      // A length of zero would never end: such a message is to be discarded (RFC 4861, section 4.6).
      guard let units = rest.dropFirst().first.map(Int.init), units > 0, units * 8 <= rest.count else {
        return result + [.malformed([UInt8](rest))]
      }
      result.append(NDPOption(type: type, data: [UInt8](rest.dropFirst(2).prefix(units * 8 - 2))))
      rest = rest.dropFirst(units * 8)
    }
    return result
  }
}

extension NDPOptions: ExpressibleByArrayLiteral {
  public init(arrayLiteral options: NDPOption...) { self.init(options) }
}
