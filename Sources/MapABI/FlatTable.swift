/// A key of a map: plain octets without hidden padding, compared and hashed as octets.
public protocol MapKey: Sendable {}
/// A value of a map: plain octets.
public protocol MapValue: Sendable {}

extension UInt16: MapKey {}
extension UInt32: MapKey {}

/// A hash map of plain values: open addressing over dense arrays of keys and values.
///
/// No reference counting on the path of a look-up; `keys` and `values` lie side by side, as a batch update of a
/// kernel map wants them. Order is that of insertion until a removal (which moves the last entry into the gap), so
/// the same operations give the same order everywhere.
///
/// Look-ups are inlinable: without it they run unspecialised in other modules, five times slower
/// (`ciliate-bench model`).
@frozen
public struct FlatTable<Key: MapKey, Value: MapValue>: Sendable {
  public internal(set) var keys: [Key] = []
  public internal(set) var values: [Value] = []
  /// A power of two many slots: 0 is empty, else the upper half of the hash and the entry's index plus one.
  @usableFromInline var slots: [UInt64] = [0, 0, 0, 0]

  public init() {}

  public var count: Int { keys.count }

  public mutating func reserveCapacity(_ capacity: Int) {
    keys.reserveCapacity(capacity)
    values.reserveCapacity(capacity)
    var size = slots.count
    while size < capacity * 2 { size *= 2 }
    if size > slots.count { rehash(size) }
  }

  /// The value of `key`; assigning nil removes the entry.
  public subscript(key: Key) -> Value? {
    @inlinable @inline(__always) get {
      guard let index = index(of: key) else { return nil }
      return values[index]
    }
    set {
      if let newValue { insert(newValue, for: key) } else { remove(key) }
    }
  }

  /// The position of `key` in `keys` and `values`.
  @inlinable @inline(__always)
  public func index(of key: Key) -> Int? {
    let hash = Self.hash(key)
    let mask = slots.count - 1
    let tag = hash >> 32
    var position = Int(truncatingIfNeeded: hash) & mask
    return slots.withUnsafeBufferPointer { slots in
      keys.withUnsafeBufferPointer { keys in
        while true {
          let slot = slots[position]
          if slot == 0 { return nil }
          if slot >> 32 == tag {
            let index = Int(slot & 0xffff_ffff) - 1
            if Self.equal(keys[index], key) { return index }
          }
          position = (position + 1) & mask
        }
      }
    }
  }

  public mutating func insert(_ value: Value, for key: Key) {
    if let index = index(of: key) {
      values[index] = value
      return
    }
    if (keys.count + 1) * 2 > slots.count { rehash(slots.count * 2) }
    keys.append(key)
    values.append(value)
    place(Self.hash(key), index: keys.count - 1)
  }

  public mutating func remove(_ key: Key) {
    guard let index = index(of: key) else { return }
    unplace(key, index: index)
    let last = keys.count - 1
    if index != last {
      let moved = keys[last]
      unplace(moved, index: last)
      keys[index] = moved
      values[index] = values[last]
      place(Self.hash(moved), index: index)
    }
    keys.removeLast()
    values.removeLast()
  }

  private mutating func rehash(_ size: Int) {
    slots = Array(repeating: 0, count: size)
    for index in keys.indices { place(Self.hash(keys[index]), index: index) }
  }

  private mutating func place(_ hash: UInt64, index: Int) {
    let mask = slots.count - 1
    var position = Int(truncatingIfNeeded: hash) & mask
    while slots[position] != 0 { position = (position + 1) & mask }
    slots[position] = hash & ~0xffff_ffff | UInt64(index + 1)
  }

  /// Empties the slot of an entry and closes the gap in its probe sequence.
  private mutating func unplace(_ key: Key, index: Int) {
    let mask = slots.count - 1
    let wanted = UInt64(index + 1)
    var hole = Int(truncatingIfNeeded: Self.hash(key)) & mask
    while slots[hole] & 0xffff_ffff != wanted { hole = (hole + 1) & mask }
    var position = hole
    while true {
      position = (position + 1) & mask
      let slot = slots[position]
      if slot == 0 { break }
      let home = Int(truncatingIfNeeded: Self.hash(keys[Int(slot & 0xffff_ffff) - 1])) & mask
      if (position - home) & mask >= (position - hole) & mask {
        slots[hole] = slot
        hole = position
      }
    }
    slots[hole] = 0
  }

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

  @inlinable @inline(__always)
  static func hash(_ key: Key) -> UInt64 {
    withUnsafeBytes(of: key) { bytes in
      let size = MemoryLayout<Key>.size
      var hash: UInt64 = 0x9e37_79b9_7f4a_7c15
      var offset = 0
      while offset + 8 <= size {
        hash = mix(hash ^ bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        offset += 8
      }
      return offset < size ? mix(hash ^ tail(bytes, from: offset)) : hash
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

  @inlinable @inline(__always)
  static func mix(_ word: UInt64) -> UInt64 {
    let product = word.multipliedFullWidth(by: 0xa076_1d64_78bd_642f)
    return product.high ^ product.low
  }
}

extension FlatTable: Sequence {
  /// The entries in order.
  public func makeIterator() -> AnyIterator<(key: Key, value: Value)> {
    var index = 0
    return AnyIterator {
      guard index < keys.count else { return nil }
      defer { index += 1 }
      return (keys[index], values[index])
    }
  }
}
