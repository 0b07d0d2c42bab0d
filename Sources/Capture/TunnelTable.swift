/// Counts per tunnel: one VNI from one node to another.
///
/// There are few of these, so every packet is counted here, and a flow names its tunnel by number.
struct TunnelTable: ~Copyable {
  struct Entry {
    /// Two IPv4 addresses, or two numbers of the address table; source in the upper half.
    var ends: UInt64
    /// The VNI in the low 24 bits; bit 24: Geneve; bit 25: the ends are IPv6.
    var key: UInt64
    var packets: UInt64
    var bytes: UInt64
  }

  static let geneve: UInt64 = 1 << 24
  static let ipv6: UInt64 = 1 << 25

  // Every packet comes by here: a sparse index, so that the first probe is nearly always the last.
  private var index = SlotIndex(capacity: 2048, sixteenths: 3)
  private var entries = EntryArray<Entry>(capacity: 256)

  var count: Int { index.count }
  subscript(number: Int) -> Entry { entries.base[number] }

  /// Counts a packet, and gives the tunnel's number.
  @inline(__always)
  mutating func count(ends: UInt64, key: UInt64, bytes: UInt64) -> UInt32 {
    let base = entries.base
    let place = index.find(mixed(ends, key, index.seed)) { base[$0].ends == ends && base[$0].key == key }
    guard let number = place.entry else { return add(ends, key, bytes, place.probes) }
    base[number].packets &+= 1
    base[number].bytes &+= bytes
    return UInt32(truncatingIfNeeded: number)
  }

  @inline(never)
  private mutating func add(_ ends: UInt64, _ key: UInt64, _ bytes: UInt64, _ probes: Int) -> UInt32 {
    if index.isFull || probes > 512 {
      let base = entries.base
      index.rebuild(growing: index.isFull) { mixed(base[$0].ends, base[$0].key, $1) }
    }
    let slot = index.find(mixed(ends, key, index.seed)) { _ in false }.slot
    entries.reserve(index.count + 1)
    let number = index.insert(at: slot)
    (entries.base + number).initialize(to: Entry(ends: ends, key: key, packets: 1, bytes: bytes))
    return UInt32(truncatingIfNeeded: number)
  }
}
