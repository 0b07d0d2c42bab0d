import CLibbpf
import Glibc

/// What a map is: enough to make it, and to know whether two are alike.
struct MapShape: Sendable, Equatable {
  var type: UInt32
  var keySize: Int
  var valueSize: Int
  var maxEntries: UInt32
  var flags: UInt32

  /// Whether each CPU has a value of its own.
  var isPerCPU: Bool {
    type == BPF_MAP_TYPE_PERCPU_HASH.rawValue || type == BPF_MAP_TYPE_PERCPU_ARRAY.rawValue
      || type == BPF_MAP_TYPE_LRU_PERCPU_HASH.rawValue
  }

  var isLRU: Bool {
    type == BPF_MAP_TYPE_LRU_HASH.rawValue || type == BPF_MAP_TYPE_LRU_PERCPU_HASH.rawValue
  }

  /// An LRU map whose entries are shared out among the processors for good.
  var hasOwnLists: Bool { isLRU && flags & UInt32(BPF_F_NO_COMMON_LRU) != 0 }

  /// An array that programs count in, or keep notes in from run to run.
  var isCounterArray: Bool {
    type == BPF_MAP_TYPE_ARRAY.rawValue || type == BPF_MAP_TYPE_PERCPU_ARRAY.rawValue
  }

  /// Flags of maps that programs do not write, or that are written by way of memory.
  static let readOnlyOrMapped = UInt32(BPF_F_RDONLY_PROG) | UInt32(BPF_F_MMAPABLE)

  /// Hash maps and tries: entries come and go, and the size is only a bound.
  var isSizable: Bool {
    switch type {
    case BPF_MAP_TYPE_HASH.rawValue, BPF_MAP_TYPE_PERCPU_HASH.rawValue, BPF_MAP_TYPE_LRU_HASH.rawValue,
      BPF_MAP_TYPE_LRU_PERCPU_HASH.rawValue, BPF_MAP_TYPE_LPM_TRIE.rawValue,
      BPF_MAP_TYPE_HASH_OF_MAPS.rawValue:
      true
    default: false
    }
  }

  /// Octets of the value as the system call sees it: for per-CPU maps one, padded to 8, for each possible CPU.
  var transferSize: Int { isPerCPU ? (valueSize + 7) / 8 * 8 * Processors.possible : valueSize }
}

enum Processors {
  /// How many CPUs per-CPU values are kept for.
  static var possible: Int { max(1, Int(libbpf_num_possible_cpus())) }
}

/// A map in the kernel; it lives as long as somebody holds it.
final class BPFMap: Sendable {
  let name: String
  let shape: MapShape
  private let descriptor: Descriptor
  var raw: Int32 { descriptor.raw }

  /// Takes over a descriptor and asks the kernel what it is.
  init(name: String, _ descriptor: consuming Descriptor) throws(KernelError) {
    var info = bpf_map_info()
    var length = UInt32(MemoryLayout<bpf_map_info>.size)
    let result = bpf_obj_get_info_by_fd(descriptor.raw, &info, &length)
    guard result == 0 else { throw .system("bpf(BPF_OBJ_GET_INFO_BY_FD)", result, name) }
    shape = MapShape(
      type: info.type, keySize: Int(info.key_size), valueSize: Int(info.value_size),
      maxEntries: info.max_entries, flags: info.map_flags)
    self.name = name
    self.descriptor = descriptor
  }

  /// Makes a new map.
  static func create(name: String, _ shape: MapShape) throws(KernelError) -> BPFMap {
    var options = bpf_map_create_opts()
    options.sz = MemoryLayout<bpf_map_create_opts>.size
    options.map_flags = shape.flags
    let result = bpf_map_create(
      bpf_map_type(shape.type), String(name.prefix(15)), UInt32(shape.keySize), UInt32(shape.valueSize),
      shape.maxEntries, &options)
    return try BPFMap(name: name, Descriptor("bpf(BPF_MAP_CREATE)", result, name))
  }

  /// Sets one entry. `value` must have `shape.transferSize` octets.
  func update(_ key: UnsafeRawPointer, _ value: UnsafeRawPointer) throws(KernelError) {
    let result = bpf_map_update_elem(raw, key, value, 0)
    guard result == 0 else { throw .system("bpf(BPF_MAP_UPDATE_ELEM)", result, name) }
  }

  /// Sets an entry of a map of descriptors.
  func set(_ index: UInt32, to descriptor: Int32) throws(KernelError) {
    var index = index
    var descriptor = descriptor
    try update(&index, &descriptor)
  }

