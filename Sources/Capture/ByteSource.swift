import Glibc

/// Where a capture's octets come from: a file, standard input, a growing file, or memory; decompressed on the way.
struct ByteSource: ~Copyable {
  /// The name for messages.
  let name: String
  /// Octets that the file holds on disk; nil when that is not known (a pipe).
  let size: UInt64?
  /// Octets taken from the file so far, compressed ones where it is compressed.
  private(set) var position: UInt64 = 0

  private let descriptor: Int32
  private let memory: [UInt8]
  /// Octets read while the compression was being detected.
  private var head: [UInt8] = []
  private var stage = Stage.start
  private var inflater: Inflater?

  private enum Stage { case start, plain, compressed }

  /// Opens a file; `-` is standard input.
  init(path: String) throws(CaptureError) {
    name = path
    memory = []
    descriptor = path == "-" ? dup(0) : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw CaptureError(file: path, reason: systemReason("cannot open", errno)) }
    var status = stat()
    let regular = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    size = regular ? UInt64(clamping: status.st_size) : nil
  }

  init(name: String, memory: [UInt8]) {
    self.name = name
    self.memory = memory
    descriptor = -1
    size = UInt64(memory.count)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Whether the octets come out of gzip or zstd; known after the first `fill`.
  var isCompressed: Bool { stage == .compressed }

  /// Puts up to `count` octets at `target` and says how many; 0 means that there are no more (now).
  mutating func fill(_ target: UnsafeMutableRawPointer, _ count: Int) throws(CaptureError) -> Int {
    if stage == .start {
      guard try detect() else { return 0 }
    }
    guard stage == .compressed else { return try plain(target, count) }
    while true {
      switch inflater?.inflate(into: target, count) {
      case .produced(let octets)?: return octets
      case .failed(let reason)?:
        throw CaptureError(file: name, reason: "\(reason) near compressed octet \(position)")
      case .needsInput?:
        guard let (input, room) = inflater?.inputSpace else { return 0 }
        let octets = try plain(input, room)
        inflater?.supplied(octets)
        if octets == 0 {
          if inflater?.isBetweenFrames ?? true { return 0 }
          throw CaptureError(file: name, reason: "compressed data ends in the middle, at octet \(position)")
        }
      case nil: return 0
      }
    }
  }

  /// Reads the first octets, and starts a decompressor when they are gzip's or zstd's; false at an empty end.
  private mutating func detect() throws(CaptureError) -> Bool {
    let space = UnsafeMutableRawPointer.allocate(byteCount: 4, alignment: 4)
    defer { space.deallocate() }
    while head.count < 4 {
      let octets = try raw(space, 4 - head.count)
      if octets == 0 { break }
      head += UnsafeRawBufferPointer(start: space, count: octets)
    }
    guard !head.isEmpty else { return false }
    if let codec = Inflater.Codec(magic: head) {
      inflater = try Inflater(codec, file: name)
      stage = .compressed
    } else {
      stage = .plain
    }
    return true
  }

  /// The octets as they are stored: first those that detection took, then the rest.
  private mutating func plain(_ target: UnsafeMutableRawPointer, _ count: Int) throws(CaptureError) -> Int {
    guard head.isEmpty else {
      let octets = min(count, head.count)
      head.withUnsafeBytes { target.copyMemory(from: $0.baseAddress!, byteCount: octets) }
      head.removeFirst(octets)
      return octets
    }
    return try raw(target, count)
  }

  private mutating func raw(_ target: UnsafeMutableRawPointer, _ count: Int) throws(CaptureError) -> Int {
    guard descriptor >= 0 else {
      let octets = min(count, memory.count - Int(position))
      memory.withUnsafeBytes { source in
        if octets > 0 { target.copyMemory(from: source.baseAddress! + Int(position), byteCount: octets) }
      }
      position += UInt64(octets)
      return octets
    }
    while true {
      let octets = read(descriptor, target, count)
      if octets >= 0 {
        position &+= UInt64(octets)
        return octets
      }
      if errno != EINTR { throw CaptureError(file: name, reason: systemReason("cannot read", errno)) }
    }
  }
}
