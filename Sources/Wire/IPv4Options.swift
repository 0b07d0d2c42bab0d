// IPv4 options. Source: RFC 791, section 3.1; RFC 2113 (router alert).
//
//  +--------+--------+--------+--------+
//  |  Type  | Length |    Data …       |     types 0 and 1 are a single octet
//  +--------+--------+--------+--------+

/// One IPv4 option.
public enum IPv4Option: Hashable, Sendable {
  case endOfList
  case noOperation
  /// Any option that has a length octet; `data` is what follows that, 0…38 octets.
  case option(type: UInt8, data: [UInt8])
  /// Octets in which no further option can be read.
  case malformed([UInt8])

  /// Type 0x94: routers shall look at the packet.
  public static let routerAlert = IPv4Option.option(type: 0x94, data: [0, 0])
}

/// The option area of an IPv4 header: kept as octets, so that nothing is lost, and read as a list.
public struct IPv4Options: Hashable, Sendable {
  /// A multiple of four, at most 40, to be emitted.
  public var octets: [UInt8]

  public init(octets: [UInt8]) { self.octets = octets }

  /// The options one after the other, padded to a multiple of four with end-of-list octets.
  public init(_ options: [IPv4Option]) {
    octets = []
    for option in options {
      switch option {
      case .endOfList: octets.append(0)
      case .noOperation: octets.append(1)
      case .option(let type, let data): octets += [type, UInt8(truncatingIfNeeded: data.count + 2)] + data
      case .malformed(let rest): octets += rest
      }
    }
    while octets.count % 4 != 0 { octets.append(0) }
  }

  /// The options up to the end of the list; padding after that is not shown.
  public var list: [IPv4Option] {
    var result: [IPv4Option] = []
    var rest = octets[...]
    while let type = rest.first {
      switch type {
      case 0: return result + [.endOfList]
      case 1:
        result.append(.noOperation)
        rest = rest.dropFirst()
      default:
        guard let length = rest.dropFirst().first.map(Int.init), length >= 2, length <= rest.count else {
          return result + [.malformed([UInt8](rest))]
        }
        result.append(.option(type: type, data: [UInt8](rest.dropFirst(2).prefix(length - 2))))
        rest = rest.dropFirst(length)
      }
    }
    return result
  }
}

extension IPv4Options: ExpressibleByArrayLiteral {
  public init(arrayLiteral options: IPv4Option...) { self.init(options) }
}