  /// Reads one entry into `value`; false when there is none.
  func lookup(_ key: UnsafeRawPointer, into value: UnsafeMutableRawPointer) throws(KernelError) -> Bool {
    let result = bpf_map_lookup_elem(raw, key, value)
    if result == -ENOENT { return false }
    guard result == 0 else { throw .system("bpf(BPF_MAP_LOOKUP_ELEM)", result, name) }
    return true
  }

  /// Removes one entry; a missing one is no error.
  func delete(_ key: UnsafeRawPointer) throws(KernelError) {
    let result = bpf_map_delete_elem(raw, key)
    guard result == 0 || result == -ENOENT else { throw .system("bpf(BPF_MAP_DELETE_ELEM)", result, name) }
  }

  /// Sets `count` entries in one call. Keys and values lie side by side; values have `shape.transferSize` octets.
  func updateAll(_ keys: UnsafeRawPointer, _ values: UnsafeRawPointer, count: Int) throws(KernelError) {
    var done = 0
    var options = bpf_map_batch_opts()
    options.sz = MemoryLayout<bpf_map_batch_opts>.size
    while done < count {
      var part = UInt32(clamping: count - done)
      let result = bpf_map_update_batch(
        raw, keys + done * shape.keySize, values + done * shape.transferSize, &part, &options)
      guard result == 0 else {
        throw .system("bpf(BPF_MAP_UPDATE_BATCH)", result, "\(name), \(part) of \(count - done) written")
      }
      done += Int(part)
    }
  }

  /// Every entry: keys and values (`shape.transferSize` each) side by side, in the kernel's order.
  func readAll() throws(KernelError) -> MapDump {
    var dump = MapDump(keySize: shape.keySize, valueSize: shape.transferSize)
    var part = min(Int(shape.maxEntries) + 8, 128)
    var cursor = [UInt64](repeating: 0, count: 8 + shape.keySize / 8)
    var next = cursor
    var isFirst = true
    var options = bpf_map_batch_opts()
    options.sz = MemoryLayout<bpf_map_batch_opts>.size
    while true {
      var count = UInt32(clamping: part)
      let space = dump.reserve(part)
      let result = cursor.withUnsafeMutableBytes { cursor in
        next.withUnsafeMutableBytes { next in
          bpf_map_lookup_batch(
            raw, isFirst ? nil : cursor.baseAddress, next.baseAddress, space.keys, space.values, &count,
            &options)
        }
      }
      if result == -ENOSPC {  // a bucket holds more than there is room for
        part *= 2
        continue
      }
      guard result == 0 || result == -ENOENT else {
        throw .system("bpf(BPF_MAP_LOOKUP_BATCH)", result, name)
      }
      dump.grow(by: Int(count))
      part = min(part * 4, 8192)
      if result == -ENOENT { return dump }
      swap(&cursor, &next)
      isFirst = false
    }
  }
}

/// Entries read from a map.
struct MapDump: ~Copyable {
  let keySize: Int
  let valueSize: Int
  private(set) var count = 0
  private var capacity = 0
  private(set) var keys: UnsafeMutableRawPointer
  private(set) var values: UnsafeMutableRawPointer

  init(keySize: Int, valueSize: Int) {
    self.keySize = keySize
    self.valueSize = valueSize
    keys = .allocate(byteCount: 8, alignment: 8)
    values = .allocate(byteCount: 8, alignment: 8)
  }

  deinit {
    keys.deallocate()
    values.deallocate()
  }

  func key(_ index: Int) -> UnsafeRawPointer { UnsafeRawPointer(keys + index * keySize) }
  func value(_ index: Int) -> UnsafeRawPointer { UnsafeRawPointer(values + index * valueSize) }

  /// Where the next `more` entries go.
  fileprivate mutating func reserve(
    _ more: Int
  ) -> (keys: UnsafeMutableRawPointer, values: UnsafeMutableRawPointer) {
    if count + more > capacity {
      capacity = max(count + more, capacity * 2)
      keys = Self.moved(keys, count * keySize, capacity * keySize)
      values = Self.moved(values, count * valueSize, capacity * valueSize)
    }
    return (keys + count * keySize, values + count * valueSize)
  }

  fileprivate mutating func grow(by more: Int) { count += more }

  private static func moved(
    _ old: UnsafeMutableRawPointer, _ used: Int, _ size: Int
  ) -> UnsafeMutableRawPointer {
    let new = UnsafeMutableRawPointer.allocate(byteCount: max(8, size), alignment: 8)
    new.copyMemory(from: old, byteCount: used)
    old.deallocate()
    return new
  }
}
