/// A key of a longest-prefix-match map.
public protocol LPMKey: MapKey {
  /// How many bits after the length field count.
  var prefixlen: UInt32 { get set }
  /// The key with all bits behind the first `length` cleared and `prefixlen` set to `length`.
  func masked(to length: UInt32) -> Self
  /// The largest length that occurs.
  static var maximumLength: UInt32 { get }
}

/// A longest-prefix-match map: one hash look-up for each prefix length that occurs, longest first.
///
/// Agrees with the kernel's LPM trie: the entry with the longest prefix of at most `key.prefixlen` bits that
/// `key` starts with.
@frozen
public struct LPMTable<Key: LPMKey, Value: MapValue>: Sendable {
  public internal(set) var entries = FlatTable<Key, Value>()
  @usableFromInline var countByLength: [Int]
  /// The lengths that occur, longest first.
  public internal(set) var lengths: [UInt32] = []

  public init() {
    countByLength = Array(repeating: 0, count: Int(Key.maximumLength) + 1)
  }

  public var count: Int { entries.count }

  public mutating func reserveCapacity(_ capacity: Int) { entries.reserveCapacity(capacity) }

  /// The entry stored under exactly this prefix; assigning nil removes it. Bits behind the prefix are cleared.
  public subscript(exactly key: Key) -> Value? {
    get { entries[key.masked(to: min(key.prefixlen, Key.maximumLength))] }
    set {
      let length = min(key.prefixlen, Key.maximumLength)
      let key = key.masked(to: length)
      let before = entries.count
      entries[key] = newValue
      let change = entries.count - before
      guard change != 0 else { return }
      countByLength[Int(length)] += change
      if countByLength[Int(length)] == (change > 0 ? 1 : 0) { updateLengths() }
    }
  }

  /// The longest match: the entry's index in `entries`.
  @inlinable @inline(__always)
  public func match(_ key: Key) -> Int? {
    for length in lengths where length <= key.prefixlen {
      if let index = entries.index(of: key.masked(to: length)) { return index }
    }
    return nil
  }

  /// The value of the longest match.
  @inlinable @inline(__always)
  public subscript(matching key: Key) -> Value? {
    guard let index = match(key) else { return nil }
    return entries.values[index]
  }

  private mutating func updateLengths() {
    lengths = countByLength.indices.reversed().filter { countByLength[$0] > 0 }.map(UInt32.init)
  }
}
