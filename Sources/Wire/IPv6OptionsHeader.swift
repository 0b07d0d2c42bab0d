// Hop-by-hop and destination options. Source: RFC 8200, sections 4.2, 4.3 and 4.6.
//
//  +--------+--------+--------+--------+--------+--------+--------+--------+
//  |  Next  | Length |          Options, 8n + 6 octets                     |
//  +--------+--------+--------+--------+--------+--------+--------+--------+

/// A hop-by-hop or destination options header; which one, the header before it says.
public struct IPv6OptionsHeader: WireHeader {
  public var nextHeader: IPProtocol
  public var options: IPv6Options

  public init(_ options: IPv6Options, nextHeader: IPProtocol = .noNextHeader) {
    self.nextHeader = nextHeader
    self.options = options
  }

  // The two kinds have one form; errors of emitting name the commoner one.
  public static let name = WireProtocol.destinationOptions
  public var byteCount: Int { 2 + options.octets.count }

  init(_ view: borrowing IPv6ExtensionView) {
    self.init(
      IPv6Options(octets: view.bytes.window(from: 2, to: view.headerLength).array),
      nextHeader: view.nextHeader)
  }

  public init(parsing bytes: RawSpan) throws(WireError) {
    self.init(try IPv6ExtensionView(.destinationOptions, bytes))
  }

  public func validate() throws(WireError) {
    guard byteCount % 8 == 0, byteCount <= 2048 else {
      throw .invalid(
        Self.name, field: "options", needed: "8n + 6 octets, at most 2046", had: UInt64(options.octets.count))
    }
  }

  @_lifetime(bytes: copy bytes)
  public func write(into bytes: inout MutableRawSpan, at offset: Int) {
    bytes.store(nextHeader.rawValue, at: offset)
    bytes.store(UInt8(truncatingIfNeeded: byteCount / 8 - 1), at: offset + 1)
    bytes.store(options.octets, at: offset + 2)
  }
}

/// One option of a hop-by-hop or destination options header.
public enum IPv6Option: Hashable, Sendable {
  case pad1
  /// Two octets and this many zeros, 0…255.
  case padN(UInt8)
  /// Any other option; `data` is what follows the length octet, 0…255 octets.
  case option(type: UInt8, data: [UInt8])
  /// Octets in which no further option can be read.
  case malformed([UInt8])

  /// Type 5: routers shall look at the packet (RFC 2711); 0 is multicast listener discovery.
  public static func routerAlert(_ value: UInt16) -> IPv6Option {
    .option(type: 5, data: [UInt8(value >> 8), UInt8(value & 255)])
  }

  var octets: [UInt8] {
    switch self {
    case .pad1: [0]
    case .padN(let count): [1, count] + [UInt8](repeating: 0, count: Int(count))
    case .option(let type, let data): [type, UInt8(truncatingIfNeeded: data.count)] + data
    case .malformed(let rest): rest
    }
  }
}

/// An option area: kept as octets, so that nothing is lost, and read as a list.
public struct IPv6Options: Hashable, Sendable {
  /// 8n + 6 octets, to be emitted.
  public var octets: [UInt8]

  public init(octets: [UInt8]) { self.octets = octets }

  /// The options one after the other, padded with Pad1 or PadN to 8n + 6 octets.
  public init(_ options: [IPv6Option]) {
    octets = options.flatMap(\.octets)
    switch (14 - octets.count % 8) % 8 {
    case 0: break
    case 1: octets += IPv6Option.pad1.octets
    case let missing: octets += IPv6Option.padN(UInt8(missing - 2)).octets
    }
  }

  public var list: [IPv6Option] {
    var result: [IPv6Option] = []
    var rest = octets[...]
    while let type = rest.first {
      if type == 0 {
        result.append(.pad1)
        rest = rest.dropFirst()
        continue
      }
      guard let length = rest.dropFirst().first.map(Int.init), length <= rest.count - 2 else {
        return result + [.malformed([UInt8](rest))]
      }
      let data = rest.dropFirst(2).prefix(length)
      let isPadding = type == 1 && data.allSatisfy { $0 == 0 }
      result.append(isPadding ? .padN(UInt8(length)) : .option(type: type, data: [UInt8](data)))
      rest = rest.dropFirst(2 + length)
    }
    return result
  }
}

extension IPv6Options: ExpressibleByArrayLiteral {
  public init(arrayLiteral options: IPv6Option...) { self.init(options) }
}
