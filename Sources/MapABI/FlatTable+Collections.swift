// The entries of a table, to be gone through.
extension FlatTable {
  /// The keys in order.
  public var keys: Keys { Keys(table: self) }
  /// The values, in the order of the keys.
  public var values: Values { Values(table: self) }

  @frozen
  public struct Keys: RandomAccessCollection, Sendable {
    @usableFromInline let table: FlatTable

    @inlinable init(table: FlatTable) { self.table = table }

    @inlinable public var startIndex: Int { 0 }
    @inlinable public var endIndex: Int { table.count }

    @inlinable
    public subscript(index: Int) -> Key {
      precondition(index >= 0 && index < table.count)
      return withExtendedLifetime(table.memory) { table.entry(index).pointee.key }
    }
  }

  @frozen
  public struct Values: RandomAccessCollection, Sendable {
    @usableFromInline let table: FlatTable

    @inlinable init(table: FlatTable) { self.table = table }

    @inlinable public var startIndex: Int { 0 }
    @inlinable public var endIndex: Int { table.count }

    @inlinable
    public subscript(index: Int) -> Value {
      precondition(index >= 0 && index < table.count)
      return withExtendedLifetime(table.memory) { table.entry(index).pointee.value }
    }
  }
}

extension FlatTable {
  /// All keys and all values as octets, one behind the other, as a batch update of a kernel map wants them.
  public func octets() -> (keys: [UInt8], values: [UInt8]) {
    let keySize = MemoryLayout<Key>.size
    let valueSize = MemoryLayout<Value>.size
    guard count > 0 else { return ([], []) }
    return withExtendedLifetime(memory) {
      let stride = MemoryLayout<Entry>.stride
      let alignment = MemoryLayout<Value>.alignment
      let first = UnsafeRawPointer(entry(0))
      func gather(from offset: Int, _ size: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: size * count) { octets, filled in
          guard let base = octets.baseAddress else { return }
          let target = UnsafeMutableRawPointer(base)
          for index in 0..<count {
            (target + index * size).copyMemory(from: first + index * stride + offset, byteCount: size)
          }
          filled = size * count
        }
      }
      // The value lies behind the key, where its alignment lets it.
      let valueOffset = (keySize + alignment - 1) & ~(alignment - 1)
      return (gather(from: 0, keySize), gather(from: valueOffset, valueSize))
    }
  }
}

extension FlatTable: Sequence {
  /// The entries in order.
  public func makeIterator() -> Iterator { Iterator(table: self) }

  public struct Iterator: IteratorProtocol {
    fileprivate let table: FlatTable
    private var index = 0

    fileprivate init(table: FlatTable) { self.table = table }

    public mutating func next() -> (key: Key, value: Value)? {
      guard index < table.count else { return nil }
      defer { index += 1 }
      return (table.keys[index], table.values[index])
    }
  }
}
