import Wire

/// Numbers for addresses that do not fit into 32 bits, so that flow keys stay flat.
struct AddressTable: ~Copyable {
  enum Kind: UInt64 {
    case ipv6 = 1
    case mac = 2
  }

  private struct Entry {
    var high: UInt64
    var low: UInt64
    var kind: UInt64
  }

  private var index = SlotIndex()
  private var entries: [Entry] = []

  mutating func number(_ address: IPv6Address) -> UInt32 { number(address.high, address.low, .ipv6) }
  mutating func number(_ address: MACAddress) -> UInt32 { number(0, address.bits, .mac) }

  private mutating func number(_ high: UInt64, _ low: UInt64, _ kind: Kind) -> UInt32 {
    let kind = kind.rawValue
    var place = index.find(mixed(high, low ^ kind << 60, index.seed)) {
      entries[$0].high == high && entries[$0].low == low && entries[$0].kind == kind
    }
    if let entry = place.entry { return UInt32(truncatingIfNeeded: entry) }
    if index.isFull || place.probes > 512 {
      index.rebuild(growing: index.isFull) {
        mixed(entries[$0].high, entries[$0].low ^ entries[$0].kind << 60, $1)
      }
      place = index.find(mixed(high, low ^ kind << 60, index.seed)) { _ in false }
    }
    entries.append(Entry(high: high, low: low, kind: kind))
    return UInt32(truncatingIfNeeded: index.insert(at: place.slot))
  }

  func ipv6(_ number: UInt32) -> IPv6Address {
    let entry = entries[Int(number)]
    return IPv6Address(high: entry.high, low: entry.low)
  }

  func mac(_ number: UInt32) -> MACAddress { MACAddress(bits: entries[Int(number)].low) }
}
