public import CPrefetch

/// A key of a map: plain octets without hidden padding, compared and hashed as octets.
public protocol MapKey: Sendable {}
/// A value of a map: plain octets.
public protocol MapValue: Sendable {}

extension UInt16: MapKey {}
extension UInt32: MapKey {}

/// A hash map of plain values: an index with open addressing over a dense array of entries.
///
/// Made for tables that fit no cache: a miss touches one line of the index, a hit one more with key and value side by
/// side, and no reference is counted on the way. Order is that of insertion until a removal (which moves the last
/// entry into the gap), so the same operations give the same order everywhere. A value type: copies share their memory
/// until one of them is changed.
///
/// Look-ups are inlinable: without it they run unspecialised in other modules, five times slower
/// (`ciliate-bench model`).
@frozen
public struct FlatTable<Key: MapKey, Value: MapValue>: @unchecked Sendable {
  @frozen @usableFromInline
  struct Entry {
    @usableFromInline var key: Key
    @usableFromInline var value: Value
  }

  public private(set) var count = 0
  /// The index, a power of two many slots of 32 bits, and behind it the entries. Nil as long as nothing was put in.
  ///
  /// A slot is 0 when it is empty. Else its low bits, as many as number the slots, are the entry's position plus one,
  /// and those above are of the key's hash.
  @usableFromInline var base: UnsafeMutableRawPointer?
  /// The number of slots less one.
  @usableFromInline var mask: UInt32 = 0
  /// How many entries there is room for: half as many as slots.
  private var capacity = 0
  /// Owns what `base` points to.
  @usableFromInline var memory: TableMemory?

  public init() {}

  /// Makes room for so many entries altogether.
  public mutating func reserveCapacity(_ capacity: Int) {
    if capacity > self.capacity { move(toCapacity: capacity) }
  }

  /// The value of `key`; assigning nil removes the entry.
  public subscript(key: Key) -> Value? {
    @inlinable @inline(__always) get {
      guard let index = index(of: key) else { return nil }
      return withExtendedLifetime(memory) { entry(index).pointee.value }
    }
    set {
      if let newValue { insert(newValue, for: key) } else { remove(key) }
    }
  }

  /// The position of `key` in `keys` and `values`.
  @inlinable @inline(__always)
  public func index(of key: Key) -> Int? {
    guard let base else { return nil }
    return withExtendedLifetime(memory) {
      let hash = Self.hash(key)
      var position = UInt32(truncatingIfNeeded: hash) & mask
      let tag = UInt32(truncatingIfNeeded: hash >> 32) & ~mask
      while true {
        let slot = base.load(fromByteOffset: Int(position) &* 4, as: UInt32.self)
        if slot == 0 { return nil }
        if slot & ~mask == tag {
          let index = Int(slot & mask) &- 1
          if Self.equal(entry(index).pointee.key, key) { return index }
        }
        position = (position &+ 1) & mask
      }
    }
  }

  public mutating func insert(_ value: Value, for key: Key) {
    if let index = index(of: key) {
      makeUnique()
      entry(index).pointee.value = value
      return
    }
    if count == capacity { move(toCapacity: Swift.max(capacity * 2, 8)) } else { makeUnique() }
    entry(count).initialize(to: Entry(key: key, value: value))
    count += 1
    place(key, index: count - 1)
  }

  public mutating func remove(_ key: Key) {
    guard let index = index(of: key) else { return }
    makeUnique()
    unplace(key, index: index)
    let last = count - 1
    if index != last {
      let moved = entry(last).pointee
      unplace(moved.key, index: last)
      entry(index).pointee = moved
      place(moved.key, index: index)
    }
    count = last
  }

  /// Where an entry lies; the index must be one of an entry.
  @inlinable @inline(__always)
  func entry(_ index: Int) -> UnsafeMutablePointer<Entry> {
    (base.unsafelyUnwrapped + (Int(mask) &+ 1) &* 4).assumingMemoryBound(to: Entry.self) + index
  }
}

extension FlatTable {
  private mutating func makeUnique() {
    if memory != nil, !isKnownUniquelyReferenced(&memory) { move(toCapacity: capacity) }
  }

  /// Moves all entries into memory of their own, with room for at least `wanted` of them.
  private mutating func move(toCapacity wanted: Int) {
    let old = self
    // At least a cache line of slots, so that the entries start on a line as well.
    var slots = 16
    while slots < wanted * 2 { slots *= 2 }
    // All the room that the index has: what is not used yet takes no memory.
    capacity = slots / 2
    mask = UInt32(truncatingIfNeeded: slots - 1)
    let memory = TableMemory(byteCount: slots * 4 + capacity * MemoryLayout<Entry>.stride)
    self.memory = memory
    base = memory.base
    if count > 0 {
      withExtendedLifetime(old.memory) { entry(0).initialize(from: old.entry(0), count: count) }
    }
    if let before = old.base, old.mask == mask {
      withExtendedLifetime(old.memory) { memory.base.copyMemory(from: before, byteCount: slots * 4) }
    } else {
      memory.base.initializeMemory(as: UInt32.self, repeating: 0, count: slots)
      for index in 0..<count { place(entry(index).pointee.key, index: index) }
    }
  }

