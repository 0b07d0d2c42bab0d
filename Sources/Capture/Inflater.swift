import CZlib
import CZstd

/// A gzip or zstd stream being decompressed; several members or frames in a row are one stream.
struct Inflater: ~Copyable {
  enum Codec {
    case gzip, zstd

    /// By the first four octets. Source: RFC 1952 section 2.3.1; RFC 8878 sections 3.1.1 and 3.1.2.
    init?(magic: [UInt8]) {
      guard magic.count >= 2 else { return nil }
      if magic[0] == 0x1f, magic[1] == 0x8b {
        self = .gzip
        return
      }
      guard magic.count >= 4, magic[2] == 0x2f || magic[2] == 0x2a else { return nil }
      let frame = magic[..<4].elementsEqual([0x28, 0xb5, 0x2f, 0xfd])
      let skippable = magic[0] & 0xf0 == 0x50 && magic[1] == 0x2a && magic[2] == 0x4d && magic[3] == 0x18
      guard frame || skippable else { return nil }
      self = .zstd
    }
  }

  enum Outcome {
    case produced(Int)
    case needsInput
    case failed(String)
  }

  private let codec: Codec
  private let input: UnsafeMutableRawPointer
  private let capacity = 65536
  private var start = 0
  private var end = 0
  // zlib keeps a pointer back to its z_stream, so that must not move.
  private let gzip: UnsafeMutablePointer<z_stream>
  private let zstd: OpaquePointer?
  /// Whether the stream may end here.
  private(set) var isBetweenFrames = true

  init(_ codec: Codec, file: String) throws(CaptureError) {
    self.codec = codec
    input = .allocate(byteCount: capacity, alignment: 16)
    gzip = .allocate(capacity: 1)
    gzip.initialize(to: z_stream())
    zstd = codec == .zstd ? ZSTD_createDCtx() : nil
    let ready =
      codec == .zstd
      ? zstd != nil
        // 15 bits of window, and 16 more to ask for the gzip wrapping.
      : inflateInit2_(gzip, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    guard ready else { throw CaptureError(file: file, reason: "no memory to decompress") }
  }

  deinit {
    if codec == .gzip { inflateEnd(gzip) } else { ZSTD_freeDCtx(zstd) }
    gzip.deallocate()
    input.deallocate()
  }

  /// Where compressed octets go; only when the last outcome was `needsInput`.
  var inputSpace: (UnsafeMutableRawPointer, Int) { (input, capacity) }

  mutating func supplied(_ octets: Int) {
    start = 0
    end = octets
  }

  mutating func inflate(into target: UnsafeMutableRawPointer, _ count: Int) -> Outcome {
    while start < end {
      let before = start
      let outcome = codec == .gzip ? gunzip(target, count) : unzstd(target, count)
      guard case .produced(0) = outcome else { return outcome }
      if start == before { return .failed("compressed data that leads nowhere") }
    }
    // What is still inside the decompressor may come out without new input.
    if !isBetweenFrames {
      let outcome = codec == .gzip ? gunzip(target, count) : unzstd(target, count)
      guard case .produced(0) = outcome else { return outcome }
    }
    return .needsInput
  }

  private mutating func gunzip(_ target: UnsafeMutableRawPointer, _ count: Int) -> Outcome {
    if isBetweenFrames {
      // Padding with zeros after the last member is common and means nothing.
      while start < end, input.load(fromByteOffset: start, as: UInt8.self) == 0 { start += 1 }
      guard start < end else { return .produced(0) }
      isBetweenFrames = false
    }
    gzip.pointee.next_in = (input + start).assumingMemoryBound(to: UInt8.self)
    gzip.pointee.avail_in = UInt32(end - start)
    gzip.pointee.next_out = target.assumingMemoryBound(to: UInt8.self)
    gzip.pointee.avail_out = UInt32(clamping: count)
    let code = CZlib.inflate(gzip, Z_NO_FLUSH)
    start = end - Int(gzip.pointee.avail_in)
    let produced = count - Int(gzip.pointee.avail_out)
    switch code {
    case Z_STREAM_END:
      isBetweenFrames = true
      inflateReset(gzip)
      return .produced(produced)
    case Z_OK, Z_BUF_ERROR: return .produced(produced)
    default: return .failed("broken gzip data")
    }
  }

  private mutating func unzstd(_ target: UnsafeMutableRawPointer, _ count: Int) -> Outcome {
    var source = ZSTD_inBuffer(src: input, size: end, pos: start)
    var output = ZSTD_outBuffer(dst: target, size: count, pos: 0)
    let code = ZSTD_decompressStream(zstd, &output, &source)
    start = source.pos
    if ZSTD_isError(code) != 0 { return .failed("broken zstd data") }
    isBetweenFrames = code == 0
    return .produced(output.pos)
  }
}
