/// The options that stand behind the packets of each tunnel: made when its first packet comes, in the form in which
/// the file has them.
struct TunnelComments: ~Copyable {
  private let names: IdentityNames
  /// Options that are kept, and behind them those of the last tunnel whose options are not.
  private var octets: [UInt8] = []
  private var keptEnd = 0
  /// Where the options of a tunnel stand, by its number: the start in the upper half, the end in the lower; 0 where
  /// they have not been made.
  private var places: [UInt64] = []

  private static let keptTunnels = 1 << 16
  private static let keptOctets = 16 << 20

  init(_ names: IdentityNames) { self.names = names }

  /// Where the options of a tunnel stand, until the next call.
  @inline(__always)
  mutating func range(of number: UInt32, _ decoder: borrowing Decoder) -> Range<Int> {
    if Int(number) < places.count {
      let place = places[Int(number)]
      if place != 0 { return Int(place >> 32)..<Int(place & 0xffff_ffff) }
    }
    return make(number, decoder)
  }

  @inline(__always)
  func withOctets(_ range: Range<Int>, _ body: (UnsafeRawBufferPointer) -> Void) {
    octets.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[range])) }
  }

  @inline(never)
  private mutating func make(_ number: UInt32, _ decoder: borrowing Decoder) -> Range<Int> {
    let tunnel = decoder.tunnel(Int(number))
    var comment = "identity \(tunnel.vni)"
    if let name = names.name(tunnel.vni) { comment += " (\(name))" }
    comment += ", \(tunnel.encapsulation) \(tunnel.path.source) > \(tunnel.path.destination)"
    octets.removeSubrange(keptEnd...)
    octets += PacketBlock.options(comment: comment)
    let range = keptEnd..<octets.count
    if number < Self.keptTunnels, keptEnd < Self.keptOctets {
      while places.count <= Int(number) { places.append(0) }
      places[Int(number)] = UInt64(range.lowerBound) << 32 | UInt64(range.upperBound)
      keptEnd = range.upperBound
    }
    return range
  }
}
