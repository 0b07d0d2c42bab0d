import Datapath
import MapABI

/// What a kernel map holds, compared with a table.
struct MapDifference: ~Copyable, TableVisitor {
  let codec: ValueCodec
  private let dump: MapDump
  let endpoint: UInt16
  /// What turns the table into the kernel's contents, ascending by key octets.
  private(set) var changes: [MapChange] = []
  /// The kernel's values of the entries that differ; nil where it has none.
  private(set) var values: [MapEntryKey: [UInt8]?] = [:]

  init(codec: ValueCodec, dump: consuming MapDump, endpoint: UInt16) {
    self.codec = codec
    self.dump = dump
    self.endpoint = endpoint
  }

  mutating func visit<Key: MapKey, Value: MapValue>(_ table: FlatTable<Key, Value>) {
    var found = 0
    var decoded = [UInt8](repeating: 0, count: MemoryLayout<Value>.size)
    for index in 0..<dump.count {
      let key = dump.key(index).loadUnaligned(as: Key.self)
      decode(index, into: &decoded)
      guard let known = table[key] else {
        record(key, decoded, before: nil)
        continue
      }
      found += 1
      withUnsafeBytes(of: known) { known in
        if !known.elementsEqual(decoded) { record(key, decoded, before: Array(known)) }
      }
    }
    if found < table.count { recordRemovals(table) }
    changes.sort { $0.keyBytes.lexicographicallyPrecedes($1.keyBytes) }
  }

  private func decode(_ index: Int, into decoded: inout [UInt8]) {
    decoded.withUnsafeMutableBytes { target in
      if let to = target.baseAddress { codec.decode(dump.value(index), into: to) }
    }
  }

  private mutating func record<Key: MapKey>(_ key: Key, _ value: [UInt8], before: [UInt8]?) {
    let keyBytes = withUnsafeBytes(of: key) { Array($0) }
    var value = value
    let after = value
    if codec.map.isCounter, let before { Self.subtract(before, from: &value) }
    let operation: MapChange.Operation = codec.map.isCounter ? .add : .put
    guard
      let change = MapChange(
        map: codec.map, operation: operation, endpoint: endpoint, key: keyBytes, value: value)
    else { return }
    changes.append(change)
    values[MapEntryKey(change)] = .some(after)
  }

  private mutating func recordRemovals<Key: MapKey, Value: MapValue>(_ table: FlatTable<Key, Value>) {
    var present: Set<[UInt8]> = []
    for index in 0..<dump.count {
      present.insert(Array(UnsafeRawBufferPointer(start: dump.key(index), count: dump.keySize)))
    }
    for key in table.keys {
      guard !present.contains(withUnsafeBytes(of: key) { Array($0) }) else { continue }
      let change = MapChange(delete: key, in: codec.map, endpoint: endpoint)
      changes.append(change)
      values[MapEntryKey(change)] = .some(nil)
    }
  }

  private static func subtract(_ before: [UInt8], from value: inout [UInt8]) {
    value.withUnsafeMutableBytes { value in
      before.withUnsafeBytes { before in
        for offset in stride(from: 0, to: min(value.count, before.count) - 7, by: 8) {
          let difference =
            value.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            &- before.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
          value.storeBytes(of: difference, toByteOffset: offset, as: UInt64.self)
        }
      }
    }
  }
}

extension NodeMapSet {
  /// Compares the kernel's map with its table. An endpoint without policy and a map that no program uses are alike.
  func difference(
    _ map: MapID, endpoint: UInt16 = 0, _ maps: borrowing NodeMaps
  ) throws(KernelError) -> MapDifference? {
    guard let target = self[map, endpoint] else { return nil }
    var difference = MapDifference(
      codec: codec(map, target), dump: try target.readAll(), endpoint: endpoint)
    if map == .policy && maps.policies[endpoint] == nil {
      difference.visit(FlatTable<PolicyKey, PolicyEntry>())
    } else {
      maps.visit(map, endpoint: endpoint, &difference)
    }
    return difference
  }
}
