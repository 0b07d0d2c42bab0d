internal import MapABI

/// The octets of the packet during a run, in memory with room behind for what a program may append.
///
/// Every access is checked, as the kernel checks those of a program: a load outside of the packet finds nothing, a
/// store outside of it fails. The memory belongs to whoever started the run.
struct PacketBuffer {
  private let base: UnsafeMutableRawPointer
  private let capacity: Int
  private(set) var count: Int

  /// What a program can add to a frame at most: an ICMP error's headers and its padded sample.
  static let headroom = 96

  init(_ memory: UnsafeMutableRawBufferPointer, count: Int) {
    // An empty region has no address; a one-octet stand-in is never read, since every access is checked.
    base = memory.baseAddress ?? UnsafeMutableRawPointer(bitPattern: 8).unsafelyUnwrapped
    capacity = memory.count
    self.count = min(count, memory.count)
  }

  var octets: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

  /// `bpf_skb_load_bytes`: nil when the value does not lie in the packet.
  @inline(__always)
  func load<T: PlainOctets>(_ offset: Int, as type: T.Type) -> T? {
    guard offset >= 0, offset <= count &- MemoryLayout<T>.size else { return nil }
    return base.loadUnaligned(fromByteOffset: offset, as: type)
  }

  @inline(__always)
  func require<T: PlainOctets>(_ offset: Int, as type: T.Type) throws(Drop) -> T {
    guard let value = load(offset, as: type) else { throw Drop(.invalid) }
    return value
  }

  /// `bpf_skb_store_bytes`: false when the place does not lie in the packet.
  @inline(__always)
  func store<T: PlainOctets>(_ value: T, _ offset: Int) -> Bool {
    guard offset >= 0, offset <= count &- MemoryLayout<T>.size else { return false }
    base.storeBytes(of: value, toByteOffset: offset, as: T.self)
    return true
  }

  @inline(__always)
  func write<T: PlainOctets>(_ value: T, _ offset: Int) throws(Drop) {
    guard store(value, offset) else { throw Drop(.writeError) }
  }

  /// Six octets of an Ethernet address, in the upper 48 bits of a word in network order.
  @inline(__always)
  func loadMAC(_ offset: Int) -> MACWord? {
    guard let high = load(offset, as: UInt32.self), let low = load(offset + 4, as: UInt16.self) else {
      return nil
    }
    return MACWord(first: high, last: low)
  }

  @inline(__always)
  func storeMAC(_ mac: MACWord, _ offset: Int) -> Bool {
    guard offset >= 0, offset <= count &- 6 else { return false }
    return store(mac.first, offset) && store(mac.last, offset + 4)
  }

  /// `bpf_skb_change_tail`: cuts the packet, or appends zeros. Fails below the network header and above 64 KiB.
  mutating func changeLength(to length: Int, networkOffset: Int) -> Bool {
    guard length >= networkOffset, length <= capacity, length <= 65_536 else { return false }
    if length > count {
      UnsafeMutableRawBufferPointer(start: base + count, count: length - count)
        .initializeMemory(as: UInt8.self, repeating: 0)
    }
    count = length
    return true
  }

  /// `bpf_skb_adjust_room` behind the Ethernet header: opens a gap of zeros. Fails when there is no room.
  mutating func insert(_ length: Int, at offset: Int) -> Bool {
    guard length >= 0, offset <= count, count + length <= capacity else { return false }
    (base + offset + length).copyMemory(from: base + offset, byteCount: count - offset)
    UnsafeMutableRawBufferPointer(start: base + offset, count: length)
      .initializeMemory(as: UInt8.self, repeating: 0)
    count += length
    return true
  }

  /// The first octets as an array, for an event.
  func prefix(_ length: Int) -> [UInt8] { Array(octets.prefix(length)) }
}

/// A value that is nothing but its octets, without padding: what may be read from and written to a packet.
protocol PlainOctets {}

extension UInt8: PlainOctets {}
extension UInt16: PlainOctets {}
extension UInt32: PlainOctets {}
extension UInt64: PlainOctets {}
extension AddressWords: PlainOctets {}

/// An Ethernet address as two words of the frame: no shifting on the way from map to packet.
struct MACWord: Equatable {
  var first: UInt32
  var last: UInt16
}

/// A packet's end, thrown up to the stage that reports it: Cilium's functions return it as a negative number.
struct Drop: Error {
  var reason: UInt8

  @inline(__always)
  init(_ reason: DropReason) { self.reason = reason.rawValue }

  @inline(__always)
  init(code: UInt8) { reason = code }
}
