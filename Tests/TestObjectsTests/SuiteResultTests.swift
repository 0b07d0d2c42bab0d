import Runner
import TestSupport
import Testing

@testable import TestObjects

/// Results as checks write them: protocol buffers, written by hand here.
@Suite struct SuiteResultTests {
  /// A field of octets.
  private func field(_ number: UInt8, _ octets: [UInt8]) -> [UInt8] {
    [number << 3 | 2] + [UInt8(octets.count & 0x7f) | 0x80, UInt8(octets.count >> 7)] + octets
  }

  private func argument(_ value: UInt64) -> [UInt8] {
    [2 << 3 | 1] + withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }

  private func log(_ format: String, _ arguments: UInt64...) -> [UInt8] {
    field(1, Array(format.utf8) + [0]) + arguments.flatMap(argument)
  }

  @Test("Nested tests with their words and logs, and the log of the suite")
  func everything() {
    let passed = field(1, Array("syn".utf8) + [0]) + [2 << 3, 101]
    let failed = field(1, Array("rst".utf8) + [0]) + [2 << 3, 102] + field(3, log("a.c:7: got %d", 5))
    let octets =
      field(1, passed) + field(2, log("b.c:9: %u of %llu", 3, 4)) + field(1, failed)
      + [UInt8](repeating: 0, count: 8)
    let result = SuiteResult(octets)
    #expect(
      result.nested == [
        .init(name: "syn", result: .pass, log: []),
        .init(name: "rst", result: .fail, log: ["a.c:7: got 5"]),
      ])
    #expect(result.log == ["b.c:9: 3 of 4"])
    #expect(result.unread == 0)
  }

  @Test("A length above 127 in one octet, as programs write it")
  func longLog() {
    let text = String(repeating: "x", count: 150)
    let body = [1 << 3 | 2, UInt8(151)] + Array(text.utf8) + [0] + argument(1)
    let octets = [2 << 3 | 2, UInt8(body.count)] + body
    #expect(SuiteResult(octets).log == [text])
  }

  @Test("Nothing written: no results; zeros: no results")
  func empty() {
    #expect(SuiteResult([]).nested.isEmpty)
    #expect(SuiteResult([UInt8](repeating: 0, count: 8192)).unread == 0)
  }

  @Test("What is broken off is counted, and what stands before it kept")
  func broken() {
    let good = field(2, log("first"))
    let result = SuiteResult(good + [1 << 3 | 2, 90, 10])
    #expect(result.log == ["first"])
    #expect(result.unread == 3)
    // A status that is none is an error, never a pass.
    #expect(SuiteResult(field(1, [2 << 3, 7])).nested.map(\.result) == [.error])
  }

  @Test("Any octets at all: an answer, no trap")
  func random() {
    var random = SplitMix64(seed: 7)
    for _ in 0..<2000 {
      let result = SuiteResult(random.octets(Int(random.next() % 64)))
      #expect(result.unread >= 0)
    }
  }
}

@Suite struct LogTextTests {
  @Test(
    "Conversions of printk",
    arguments: [
      ("%d", UInt64(bitPattern: -5), "-5"), ("%d", 0xffff_fffe, "-2"), ("%u", 0x1_0000_0007, "7"),
      ("%llu", 0x1_0000_0007, "4294967303"), ("%lu", .max, "18446744073709551615"), ("%x", 0xbeef, "beef"),
      ("%08x", 0xbeef, "0000beef"), ("%4d", 42, "  42"), ("%lx", 0x1_0000_0000, "100000000"),
      ("%lld", UInt64(bitPattern: -1), "-1"), ("%04d", UInt64(bitPattern: -7), "-007"), ("%p", 16, "0x10"),
      ("100%%: %d", 3, "100%: 3"), ("%d and %d", 1, "1 and (no argument)"),
      ("no conversion", 9, "no conversion"),
      ("ends in %", 1, "ends in 1"),
    ] as [(String, UInt64, String)])
  func conversions(_ format: String, _ argument: UInt64, _ text: String) {
    #expect(LogText.format(format, [argument]) == text)
  }
}
