/// A protocol header as an owned value: every octet of its wire form is in a field, so that parsing and emitting
/// are inverse to each other.
///
/// Lengths and checksums are plain fields: `emit` writes what they hold. `Frame.build` computes them.
public protocol WireHeader: Hashable, Sendable {
  static var name: WireProtocol { get }

  /// The length of the wire form in octets, options included.
  var byteCount: Int { get }

  /// Reads the header at the start of `bytes`; what follows it is ignored.
  init(parsing bytes: RawSpan) throws(WireError)

  /// Checks that every field fits its place on the wire.
  func validate() throws(WireError)

  /// Writes exactly `byteCount` octets at `offset`, which the caller has checked to fit.
  @_lifetime(bytes: copy bytes)
  func write(into bytes: inout MutableRawSpan, at offset: Int)
}

extension WireHeader {
  public init(parsing bytes: [UInt8]) throws(WireError) {
    try self.init(parsing: bytes.span.bytes)
  }

  public func validate() throws(WireError) {}

  /// Writes the wire form at `offset`; on error nothing is written.
  @_lifetime(bytes: copy bytes)
  public func emit(into bytes: inout MutableRawSpan, at offset: Int = 0) throws(WireError) {
    let room = offset >= 0 ? Swift.max(0, bytes.byteCount - offset) : 0
    guard room >= byteCount else { throw .noRoom(Self.name, needed: byteCount, had: room) }
    try validate()
    write(into: &bytes, at: offset)
  }

  /// Writes the wire form at `offset`; on error nothing is written.
  public func emit(into array: inout [UInt8], at offset: Int = 0) throws(WireError) {
    var span = array.mutableSpan
    var bytes = span.mutableBytes
    try emit(into: &bytes, at: offset)
  }

  /// The wire form.
  public func octets() throws(WireError) -> [UInt8] {
    var result = [UInt8](repeating: 0, count: byteCount)
    try emit(into: &result)
    return result
  }

  /// Refuses a field value above `limit`.
  static func check(_ value: some BinaryInteger, _ field: String, atMost limit: UInt64) throws(WireError) {
    guard value <= limit else {
      throw .invalid(name, field: field, needed: "at most \(limit)", had: UInt64(clamping: value))
    }
  }

  /// Refuses an option area that is longer than `limit` octets or not whole units of `unit`.
  static func check(options octets: [UInt8], unit: Int, atMost limit: Int) throws(WireError) {
    guard octets.count <= limit, octets.count % unit == 0 else {
      throw .invalid(
        name, field: "options", needed: "a multiple of \(unit), at most \(limit) octets",
        had: UInt64(octets.count))
    }
  }
}

extension RawSpan {
  /// The bounds check of a view.
  @inlinable @inline(__always)
  func require(_ needed: Int, _ name: WireProtocol, _ field: StaticString = "header") throws(WireError) {
    guard byteCount >= needed else { throw .truncated(name, field, needed: needed, had: byteCount) }
  }
}

extension WireError {
  // Out of line, to keep the string and its bookkeeping out of the parsers' straight path.
  @inline(never) @usableFromInline
  static func truncated(_ name: WireProtocol, _ field: StaticString, needed: Int, had: Int) -> WireError {
    .truncated(name, field: field.description, needed: needed, had: had)
  }

  @inline(never) @usableFromInline
  static func invalid(_ name: WireProtocol, _ field: StaticString, needed: StaticString, had: UInt64)
    -> WireError
  {
    .invalid(name, field: field.description, needed: needed.description, had: had)
  }
}
