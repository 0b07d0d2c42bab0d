/// One direction of a conversation: who sent to whom, in which tunnel.
struct FlowKey: Hashable {
  /// Two IPv4 addresses, or two numbers of the address table; source in the upper half.
  var ends: UInt64
  /// Source port, destination port (16 bits each), tunnel number (32).
  var ports: UInt64
  /// The kind of frame in bits 8–15, the IP protocol in bits 0–7; 16 bits used.
  var kind: UInt64

  enum Kind {
    static let ipv4: UInt64 = 0
    static let ipv6: UInt64 = 1 << 8
    static let arp: UInt64 = 2 << 8
    /// `ports` holds the Ethernet type where the destination port stands.
    static let other: UInt64 = 3 << 8
    /// Set besides one of the others in packets with a direct-server-return option; no part of the key.
    static let mask: UInt64 = 3 << 8
  }

  @inline(__always)
  func hash(_ seed: UInt64) -> UInt64 { mixed(ends, ports ^ kind << 20, seed) }
}

/// Flows in the order of their first packet: 48 octets each, and at most 10 of index.
struct FlowTable: ~Copyable {
  struct Entry {
    var ends: UInt64
    var ports: UInt64
    /// Packets in the upper 48 bits, the key's kind in the lower 16.
    var kindAndPackets: UInt64
    var bytes: UInt64
    var first: UInt64
    var last: UInt64

    @inline(__always) var key: FlowKey { FlowKey(ends: ends, ports: ports, kind: kindAndPackets & 0xffff) }
    var packets: UInt64 { kindAndPackets >> 16 }
    var tunnel: Int { Int(ports & 0xffff_ffff) }
  }

  /// A packet waiting to be counted.
  struct Pending {
    var key: FlowKey
    var bytes: UInt64
    var time: UInt64
    var hash: UInt64
    /// Where its entry was looked for first; 0 if that slot was free.
    var candidate: UInt32
    var hit: Bool
  }

  static let batchSize = 64

  private var index = SlotIndex(capacity: 1024)
  private var total = 0
  private var entries = EntryArray<Entry>(capacity: 1024)
  private let batch: UnsafeMutablePointer<Pending>
  private var waiting = 0

  init() {
    batch = .allocate(capacity: Self.batchSize)
    let empty = Pending(
      key: FlowKey(ends: 0, ports: 0, kind: 0), bytes: 0, time: 0, hash: 0, candidate: 0, hit: false)
    batch.initialize(repeating: empty, count: Self.batchSize)
  }

  deinit { batch.deallocate() }

  /// Flows counted; call `flush` first.
  var count: Int { total }
  subscript(number: Int) -> Entry { entries.base[number] }

  /// Counts a packet, at the latest when `flush` is called.
  @inline(__always)
  mutating func count(_ key: FlowKey, bytes: UInt64, time: UInt64) {
    batch[waiting] = Pending(
      key: key, bytes: bytes, time: time, hash: key.hash(index.seed), candidate: 0, hit: false)
    waiting += 1
    if waiting == Self.batchSize { flush() }
  }

  /// Counts what waits. Tables of many flows do not fit the caches: the loads of a whole batch are issued one after
  /// the other before any result is needed, so that their misses overlap.
  @inline(never)
  mutating func flush() {
    let (slots, mask) = (index.slots, index.mask)
    for position in 0..<waiting {
      batch[position].candidate = slots[Int(truncatingIfNeeded: batch[position].hash) & mask]
    }
    for position in 0..<waiting {
      let candidate = Int(batch[position].candidate)
      batch[position].hit = candidate != 0 && entries.base[candidate - 1].key == batch[position].key
    }
    for position in 0..<waiting {
      let pending = batch[position]
      if pending.hit { update(Int(pending.candidate) - 1, pending) } else { countSlowly(pending) }
    }
    waiting = 0
  }

  /// Counts what waits and gives the index's memory back: nothing can be counted afterwards.
  mutating func close() {
    flush()
    index = SlotIndex(capacity: 16)
  }

  @inline(__always)
  private func update(_ number: Int, _ pending: Pending) {
    let entry = entries.base + number
    entry.pointee.kindAndPackets &+= 1 << 16
    entry.pointee.bytes &+= pending.bytes
    if pending.time > entry.pointee.last { entry.pointee.last = pending.time }
    if pending.time < entry.pointee.first { entry.pointee.first = pending.time }
  }

  private mutating func countSlowly(_ pending: Pending) {
    let base = entries.base
    // Not the hash that waits: the seed may have changed since.
    var place = index.find(pending.key.hash(index.seed)) { base[$0].key == pending.key }
    if let number = place.entry { return update(number, pending) }
    if index.isFull || place.probes > 512 {
      index.rebuild(growing: index.isFull) { base[$0].key.hash($1) }
      place = index.find(pending.key.hash(index.seed)) { _ in false }
    }
    entries.reserve(index.count + 1)
    let number = index.insert(at: place.slot)
    total = number + 1
    (entries.base + number).initialize(
      to: Entry(
        ends: pending.key.ends, ports: pending.key.ports, kindAndPackets: pending.key.kind | 1 << 16,
        bytes: pending.bytes, first: pending.time, last: pending.time))
  }
}
