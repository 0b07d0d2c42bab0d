import Glibc

/// A flat hash index: open addressing over 32-bit slots, each 0 (free) or 1 + the number of an entry kept elsewhere.
///
/// Entries are numbered 0, 1, 2 … as they come, and never go. Four octets per slot; how many sixteenths of them may be
/// taken is a choice between memory and probes.
struct SlotIndex: ~Copyable {
  private(set) var slots: UnsafeMutablePointer<UInt32>
  private(set) var mask: Int
  private(set) var count = 0
  /// Changes when too many entries meet in one place: a capture made to collide meets another order then.
  private(set) var seed: UInt64 = 0x9e37_79b9_7f4a_7c15
  private var limit: Int
  private let sixteenths: Int

  /// `capacity` is a power of two.
  init(capacity: Int = 256, sixteenths: Int = 13) {
    self.sixteenths = sixteenths
    mask = capacity - 1
    limit = capacity * sixteenths / 16
    slots = .allocate(capacity: capacity)
    slots.initialize(repeating: 0, count: capacity)
  }

  deinit { slots.deallocate() }

  /// Whether the next entry needs `rebuild` first.
  @inline(__always) var isFull: Bool { count >= limit }

  /// The entry that `matches`, or nil and the slot where it belongs.
  @inline(__always)
  func find(_ hash: UInt64, _ matches: (Int) -> Bool) -> (entry: Int?, slot: Int, probes: Int) {
    var slot = Int(truncatingIfNeeded: hash) & mask
    var probes = 0
    while true {
      let value = slots[slot]
      if value == 0 { return (nil, slot, probes) }
      if matches(Int(value) - 1) { return (Int(value) - 1, slot, probes) }
      slot = (slot + 1) & mask
      probes += 1
    }
  }

  /// Puts the next entry into a slot that `find` gave.
  @inline(__always)
  mutating func insert(at slot: Int) -> Int {
    count += 1
    slots[slot] = UInt32(truncatingIfNeeded: count)
    return count - 1
  }

  /// Distributes all entries anew, over twice the slots when `growing`, by what `hash` gives with the new seed.
  mutating func rebuild(growing: Bool, _ hash: (Int, UInt64) -> UInt64) {
    let capacity = growing ? (mask + 1) * 2 : mask + 1
    if !growing { seed = seed &* 0xd134_2543_de82_ef95 &+ 1 }
    slots.deallocate()
    slots = .allocate(capacity: capacity)
    slots.initialize(repeating: 0, count: capacity)
    mask = capacity - 1
    limit = capacity * sixteenths / 16
    for entry in 0..<count {
      var slot = Int(truncatingIfNeeded: hash(entry, seed)) & mask
      while slots[slot] != 0 { slot = (slot + 1) & mask }
      slots[slot] = UInt32(truncatingIfNeeded: entry + 1)
    }
  }
}

/// Mixes two words and a seed into a hash whose low bits are good (a folded 128-bit product).
@inline(__always)
func mixed(_ a: UInt64, _ b: UInt64, _ seed: UInt64) -> UInt64 {
  let product = (a ^ seed).multipliedFullWidth(by: b ^ 0xa076_1d64_78bd_642f)
  let folded = product.high ^ product.low
  return folded ^ folded >> 29
}

/// Memory for entries that grows in place: `realloc` moves large areas by their pages and copies nothing.
struct EntryArray<Entry>: ~Copyable {
  private(set) var base: UnsafeMutablePointer<Entry>
  private var capacity: Int

  init(capacity: Int) {
    self.capacity = capacity
    base = Self.resized(nil, capacity)
  }

  deinit { free(base) }

  @inline(__always)
  mutating func reserve(_ count: Int) {
    if count > capacity {
      capacity *= 2
      base = Self.resized(base, capacity)
    }
  }

  private static func resized(
    _ old: UnsafeMutablePointer<Entry>?, _ capacity: Int
  ) -> UnsafeMutablePointer<Entry> {
    guard let memory = realloc(old, capacity * MemoryLayout<Entry>.stride) else {
      // As everywhere in Swift, an allocation that fails ends the process.
      preconditionFailure("out of memory for \(capacity) entries")
    }
    return memory.bindMemory(to: Entry.self, capacity: capacity)
  }
}
