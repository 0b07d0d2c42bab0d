import TestSupport
import Testing
import Wire

@Suite struct IPv4Tests {
  // A well-known example of the header checksum: 0xb861.
  static let bytes = hex("45 00 00 73 00 00 40 00 40 11 b8 61 c0 a8 00 01 c0 a8 00 c7")
  static let header = IPv4Header(
    source: IPv4Address(192, 168, 0, 1), destination: IPv4Address(192, 168, 0, 199), protocol: .udp,
    flags: .dontFragment, totalLength: 0x73, checksum: 0xb861)

  @Test func withoutOptions() throws {
    try expectContract(Self.header, Self.bytes)
    #expect(try Self.header.computedChecksum() == 0xb861)
    #expect(try IPv4View(Self.bytes.span.bytes).hasValidChecksum)
    var other = Self.bytes
    other[8] -= 1
    #expect(try !IPv4View(other.span.bytes).hasValidChecksum)
  }

  @Test func withOptions() throws {
    var header = Self.header
    header.typeOfService = 0xc1
    header.flags = [.moreFragments, .reserved]
    header.fragmentOffset = 0x1abc
    header.options = [.routerAlert, .noOperation, .option(type: 7, data: [4, 10, 0])]
    let bytes = hex(
      "48 c1 00 73 00 00 ba bc 40 11 b8 61 c0 a8 00 01 c0 a8 00 c7 94 04 00 00 01 07 05 04 0a 00 00 00")
    try expectContract(header, bytes)
    #expect(
      try IPv4Header(parsing: bytes).options.list == [
        .routerAlert, .noOperation, .option(type: 7, data: [4, 10, 0]), .endOfList,
      ])
  }

  @Test(arguments: [
    ("07", [IPv4Option.malformed([7])]), ("07 01", [.malformed([7, 1])]),
    ("07 09 04", [.malformed([7, 9, 4])]),
    ("01 07 02", [.noOperation, .option(type: 7, data: [])]), ("00 07", [.endOfList]), ("", []),
  ])
  func brokenOptions(_ text: String, _ list: [IPv4Option]) {
    #expect(IPv4Options(octets: hex(text)).list == list)
  }

  @Test func refusedOnReading() {
    for (first, field) in [(0x55, "version"), (0x44, "headerLength"), (0x40, "headerLength")] {
      var bytes = Self.bytes
      bytes[0] = UInt8(first)
      let error = #expect(throws: WireError.self) { try IPv4Header(parsing: bytes) }
      guard case .invalid(.ipv4, field, _, _)? = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
    }
    var long = Self.bytes
    long[0] = 0x46
    #expect(throws: WireError.truncated(.ipv4, field: "options", needed: 24, had: 20)) {
      try IPv4Header(parsing: long)
    }
  }

  @Test func refusedOnWriting() {
    var header = Self.header
    header.fragmentOffset = 0x2000
    expectInvalid("fragmentOffset", header)
    header = Self.header
    header.options = IPv4Options(octets: [1, 1, 1])
    expectInvalid("options", header)
    header.options = IPv4Options(octets: [UInt8](repeating: 1, count: 44))
    expectInvalid("options", header)
    header = Self.header
    header.flags = IPv4Flags(rawValue: 8)
    expectInvalid("flags", header)
  }

  @Test func viewOfThePayload() throws {
    // 20 + 4 octets declared, 6 of padding behind.
    var bytes = Self.bytes + hex("01 02 03 04 00 00 00 00 00 00")
    bytes[3] = 24
    #expect(try IPv4View(bytes.span.bytes).payload.array == [1, 2, 3, 4])
    // More declared than there is, less than the header: everything.
    for total in [UInt8(255), 0, 19] {
      bytes[3] = total
      #expect(try IPv4View(bytes.span.bytes).payload.byteCount == 10)
    }
  }

  @Test func viewOfTheFixedPart() throws {
    let bytes = [0x0f] + Self.bytes[1...]
    let view = try IPv4View(fixedPartOf: bytes.span.bytes)
    #expect(view.headerLength == 20)
    #expect(view.payload.byteCount == 0)
    #expect(view.source == IPv4Address(192, 168, 0, 1))
    let headless = [0] + bytes[1...]
    let empty = try IPv4View(fixedPartOf: headless.span.bytes)
    #expect(empty.headerLength == 0)
    #expect(empty.options.byteCount == 0)
    #expect(throws: WireError.self) {
      try IPv4View(fixedPartOf: bytes.span.bytes.window(0..<19)).headerLength
    }
  }

  @Test func fragments() throws {
    for (field, isFragment) in [(0x4000, false), (0x8000, false), (0x2000, true), (0x0001, true)] {
      var bytes = Self.bytes
      bytes.store(UInt16(field), at: IPv4Header.Offset.fragment)
      #expect(try IPv4View(bytes.span.bytes).isFragment == isFragment)
    }
  }
}
