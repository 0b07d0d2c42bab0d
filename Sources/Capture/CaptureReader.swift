/// Reads a capture, pcap or pcapng, plain or compressed, in pieces of 256 KiB; holds one piece at a time.
///
/// Every length in the file is held against what the file really has before it is believed: nothing traps, and
/// nothing is allocated beyond one record of at most `CaptureReader.largestRecord` octets.
public struct CaptureReader: ~Copyable {
  /// The longest packet that is believed, as libpcap has it (MAXIMUM_SNAPLEN).
  public static let largestPacket = 262_144
  /// The longest pcapng block that holds a packet, with room for options.
  static let largestRecord = 1 << 20
  static let pieceSize = 256 << 10

  enum Format {
    case unknown
    case pcap(PcapFormat)
    case pcapng(PcapngFormat)
  }

  var source: ByteSource
  var format = Format.unknown
  /// Read octets are in `start..<end` of the buffer.
  private var buffer: UnsafeMutableRawPointer
  private var capacity: Int
  private var start = 0
  private var end = 0
  /// The file offset of the octet at `start`.
  private var offset: UInt64 = 0
  /// How many octets the record at `start` needs before it can be read.
  private var needed = 4

  /// Opens a file; `-` is standard input.
  public init(path: String) throws(CaptureError) { self.init(source: try ByteSource(path: path)) }

  /// Reads octets in memory; `name` is for messages.
  public init(name: String, memory: [UInt8]) { self.init(source: ByteSource(name: name, memory: memory)) }

  init(source: consuming ByteSource) {
    // A file smaller than a piece needs no more room than it has.
    let room = min(source.size.map { Int(clamping: $0) + 1 } ?? Self.pieceSize, Self.pieceSize)
    capacity = max(room, 4096)
    buffer = .allocate(byteCount: capacity, alignment: 64)
    self.source = source
  }

  deinit { buffer.deallocate() }

  public var name: String { source.name }
  /// Octets of the file taken so far and its size, for a progress bar; size nil for a pipe.
  public var progress: (done: UInt64, size: UInt64?) { (source.position, source.size) }

  /// Hands every packet to `sink`; what came before an error has been handed on.
  public mutating func read<S: PacketSink & ~Copyable>(into sink: inout S) throws(CaptureError) {
    while try advance(into: &sink) {}
    try finish()
  }

  /// Reads one piece more and hands its complete packets on; false when there are no more octets now. A file that
  /// grows may be asked again later.
  public mutating func advance<S: PacketSink & ~Copyable>(into sink: inout S) throws(CaptureError) -> Bool {
    makeRoom()
    let octets = try source.fill(buffer + end, capacity - end)
    if octets == 0 { return false }
    end += octets
    if case .unknown = format {
      guard end - start >= 4 else { return true }
      format = try detect()
    }
    try parse(into: &sink)
    return true
  }

  /// To be called at the end: an error if the file stops in the middle of something.
  public func finish() throws(CaptureError) {
    if case .unknown = format {
      let reason = end == start ? "the file is empty" : "too short for a capture: \(end - start) octets"
      throw CaptureError(file: name, offset: 0, reason: reason)
    }
    if case .pcapng(let state) = format, state.skipping > 0 {
      throw CaptureError(file: name, offset: offset, reason: "cut: a block lacks \(state.skipping) octets")
    }
    if case .pcap(let state) = format, !state.headerRead {
      throw CaptureError(file: name, offset: 0, reason: "cut: \(end - start) of 24 octets of the file header")
    }
    guard end > start else { return }
    throw CaptureError(
      file: name, offset: offset, reason: "cut: \(end - start) octets of a record of \(needed) or more")
  }

  private func detect() throws(CaptureError) -> Format {
    let magic = UInt32(littleEndian: buffer.loadUnaligned(fromByteOffset: start, as: UInt32.self))
    if let classic = PcapFormat(magic: magic) { return .pcap(classic) }
    if magic == 0x0a0d_0d0a { return .pcapng(PcapngFormat()) }
    let octets = (0..<4).map { shift in
      let octet = UInt8(truncatingIfNeeded: magic >> UInt32(8 * shift))
      return (octet < 16 ? "0" : "") + String(octet, radix: 16)
    }
    throw CaptureError(
      file: name, offset: 0,
      reason: "not a capture: starts with \(octets.joined(separator: " ")), expected pcap "
        + "or pcapng")
  }

  /// Moves what is left to the front, and grows the buffer when the record there needs more than it has.
  private mutating func makeRoom() {
    if start > 0 {
      if end > start { buffer.copyMemory(from: buffer + start, byteCount: end - start) }
      end -= start
      start = 0
    }
    // Grow by what has arrived, not by what the record claims.
    guard end == capacity, capacity < Self.largestRecord + Self.pieceSize else { return }
    let larger = min(capacity * 2, Self.largestRecord + Self.pieceSize)
    let fresh = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 64)
    fresh.copyMemory(from: buffer, byteCount: end)
    buffer.deallocate()
    buffer = fresh
    capacity = larger
  }

  private mutating func parse<S: PacketSink & ~Copyable>(into sink: inout S) throws(CaptureError) {
    var piece = Piece(base: UnsafeRawPointer(buffer), start: start, end: end, offset: offset, needed: needed)
    var failure: Flaw?
    switch format {
    case .pcap(var state):
      failure = state.parse(&piece, into: &sink)
      format = .pcap(state)
    case .pcapng(var state):
      // Take the state out, so that its arrays are not copied when it changes them.
      format = .unknown
      failure = state.parse(&piece, into: &sink)
      format = .pcapng(state)
    case .unknown: break
    }
    start = piece.start
    offset = piece.offset
    needed = piece.needed
    if let failure { throw CaptureError(file: name, offset: failure.offset, reason: failure.reason) }
  }
}

/// What a format parser works on: octets `start..<end` from `base`; it moves `start` and `offset` over what it took.
struct Piece {
  let base: UnsafeRawPointer
  var start: Int
  let end: Int
  var offset: UInt64
  var needed: Int

  @inline(__always) var count: Int { end - start }

  @inline(__always) mutating func consume(_ octets: Int) {
    start += octets
    offset &+= UInt64(octets)
  }

  /// An integer `position` octets after `start`, which the caller has checked to be there.
  @inline(__always) func load<I: FixedWidthInteger>(_ position: Int, swapped: Bool, as: I.Type) -> I {
    let value = I(littleEndian: base.loadUnaligned(fromByteOffset: start + position, as: I.self))
    return swapped ? value.byteSwapped : value
  }
}

/// What is wrong in a file, and where.
struct Flaw {
  var offset: UInt64
  var reason: String
}
