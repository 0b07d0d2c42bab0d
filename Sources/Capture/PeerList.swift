/// Which identities had conversations with which: pairs of VNIs, each once, in ascending order.
///
/// Flat numbers rather than hashed collections: the first use of one of those makes the runtime look for conformances
/// through the whole program, which takes as long as reading a small capture.
public struct PeerList: Sendable {
  private var pairs: [UInt64] = []

  public var isEmpty: Bool { pairs.isEmpty }

  /// The identities that one had a conversation with, in ascending order.
  public subscript(vni: UInt32) -> [UInt32] {
    var (low, high) = (0, pairs.count)
    while low < high {
      let middle = (low + high) / 2
      if UInt32(pairs[middle] >> 32) < vni { low = middle + 1 } else { high = middle }
    }
    return pairs[low...].prefix { UInt32($0 >> 32) == vni }.map { UInt32(truncatingIfNeeded: $0) }
  }

  init(_ report: borrowing DecodeReport) {
    var index = SlotIndex()
    func hash(_ pair: UInt64, _ seed: UInt64) -> UInt64 { mixed(pair, 0, seed) }
    for number in 0..<report.flowCount {
      guard let reverse = report.reverse(of: number) else { continue }
      let pair = UInt64(report.vni(of: number)) << 32 | UInt64(report.vni(of: reverse))
      if index.isFull { index.rebuild(growing: true) { hash(pairs[$0], $1) } }
      let place = index.find(hash(pair, index.seed)) { pairs[$0] == pair }
      guard place.entry == nil else { continue }
      _ = index.insert(at: place.slot)
      pairs.append(pair)
    }
    pairs.sort()
  }
}
