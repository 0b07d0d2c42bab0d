import TestSupport
import Testing
import Wire

/// What every header keeps: bytes → fields, fields → the same bytes, an error for every shorter input and for
/// every smaller buffer, and no octet outside its own touched.
func expectContract<Header: WireHeader>(
  _ header: Header, _ bytes: [UInt8], sourceLocation: SourceLocation = #_sourceLocation
) throws {
  // deconstruct
  #expect(try Header(parsing: bytes) == header, sourceLocation: sourceLocation)
  #expect(header.byteCount == bytes.count, sourceLocation: sourceLocation)

  // construct, into a buffer in which an unset byte shows
  var buffer = [UInt8](repeating: 0xa5, count: bytes.count + 8)
  try header.emit(into: &buffer, at: 3)
  #expect(
    hex(buffer) == hex([0xa5, 0xa5, 0xa5] + bytes + [0xa5, 0xa5, 0xa5, 0xa5, 0xa5]),
    sourceLocation: sourceLocation)

  // truncated
  for length in 0..<bytes.count {
    #expect(throws: WireError.self, "\(length) octets", sourceLocation: sourceLocation) {
      try Header(parsing: Array(bytes[..<length]))
    }
    var small = [UInt8](repeating: 0xa5, count: length)
    #expect(
      throws: WireError.noRoom(Header.name, needed: bytes.count, had: length), sourceLocation: sourceLocation
    ) { try header.emit(into: &small) }
    #expect(small.allSatisfy { $0 == 0xa5 }, sourceLocation: sourceLocation)
  }
  for offset in [-1, Int.min, Int.max, bytes.count + 9] {
    #expect(throws: WireError.self, sourceLocation: sourceLocation) {
      try header.emit(into: &buffer, at: offset)
    }
  }
}

/// Expects that emitting is refused because of `field`.
func expectInvalid(
  _ field: String, _ header: some WireHeader, sourceLocation: SourceLocation = #_sourceLocation
) {
  let error = #expect(throws: WireError.self, sourceLocation: sourceLocation) { try header.octets() }
  guard case .invalid(_, let found, _, _)? = error else {
    Issue.record("\(String(describing: error)) is not about \(field)", sourceLocation: sourceLocation)
    return
  }
  #expect(found == field, sourceLocation: sourceLocation)
}
