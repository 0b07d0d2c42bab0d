import CLibbpf

/// An array map of one entry, its value mapped into our memory: written and read without a system call.
struct MappedArray: ~Copyable {
  private let mapping: SharedMapping

  /// `map` must be an array with BPF_F_MMAPABLE and a value of at least `size` octets.
  init(_ map: BPFMap, size: Int) throws(KernelError) {
    guard map.shape.flags & UInt32(BPF_F_MMAPABLE) != 0, map.shape.valueSize >= size else {
      throw KernelError(
        .object, call: "map layout",
        detail: "\(map.name): a memory-mapped array of \(size) octets is expected, found "
          + "\(map.shape.valueSize) octets, flags \(map.shape.flags)")
    }
    let stride = (map.shape.valueSize + 7) / 8 * 8
    mapping = try SharedMapping(
      map.raw, count: SharedMapping.pages(stride * Int(map.shape.maxEntries)), of: map.name)
  }

  /// The value of entry 0.
  var value: UnsafeMutableRawPointer { mapping.base }

  /// Sets the value of entry 0, or as much of it as `T` covers.
  func store<T: BitwiseCopyable>(_ value: T) { mapping.base.storeBytes(of: value, as: T.self) }

  /// The value of entry 0, or as much of it as `T` covers.
  func load<T: BitwiseCopyable>(as type: T.Type) -> T { mapping.base.load(as: type) }

  /// One that several values may hold.
  final class Shared {
    let array: MappedArray
    init(_ array: consuming MappedArray) { self.array = array }
  }
}
