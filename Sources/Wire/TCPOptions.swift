// TCP options. Source: RFC 9293, section 3.2; RFC 7323 (window scale, timestamps); RFC 2018 (SACK).
//
//  +--------+--------+--------+--------+
//  |  Kind  | Length |    Data …       |     kinds 0 and 1 are a single octet
//  +--------+--------+--------+--------+

/// One TCP option.
public enum TCPOption: Hashable, Sendable {
  case endOfList
  case noOperation
  /// In octets.
  case maximumSegmentSize(UInt16)
  /// The exponent, 0…14.
  case windowScale(UInt8)
  case selectiveAcknowledgmentPermitted
  /// Left and right edges, one pair per block.
  case selectiveAcknowledgment([UInt32])
  case timestamps(value: UInt32, echo: UInt32)
  /// Any other kind, or a known one of an unusual length; `data` is what follows the length octet.
  case other(kind: UInt8, data: [UInt8])
  /// Octets in which no further option can be read.
  case malformed([UInt8])

  init(kind: UInt8, data: ArraySlice<UInt8>) {
    let octets = [UInt8](data)
    switch (kind, octets.count) {
    case (2, 2): self = .maximumSegmentSize(UInt16(octets[0]) << 8 | UInt16(octets[1]))
    case (3, 1): self = .windowScale(octets[0])
    case (4, 0): self = .selectiveAcknowledgmentPermitted
    case (5, let count) where count > 0 && count % 8 == 0:
      self = .selectiveAcknowledgment(
        stride(from: 0, to: count, by: 4).map { octets.load(UInt32.self, at: $0) ?? 0 })
    case (8, 8):
      self = .timestamps(
        value: octets.load(UInt32.self, at: 0) ?? 0, echo: octets.load(UInt32.self, at: 4) ?? 0)
    default: self = .other(kind: kind, data: octets)
    }
  }

  var octets: [UInt8] {
    func option(_ kind: UInt8, _ data: [UInt8]) -> [UInt8] {
      [kind, UInt8(truncatingIfNeeded: data.count + 2)] + data
    }
    func octets(_ word: UInt32) -> [UInt8] {
      [UInt8(word >> 24), UInt8(word >> 16 & 255), UInt8(word >> 8 & 255), UInt8(word & 255)]
    }
    switch self {
    case .endOfList: return [0]
    case .noOperation: return [1]
    case .maximumSegmentSize(let size): return option(2, [UInt8(size >> 8), UInt8(size & 255)])
    case .windowScale(let shift): return option(3, [shift])
    case .selectiveAcknowledgmentPermitted: return option(4, [])
    case .selectiveAcknowledgment(let edges): return option(5, edges.flatMap(octets))
    case .timestamps(let value, let echo): return option(8, octets(value) + octets(echo))
    case .other(let kind, let data): return option(kind, data)
    case .malformed(let rest): return rest
    }
  }
}

/// The option area of a TCP header: kept as octets, so that nothing is lost, and read as a list.
public struct TCPOptions: Hashable, Sendable {
  /// A multiple of four, at most 40, to be emitted.
  public var octets: [UInt8]

  public init(octets: [UInt8]) { self.octets = octets }

  /// The options one after the other, padded to a multiple of four with end-of-list octets.
  public init(_ options: [TCPOption]) {
    octets = options.flatMap(\.octets)
    while octets.count % 4 != 0 { octets.append(0) }
  }

  /// The options up to the end of the list; padding after that is not shown.
  public var list: [TCPOption] {
    var result: [TCPOption] = []
    var rest = octets[...]
    while let kind = rest.first {
      switch kind {
      case 0: return result + [.endOfList]
      case 1:
        result.append(.noOperation)
        rest = rest.dropFirst()
      default:
        guard let length = rest.dropFirst().first.map(Int.init), length >= 2, length <= rest.count else {
          return result + [.malformed([UInt8](rest))]
        }
        result.append(TCPOption(kind: kind, data: rest.dropFirst(2).prefix(length - 2)))
        rest = rest.dropFirst(length)
      }
    }
    return result
  }
}

extension TCPOptions: ExpressibleByArrayLiteral {
  public init(arrayLiteral options: TCPOption...) { self.init(options) }
}
