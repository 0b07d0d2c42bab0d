/// Writes a selection of packets into a new pcapng capture, each with its identity as a comment.
///
/// Blocks are laid out in one large piece of memory, comments are made once per tunnel: a packet costs two copies and
/// a handful of stores.
public struct PacketExtract: ~Copyable {
  public enum Content: Sendable {
    /// The packet as it was captured.
    case whole
    /// The frame that the tunnel carried; packets outside tunnels are left out.
    case inner
  }

  private var file: OutputFile
  private let content: Content
  private var comments: TunnelComments
  /// The section, and the interfaces as link types come up; few, so looking through them is cheap.
  private var writer = PcapngWriter()
  private var interfaces: [LinkType] = []

  private var buffer: UnsafeMutableRawPointer
  private var capacity = 2 * Self.pieceSize
  private var count = 0
  /// What is written at once. All writes start at multiples of it: the kernel then keeps the file in large pages, and
  /// needs a third of the time.
  private static let pieceSize = 512 << 10

  /// The first error; nothing is written after it.
  public private(set) var failure: CaptureError?

  public init(path: String, content: Content, names: ReportNames) throws(CaptureError) {
    file = try OutputFile(path: path)
    self.content = content
    comments = TunnelComments(names.identities)
    buffer = .allocate(byteCount: capacity, alignment: 64)
  }

  deinit { buffer.deallocate() }

  /// Adds a packet that the decoder took quickly.
  @inline(__always)
  mutating func put(_ packet: CapturedPacket, _ quick: Decoder.QuickCount, _ decoder: borrowing Decoder) {
    let tunnel = comments.range(of: quick.tunnel, decoder)
    switch content {
    case .whole: add(packet.octets, packet.original, packet.time, .ethernet, tunnel)
    case .inner:
      let inner = UnsafeRawBufferPointer(start: packet.base + 50, count: quick.innerLength)
      add(inner, quick.innerLength, packet.time, .ethernet, tunnel)
    }
  }

  /// Adds a packet by its dissection; `number` is that of its tunnel.
  mutating func put(
    _ packet: CapturedPacket, _ dissection: TunnelDissection, _ number: UInt32?, _ decoder: borrowing Decoder
  ) {
    guard case .tunnel(let tunnel) = dissection, let number else {
      if content == .whole { add(packet.octets, packet.original, packet.time, packet.linkType, 0..<0) }
      return
    }
    let range = comments.range(of: number, decoder)
    guard content == .inner else {
      return add(packet.octets, packet.original, packet.time, packet.linkType, range)
    }
    let start = min(tunnel.innerOffset, packet.captured)
    let end = min(packet.captured, start + tunnel.innerLength)
    add(
      UnsafeRawBufferPointer(rebasing: packet.octets[start..<end]), tunnel.innerLength, packet.time,
      tunnel.innerIsEthernet ? .ethernet : .raw, range)
  }

  @inline(__always)
  private mutating func add(
    _ octets: UnsafeRawBufferPointer, _ original: Int, _ time: UInt64, _ linkType: LinkType,
    _ comment: Range<Int>
  ) {
    let interface = interfaces.firstIndex(of: linkType) ?? declare(linkType)
    let size = PacketBlock.size(octets.count, comment.count)
    if count + size > capacity { grow(to: count + size) }
    let block = PacketBlock(interface: interface, time: time, originalLength: original)
    comments.withOctets(comment) { block.store(to: buffer + count, octets, $0) }
    count += size
    if count >= Self.pieceSize { drain(count / Self.pieceSize * Self.pieceSize) }
  }

  /// Adds an interface for a link type; before the first one goes the section's start.
  @inline(never)
  private mutating func declare(_ linkType: LinkType) -> Int {
    interfaces.append(linkType)
    let number = writer.addInterface(name: "\(linkType)", linkType: linkType)
    takeHeaders()
    return number
  }

  private mutating func takeHeaders() {
    if count + writer.bytes.count > capacity { grow(to: count + writer.bytes.count) }
    writer.bytes.withUnsafeBytes {
      if let base = $0.baseAddress { (buffer + count).copyMemory(from: base, byteCount: $0.count) }
    }
    count += writer.bytes.count
    writer.removeAll()
  }

  @inline(never)
  private mutating func grow(to size: Int) {
    let larger = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 64)
    larger.copyMemory(from: buffer, byteCount: count)
    buffer.deallocate()
    (buffer, capacity) = (larger, size)
  }

  /// Writes the first octets of what waits, and moves the rest to the front.
  @inline(never)
  private mutating func drain(_ octets: Int) {
    if failure == nil {
      do { try file.write(UnsafeRawBufferPointer(start: buffer, count: octets)) } catch { failure = error }
    }
    count -= octets
    if count > 0 { buffer.copyMemory(from: buffer + octets, byteCount: count) }
  }

  /// Writes what is left and gives the file its name.
  public mutating func finish() throws(CaptureError) {
    takeHeaders()
    drain(count)
    if let failure { throw failure }
    try file.commit()
  }
}