  @inline(__always)
  private func slot(_ position: UInt32) -> UnsafeMutablePointer<UInt32> {
    base.unsafelyUnwrapped.assumingMemoryBound(to: UInt32.self) + Int(position)
  }

  private mutating func place(_ key: Key, index: Int) {
    let hash = Self.hash(key)
    var position = UInt32(truncatingIfNeeded: hash) & mask
    while slot(position).pointee != 0 { position = (position &+ 1) & mask }
    slot(position).pointee = UInt32(truncatingIfNeeded: hash >> 32) & ~mask | UInt32(index + 1)
  }

  /// Empties the slot of an entry and closes the gap in its probe sequence.
  private mutating func unplace(_ key: Key, index: Int) {
    let wanted = UInt32(index + 1)
    var hole = UInt32(truncatingIfNeeded: Self.hash(key)) & mask
    while slot(hole).pointee & mask != wanted { hole = (hole &+ 1) & mask }
    var position = hole
    while true {
      position = (position &+ 1) & mask
      let other = slot(position).pointee
      if other == 0 { break }
      let home = UInt32(truncatingIfNeeded: Self.hash(entry(Int(other & mask) - 1).pointee.key)) & mask
      if (position &- home) & mask >= (position &- hole) & mask {
        slot(hole).pointee = other
        hole = position
      }
    }
    slot(hole).pointee = 0
  }
}

// Look-ups in large tables wait for memory; those who know keys beforehand can have them wait together.
extension FlatTable {
  /// Whether it is worth while to prefetch: small tables stay in the caches by themselves.
  @inlinable @inline(__always)
  public var isLarge: Bool { count > 4096 }

  /// Brings the part of the index closer that a look-up of `key` starts with.
  ///
  /// - Returns: the key's hash, for ``prefetchEntry(_:)``.
  @inlinable @inline(__always)
  public func prefetch(_ key: Key) -> UInt64 {
    let hash = Self.hash(key)
    if let base {
      ciliate_prefetch(base + Int(UInt32(truncatingIfNeeded: hash) & mask) &* 4)
    }
    return hash
  }

  /// Brings the entry closer that the index has under a hash; best when the index is there already.
  @inlinable @inline(__always)
  public func prefetchEntry(_ hash: UInt64) {
    guard let base else { return }
    withExtendedLifetime(memory) {
      var position = UInt32(truncatingIfNeeded: hash) & mask
      let tag = UInt32(truncatingIfNeeded: hash >> 32) & ~mask
      while true {
        let slot = base.load(fromByteOffset: Int(position) &* 4, as: UInt32.self)
        if slot == 0 { return }
        if slot & ~mask == tag {
          let address = UnsafeRawPointer(entry(Int(slot & mask) &- 1))
          ciliate_prefetch(address)
          // Where entries end in the next line.
          if MemoryLayout<Entry>.stride > 16 { ciliate_prefetch(address + (MemoryLayout<Entry>.size - 1)) }
          return
        }
        position = (position &+ 1) & mask
      }
    }
  }
}

// Keys as octets.
extension FlatTable {
  @inlinable @inline(__always)
  static func equal(_ a: Key, _ b: Key) -> Bool {
    withUnsafeBytes(of: a) { a in
      withUnsafeBytes(of: b) { b in
        let size = MemoryLayout<Key>.size
        var offset = 0
        var difference: UInt64 = 0
        while offset + 8 <= size {
          difference |=
            a.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            ^ b.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
          offset += 8
        }
        return difference == 0 && tail(a, from: offset) == tail(b, from: offset)
      }
    }
  }

  /// One multiplication for every two words.
  @inlinable @inline(__always)
  static func hash(_ key: Key) -> UInt64 {
    withUnsafeBytes(of: key) { bytes in
      let size = MemoryLayout<Key>.size
      var hash: UInt64 = 0x9e37_79b9_7f4a_7c15
      var offset = 0
      while offset + 16 <= size {
        hash = mix(
          hash ^ bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self),
          bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self))
        offset += 16
      }
      if offset + 8 <= size {
        let word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        return mix(hash ^ word, tail(bytes, from: offset + 8))
      }
      return offset < size ? mix(hash, tail(bytes, from: offset)) : hash
    }
  }

  /// The octets after the last whole word, as a number.
  @inlinable @inline(__always)
  static func tail(_ bytes: UnsafeRawBufferPointer, from start: Int) -> UInt64 {
    var offset = start
    var word: UInt64 = 0
    let size = MemoryLayout<Key>.size
    if size & 4 != 0 {
      word = UInt64(bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
      offset += 4
    }
    if size & 2 != 0 {
      word = word << 16 | UInt64(bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
      offset += 2
    }
    if size & 1 != 0 { word = word << 8 | UInt64(bytes[offset]) }
    return word
  }

  /// Both words are in the sum as well: where one factor happens to be zero, the product forgets the other.
  @inlinable @inline(__always)
  static func mix(_ first: UInt64, _ second: UInt64) -> UInt64 {
    let product = (first ^ 0xa076_1d64_78bd_642f).multipliedFullWidth(by: second ^ 0xe703_7ed1_a0b4_28db)
    return product.high ^ product.low ^ (first &+ second)
  }
}
