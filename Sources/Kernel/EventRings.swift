import CLibbpf
import Glibc

/// The rings behind a perf event array (`cilium_events`): one for each CPU, read from memory without a system call.
///
/// The programs' records appear in the ring of the CPU that ran them; nobody is woken.
struct EventRings: ~Copyable {
  private let rings: UnsafeMutablePointer<Ring>
  private var count = 0
  /// Records that did not fit since the last `drain`.
  private(set) var lost: UInt64 = 0

  /// Opens a ring for every online CPU and puts it into `map`. `pages` must be a power of two.
  init(_ map: BPFMap, pages: Int = 64) throws(KernelError) {
    rings = .allocate(capacity: max(1, Int(map.shape.maxEntries)))
    for cpu in 0..<min(Processors.possible, Int(map.shape.maxEntries)) {
      let result = ciliate_perf_output_open(Int32(cpu))
      if result == -ENODEV { continue }
      let ring = try Ring(Descriptor("perf_event_open", result, "cpu \(cpu)"), pages: pages)
      try map.set(UInt32(cpu), to: ring.descriptor.raw)
      (rings + count).initialize(to: ring)
      count += 1
    }
  }

  deinit {
    rings.deinitialize(count: count)
    rings.deallocate()
  }

  /// Hands over every record written since the last time, and gives its room back.
  @inline(__always)
  mutating func drain(_ body: (UnsafeRawBufferPointer) -> Void) {
    for index in 0..<count { lost &+= rings[index].drain(body) }
  }

  /// Forgets what has been written.
  mutating func discard() { drain { _ in } }
}

/// One CPU's ring: a page of bookkeeping, then the data.
private struct Ring: ~Copyable {
  let descriptor: Descriptor
  private let mapping: SharedMapping
  private let data: UnsafeMutableRawPointer
  private let size: Int
  private var tail: UInt = 0
  private var scratch: [UInt8] = []

  init(_ descriptor: consuming Descriptor, pages: Int) throws(KernelError) {
    let page = SharedMapping.pageSize
    mapping = try SharedMapping(descriptor.raw, count: (pages + 1) * page, of: "perf ring")
    self.descriptor = descriptor
    size = pages * page
    data = mapping.base + page
  }

  private var page: UnsafeMutablePointer<perf_event_mmap_page> {
    mapping.base.assumingMemoryBound(to: perf_event_mmap_page.self)
  }

  /// Returns how many records were lost.
  @inline(__always)
  mutating func drain(_ body: (UnsafeRawBufferPointer) -> Void) -> UInt64 {
    let head = ciliate_ring_head(page)
    guard head != tail else { return 0 }
    return read(until: head, body)
  }

  private mutating func read(until head: UInt, _ body: (UnsafeRawBufferPointer) -> Void) -> UInt64 {
    var lost: UInt64 = 0
    while head &- tail >= UInt(MemoryLayout<perf_event_header>.size) {
      let header = word(at: tail)
      let type = UInt32(truncatingIfNeeded: header)
      let length = UInt(header >> 48)
      guard length >= 8, length <= head &- tail else { break }
      switch type {
      case PERF_RECORD_SAMPLE.rawValue:
        let count = Int(UInt32(truncatingIfNeeded: word(at: tail &+ 8)))
        if 12 + count <= Int(length) { lend(tail &+ 12, count, body) }
      case PERF_RECORD_LOST.rawValue:
        lost &+= word(at: tail &+ 16)
      default: break
      }
      tail &+= length
    }
    tail = head
    ciliate_ring_release(page, head)
    return lost
  }

  /// Records are aligned to eight octets, so a word never wraps.
  private func word(at position: UInt) -> UInt64 {
    data.load(fromByteOffset: Int(position & UInt(size - 1)), as: UInt64.self)
  }

  private mutating func lend(_ position: UInt, _ count: Int, _ body: (UnsafeRawBufferPointer) -> Void) {
    let start = Int(position & UInt(size - 1))
    if start + count <= size {
      body(UnsafeRawBufferPointer(start: data + start, count: count))
      return
    }
    scratch.removeAll(keepingCapacity: true)
    scratch.append(contentsOf: UnsafeRawBufferPointer(start: data + start, count: size - start))
    scratch.append(contentsOf: UnsafeRawBufferPointer(start: data, count: start + count - size))
    scratch.withUnsafeBytes(body)
  }
}
