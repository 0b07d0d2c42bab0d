/// A key and a value, as labels and annotations have them.
public struct Label: Hashable, Sendable, Comparable {
  public let key: String
  public let value: String

  public init(_ key: String, _ value: String) {
    self.key = key
    self.value = value
  }

  public static func < (a: Self, b: Self) -> Bool { (a.key, a.value) < (b.key, b.value) }
}

/// Labels (or annotations): each key once, in order of the keys' octets, so that iteration is the same in every
/// run.
public struct Labels: Hashable, Sendable {
  private var entries: [Label] = []

  public init() {}

  /// Later entries win over earlier ones of the same key.
  public init(_ pairs: some Sequence<(String, String)>) {
    self.init(labels: pairs.map { Label($0, $1) })
  }

  /// Later entries win over earlier ones of the same key.
  public init(labels: some Sequence<Label>) {
    // By key, and by position among equal keys: sorting is not stable by itself.
    let ordered = labels.enumerated().sorted { ($0.element.key, $0.offset) < ($1.element.key, $1.offset) }
    for (_, label) in ordered {
      if entries.last?.key == label.key { entries.removeLast() }
      entries.append(label)
    }
  }

  public subscript(key: String) -> String? {
    get {
      let position = position(of: key)
      return position < entries.count && entries[position].key == key ? entries[position].value : nil
    }
    set {
      let position = position(of: key)
      let found = position < entries.count && entries[position].key == key
      switch (found, newValue) {
      case (true, let value?): entries[position] = Label(key, value)
      case (true, nil): entries.remove(at: position)
      case (false, let value?): entries.insert(Label(key, value), at: position)
      case (false, nil): break
      }
    }
  }

  public func contains(key: String) -> Bool { self[key] != nil }

  public var keys: [String] { entries.map(\.key) }

  /// These labels with those of `other` added; `other` wins.
  public func merging(_ other: Labels) -> Labels {
    var result = self
    for label in other { result[label.key] = label.value }
    return result
  }

  /// The first position whose key is not below `key`.
  private func position(of key: String) -> Int {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].key < key { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension Labels: RandomAccessCollection {
  public var startIndex: Int { entries.startIndex }
  public var endIndex: Int { entries.endIndex }
  public subscript(position: Int) -> Label { entries[position] }
}

extension Labels: ExpressibleByDictionaryLiteral {
  public init(dictionaryLiteral elements: (String, String)...) { self.init(elements) }
}

extension Labels: CustomStringConvertible {
  /// `a=b,c=d`, as kubectl prints them.
  public var description: String { entries.map { "\($0.key)=\($0.value)" }.joined(separator: ",") }
}
