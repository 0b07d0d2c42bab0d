import MapABI

/// Turns a table's values into what a kernel map takes, and back: layout, clock, per-CPU copies.
struct ValueCodec {
  let map: MapID
  let shape: MapShape
  let layout: ValueLayout?
  var shift: ClockShift

  /// Whether values go over as they are.
  var isIdentity: Bool {
    layout == nil && !shape.isPerCPU && (shift == .none || !ClockShift.maps.contains(map))
  }

  /// Writes the kernel's form of `value` (`shape.transferSize` octets): for per-CPU maps, all of it on CPU 0.
  func encode(_ value: UnsafeRawPointer, into target: UnsafeMutableRawPointer) {
    target.initializeMemory(as: UInt8.self, repeating: 0, count: shape.transferSize)
    withScratch { scratch in
      scratch.copyMemory(from: value, byteCount: map.valueSize)
      shift.apply(to: scratch, of: map)
      if let layout {
        layout.encode(scratch, into: target)
      } else {
        target.copyMemory(from: scratch, byteCount: map.valueSize)
      }
    }
  }

  /// Reads the kernel's form into `map.valueSize` octets: for per-CPU counters, the sum.
  func decode(_ source: UnsafeRawPointer, into value: UnsafeMutableRawPointer) {
    if shape.isPerCPU {
      sum(source, into: value)
    } else if let layout {
      layout.decode(source, into: value, size: map.valueSize)
    } else {
      value.copyMemory(from: source, byteCount: map.valueSize)
    }
    shift.inverse.apply(to: value, of: map)
  }

  private func sum(_ source: UnsafeRawPointer, into value: UnsafeMutableRawPointer) {
    let stride = (shape.valueSize + 7) / 8 * 8
    value.initializeMemory(as: UInt8.self, repeating: 0, count: map.valueSize)
    for cpu in 0..<Processors.possible {
      for offset in Swift.stride(from: 0, to: map.valueSize - 7, by: 8) {
        let part = (source + cpu * stride + offset).loadUnaligned(as: UInt64.self)
        let total = (value + offset).loadUnaligned(as: UInt64.self)
        (value + offset).storeBytes(of: total &+ part, as: UInt64.self)
      }
    }
  }

  private func withScratch(_ body: (UnsafeMutableRawPointer) -> Void) {
    withUnsafeTemporaryAllocation(byteCount: max(8, map.valueSize), alignment: 8) { buffer in
      if let base = buffer.baseAddress { body(base) }
    }
  }
}

/// Fills a kernel map with a table's entries, by batch.
struct BatchFill: TableVisitor {
  let target: BPFMap
  let codec: ValueCodec

  mutating func visit<Key: MapKey, Value: MapValue>(_ table: FlatTable<Key, Value>) throws(KernelError) {
    guard table.count > 0 else { return }
    let plain = table.octets()
    if codec.isIdentity {
      try lend(plain.keys, plain.values, count: table.count)
      return
    }
    let size = codec.shape.transferSize
    let valueSize = MemoryLayout<Value>.size
    var values = [UInt8](repeating: 0, count: size * table.count)
    values.withUnsafeMutableBytes { values in
      plain.values.withUnsafeBytes { plain in
        guard let from = plain.baseAddress, let to = values.baseAddress else { return }
        for index in 0..<table.count {
          codec.encode(from + index * valueSize, into: to + index * size)
        }
      }
    }
    try lend(plain.keys, values, count: table.count)
  }

  private func lend(_ keys: [UInt8], _ values: [UInt8], count: Int) throws(KernelError) {
    var outcome: Result<Void, KernelError> = .success(())
    keys.withUnsafeBytes { keys in
      values.withUnsafeBytes { values in
        guard let keys = keys.baseAddress, let values = values.baseAddress else { return }
        do throws(KernelError) {
          try target.updateAll(keys, values, count: count)
        } catch {
          outcome = .failure(error)
        }
      }
    }
    try outcome.get()
  }
}

/// Finds one entry's value in a table, as octets.
struct EntryLookup: TableVisitor {
  let key: InlineArray<5, UInt64>
  private(set) var value: [UInt8]?

  init(_ key: InlineArray<5, UInt64>) { self.key = key }

  mutating func visit<Key: MapKey, Value: MapValue>(_ table: FlatTable<Key, Value>) {
    let typed = withUnsafeBytes(of: key) { $0.loadUnaligned(as: Key.self) }
    value = table[typed].map { withUnsafeBytes(of: $0) { Array($0) } }
  }
}
