internal import MapABI

/// The map changes of one run, not yet carried out: what a program wrote it must read back.
///
/// One entry for each key that was touched, in the order of the first write, holding the value as it is at the
/// end, because that is all that can be seen from outside. A write that leaves the entry as it was is no change.
/// Counters are collected into one increment for each key.
struct PendingChanges: ~Copyable {
  /// No run touches as many keys: each stage writes a bounded number, and the stages are a dozen.
  static let capacity = 40

  /// First those of whoever started the run, which suffice for most.
  private var slots: UnsafeMutablePointer<MapChange>
  private var room: Int
  private var isOwn = false
  private(set) var count = 0

  init(_ slots: UnsafeMutableBufferPointer<MapChange>) {
    self.slots = slots.baseAddress ?? UnsafeMutablePointer(bitPattern: 8).unsafelyUnwrapped
    room = slots.count
  }

  deinit { if isOwn { slots.deallocate() } }

  enum Found<Value> {
    case untouched
    case deleted
    case value(Value)
  }

  /// What this run has written under the key.
  @inline(__always)
  func find<Key: MapKey, Value: MapValue>(_ key: Key, in map: MapID, as type: Value.Type) -> Found<Value> {
    guard let index = index(of: key, in: map) else { return .untouched }
    return slots[index].operation == .delete ? .deleted : .value(slots[index].value(as: type))
  }

  /// `original` is what the node's map holds under the key.
  @inline(__always)
  mutating func put<Key: MapKey, Value: MapValue>(
    _ value: Value, at key: Key, in map: MapID, original: Value?
  ) {
    if let index = index(of: key, in: map) {
      slots[index] = MapChange(put: value, at: key, in: map)
    } else if let original, sameOctets(value, original) {
      return
    } else {
      append(MapChange(put: value, at: key, in: map))
    }
  }

  mutating func delete<Key: MapKey>(_ key: Key, in map: MapID) {
    let change = MapChange(delete: key, in: map)
    if let index = index(of: key, in: map) { slots[index] = change } else { append(change) }
  }

  mutating func add<Key: MapKey>(packets: UInt64, bytes: UInt64, to key: Key, in map: MapID) {
    var counters = Counters(packets: packets, bytes: bytes)
    if let index = index(of: key, in: map) {
      let before = slots[index].value(as: Counters.self)
      counters.packets &+= before.packets
      counters.bytes &+= before.bytes
      slots[index] = MapChange(add: counters, to: key, in: map)
    } else {
      append(MapChange(add: counters, to: key, in: map))
    }
  }

  /// The changes, for the result.
  func collect() -> [MapChange] { Array(UnsafeBufferPointer(start: slots, count: count)) }

  @inline(__always)
  private mutating func append(_ change: MapChange) {
    if count == room {
      guard count < Self.capacity else { return }
      grow()
    }
    (slots + count).initialize(to: change)
    count += 1
  }

  @inline(never)
  private mutating func grow() {
    let larger = UnsafeMutablePointer<MapChange>.allocate(capacity: Self.capacity)
    larger.initialize(from: slots, count: count)
    if isOwn { slots.deallocate() }
    (slots, room, isOwn) = (larger, Self.capacity, true)
  }

  @inline(__always)
  private func index<Key: MapKey>(of key: Key, in map: MapID) -> Int? {
    var index = 0
    while index < count {
      if slots[index].map == map, sameOctets(slots[index].key(as: Key.self), key) { return index }
      index += 1
    }
    return nil
  }
}

/// Whether two values are the same octets.
@inline(__always)
func sameOctets<T>(_ a: T, _ b: T) -> Bool {
  withUnsafeBytes(of: a) { a in
    withUnsafeBytes(of: b) { b in
      var offset = 0
      while offset + 8 <= MemoryLayout<T>.size {
        if a.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
          != b.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        {
          return false
        }
        offset += 8
      }
      while offset < MemoryLayout<T>.size {
        if a[offset] != b[offset] { return false }
        offset += 1
      }
      return true
    }
  }
}
