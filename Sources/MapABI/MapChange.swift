/// One change of one map: what a program, or the agent, did to it.
///
/// Key and value are held inline as octets, so that a change costs no allocation; `key(as:)` and `value(as:)` give
/// the typed forms. Octets behind the key's and value's size are zero.
@frozen
public struct MapChange: Sendable, BitwiseCopyable {
  public enum Operation: UInt8, Sendable, BitwiseCopyable {
    /// The entry is set to the value.
    case put
    /// The entry is removed; the value is zero.
    case delete
    /// The value, two 64-bit counters, is added to the entry (created when missing).
    case add
  }

  public var map: MapID
  public var operation: Operation
  /// The endpoint whose map it is, when each endpoint has its own; else 0.
  public var endpoint: UInt16
  public var keyWords: InlineArray<5, UInt64>
  public var valueWords: InlineArray<7, UInt64>

  @inlinable @inline(__always)
  public init<Key: MapKey, Value: MapValue>(
    put value: Value, at key: Key, in map: MapID, endpoint: UInt16 = 0
  ) {
    self.init(map: map, operation: .put, endpoint: endpoint, key: key, value: value)
  }

  @inlinable @inline(__always)
  public init<Key: MapKey>(delete key: Key, in map: MapID, endpoint: UInt16 = 0) {
    self.init(map: map, operation: .delete, endpoint: endpoint, key: key, value: UInt8(0))
  }

  @inlinable @inline(__always)
  public init<Key: MapKey>(add counters: Counters, to key: Key, in map: MapID) {
    self.init(map: map, operation: .add, endpoint: 0, key: key, value: counters)
  }

  @inlinable @inline(__always)
  init<Key: MapKey, Value: MapValue>(
    map: MapID, operation: Operation, endpoint: UInt16, key: Key, value: Value
  ) {
    self.map = map
    self.operation = operation
    self.endpoint = endpoint
    keyWords = InlineArray(repeating: 0)
    valueWords = InlineArray(repeating: 0)
    withUnsafeMutableBytes(of: &keyWords) { words in
      withUnsafeBytes(of: key) { words.copyMemory(from: $0) }
    }
    withUnsafeMutableBytes(of: &valueWords) { words in
      withUnsafeBytes(of: value) { words.copyMemory(from: $0) }
    }
  }

  /// A change from octets, as read back from a kernel map; nil when the sizes are not the map's.
  public init?(map: MapID, operation: Operation, endpoint: UInt16 = 0, key: [UInt8], value: [UInt8]) {
    guard key.count == map.keySize, value.count == (operation == .delete ? 0 : map.valueSize) else {
      return nil
    }
    self.map = map
    self.operation = operation
    self.endpoint = endpoint
    keyWords = InlineArray(repeating: 0)
    valueWords = InlineArray(repeating: 0)
    withUnsafeMutableBytes(of: &keyWords) { $0.copyBytes(from: key) }
    withUnsafeMutableBytes(of: &valueWords) { $0.copyBytes(from: value) }
  }

  @inlinable @inline(__always)
  public func key<Key: MapKey>(as type: Key.Type) -> Key {
    withUnsafeBytes(of: keyWords) { $0.loadUnaligned(as: type) }
  }

  @inlinable @inline(__always)
  public func value<Value: MapValue>(as type: Value.Type) -> Value {
    withUnsafeBytes(of: valueWords) { $0.loadUnaligned(as: type) }
  }

  /// The key's octets.
  public var keyBytes: [UInt8] { withUnsafeBytes(of: keyWords) { Array($0.prefix(map.keySize)) } }
  /// The value's octets; none for a removal.
  public var valueBytes: [UInt8] {
    operation == .delete ? [] : withUnsafeBytes(of: valueWords) { Array($0.prefix(map.valueSize)) }
  }
}

extension MapChange: Equatable {
  public static func == (a: Self, b: Self) -> Bool {
    guard a.map == b.map, a.operation == b.operation, a.endpoint == b.endpoint else { return false }
    for index in a.keyWords.indices where a.keyWords[index] != b.keyWords[index] { return false }
    for index in a.valueWords.indices where a.valueWords[index] != b.valueWords[index] { return false }
    return true
  }
}
