// Geneve options. Source: RFC 8926, section 3.5.
//
//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |         Option class          |C|    Type     |R|R|R| Length  |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |                 Data, 0 … 124 octets in words                 |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

/// One Geneve option.
public enum GeneveOption: Hashable, Sendable {
  /// `type` includes the critical bit (0x80); `reserved` holds three bits; `data` is a multiple of four octets.
  case option(class: UInt16, type: UInt8, reserved: UInt8, data: [UInt8])
  /// Octets in which no further option can be read.
  case malformed([UInt8])

  /// An option; `data` is padded with zeros to a multiple of four and may hold 124 octets.
  public static func option(class: UInt16, type: UInt8, data: [UInt8]) -> GeneveOption {
    .option(
      class: `class`, type: type, reserved: 0,
      data: data + [UInt8](repeating: 0, count: (4 - data.count % 4) % 4)
    )
  }

  var octets: [UInt8] {
    switch self {
    case .option(let `class`, let type, let reserved, let data):
      let length = UInt8(truncatingIfNeeded: data.count / 4) & 0x1f
      return [UInt8(`class` >> 8), UInt8(`class` & 255), type, reserved << 5 | length] + data
    case .malformed(let rest): return rest
    }
  }
}

/// The option area of a Geneve header: kept as octets, so that nothing is lost, and read as a list.
public struct GeneveOptions: Hashable, Sendable {
  /// A multiple of four, at most 252, to be emitted.
  public var octets: [UInt8]

  public init(octets: [UInt8]) { self.octets = octets }

  public init(_ options: [GeneveOption]) { octets = options.flatMap(\.octets) }

  public var list: [GeneveOption] {
    var result: [GeneveOption] = []
    var rest = octets[...]
    while !rest.isEmpty {
      let head = [UInt8](rest.prefix(4))
      guard head.count == 4, Int(head[3] & 0x1f) * 4 <= rest.count - 4 else {
        return result + [.malformed([UInt8](rest))]
      }
      let length = Int(head[3] & 0x1f) * 4
      result.append(
        .option(
          class: UInt16(head[0]) << 8 | UInt16(head[1]), type: head[2], reserved: head[3] >> 5,
          data: [UInt8](rest.dropFirst(4).prefix(length))))
      rest = rest.dropFirst(4 + length)
    }
    return result
  }
}

extension GeneveOptions: ExpressibleByArrayLiteral {
  public init(arrayLiteral options: GeneveOption...) { self.init(options) }
}
