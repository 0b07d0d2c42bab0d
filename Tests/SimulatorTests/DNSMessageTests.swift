import TestSupport
import Testing
import Wire

@testable import Simulator

struct DNSMessageTests {
  static let table = NameTable(
    records: [
      "web.default.svc.cluster.local": [.v4(IPv4Address(bits: 0x0a60_0001))],
      "both.example": [.v4(IPv4Address(bits: 0x0102_0304)), .v6(IPv6Address("2001:db8::1")!)],
    ], ttl: 30)

  @Test("A query's octets, as RFC 1035 draws them")
  func query() throws {
    let query = DNSMessage(query: "Web.Example", type: .aaaa, identifier: 0x1234)
    #expect(
      query.octets == hex("1234 0100 0001 0000 0000 0000 03 776562 07 6578616d706c65 00 001c 0001"))
  }

  @Test("Answers have the records of the type that was asked, and survive the wire")
  func answers() throws {
    for (name, type, count, code) in [
      ("both.example", DNSMessage.RecordType.a, 1, DNSMessage.ResponseCode.success),
      ("both.example", .aaaa, 1, .success), ("web.default.svc.cluster.local", .aaaa, 0, .success),
      ("web", .a, 0, .nameError),
    ] {
      let asked = try #require(DNSMessage(query: name, type: type, identifier: 9).octets)
      let query = try #require(DNSMessage(asked))
      let octets = try #require(query.answer(from: Self.table).octets)
      let answer = try #require(DNSMessage(octets))
      #expect(answer.isResponse && answer.identifier == 9)
      #expect(answer.answers.count == count)
      #expect(answer.code == code)
      if count > 0 { #expect(answer.ttl == 30) }
    }
  }

  @Test("No octets whatever make the reader stop")
  func hostile() {
    var random = SplitMix64(seed: 1)
    let seed = DNSMessage(query: "a.b", type: .a, identifier: 1).octets ?? []
    for round in 0..<20_000 {
      var octets = round.isMultiple(of: 2) ? random.octets(Int(random.next() % 64)) : seed
      if !octets.isEmpty {
        octets[Int(random.next() % UInt64(octets.count))] = UInt8(truncatingIfNeeded: random.next())
      }
      _ = DNSMessage(octets)?.octets
      _ = DNSMessage(Array(octets.prefix(Int(random.next() % 40))))
    }
  }

  @Test("A resolver tries search domains first when the name has fewer than five dots")
  func candidates() {
    let search = ["default.svc.cluster.local", "cluster.local"]
    #expect(
      Resolver.candidates("web", search: search)
        == ["web.default.svc.cluster.local", "web.cluster.local", "web"])
    #expect(Resolver.candidates("web.", search: search) == ["web"])
    #expect(Resolver.candidates("a.b.c.d.e.f", search: ["x"]) == ["a.b.c.d.e.f", "a.b.c.d.e.f.x"])
  }
}
