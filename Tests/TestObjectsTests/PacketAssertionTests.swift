import TestSupport
import Testing
import Wire

@testable import TestObjects

/// Failed assertions about packets, and how they are shown.
@Suite struct PacketAssertionTests {
  /// An IPv4 header of 10.0.0.1 to 10.0.0.2 with that time to live, and the start of a TCP header.
  private func packet(ttl: UInt8, port: UInt8) -> [UInt8] {
    hex("45 00 00 28 00 01 00 00") + [ttl] + hex("06 00 00 0a 00 00 01 0a 00 00 02 9c 40 00") + [port]
      + hex("00 00 00 01 00 00 00 00 50 02 ff ff 00 00 00 00")
  }

  private func entry(_ expected: [UInt8], _ found: [UInt8], length: Int) -> [UInt8] {
    func text(_ text: String) -> [UInt8] {
      Array(text.utf8) + [UInt8](repeating: 0, count: 128 - text.utf8.count)
    }
    func buffer(_ octets: [UInt8], _ length: Int) -> [UInt8] {
      [UInt8(length & 0xff), UInt8(length >> 8)] + octets + [UInt8](repeating: 0, count: 1518 - octets.count)
    }
    return text("reply") + text("t.c") + text("88") + text("IP") + buffer(expected, expected.count)
      + buffer(found, length) + [0, 0]
  }

  @Test("An entry of the map")
  func decoded() throws {
    let (a, b) = (packet(ttl: 63, port: 80), packet(ttl: 64, port: 81))
    let assertion = try #require(PacketAssertion(entry: entry(a, b, length: b.count)))
    #expect(assertion.name == "reply")
    #expect(assertion.file == "t.c")
    #expect(assertion.line == "88")
    #expect(assertion.expected == a)
    #expect(assertion.found == b)
    #expect(assertion.differences.map(\.description) == ["ipv4.ttl: 63 vs 64", "tcp.dport: 80 vs 81"])
    #expect(
      assertion.lines == [
        "packet assertion reply at t.c:88",
        "  ipv4.ttl: expected 63, got 64",
        "  tcp.dport: expected 80, got 81",
        "  0000  - 45 00 00 28 00 01 00 00  3f 06 00 00 0a 00 00 01   ipv4",
        "        + 45 00 00 28 00 01 00 00  40 06 00 00 0a 00 00 01",
        "                                   ^^",
        "  0010  - 0a 00 00 02 9c 40 00 50  00 00 00 01 00 00 00 00   ipv4, tcp",
        "        + 0a 00 00 02 9c 40 00 51  00 00 00 01 00 00 00 00",
        "                               ^^",
        "  0020    50 02 ff ff 00 00 00 00                            tcp",
      ])
  }

  @Test("A packet shorter than expected: what was expected, and no difference invented")
  func shorter() throws {
    let expected = packet(ttl: 63, port: 80)
    let assertion = try #require(PacketAssertion(entry: entry(expected, [], length: 10)))
    #expect(assertion.found.isEmpty)
    #expect(assertion.differences.isEmpty)
    #expect(
      assertion.lines.contains("  expected 40 octets, the packet has 10 from there on; nothing compared"))
    #expect(assertion.lines.count == 5)
  }

  @Test("Rows far from a difference are left out")
  func gaps() {
    let expected = [UInt8](repeating: 7, count: 128)
    var found = expected
    found[100] = 8
    let rows = HexDifference.rows(expected, found, as: .payload)
    #expect(rows.count == 6)
    #expect(rows[0] == "...")
    #expect(rows[1].hasPrefix("0050    07"))
    #expect(rows[2].hasPrefix("0060  - 07"))
    #expect(rows[5].hasPrefix("0070    07"))
  }

  @Test("Too short to be an entry, and lengths that are too long")
  func hostile() throws {
    #expect(PacketAssertion(entry: [1, 2, 3]) == nil)
    let assertion = try #require(PacketAssertion(entry: [UInt8](repeating: 0xff, count: 3554)))
    #expect(assertion.expected.count == 1518)
    #expect(!assertion.lines.isEmpty)
  }
}
