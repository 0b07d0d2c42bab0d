import Cluster
import TestSupport
import Testing

@testable import Simulator

@Suite("What proxies read") struct ProxyMessageTests {
  private func request(_ text: String) -> HTTPMessage.Reading { HTTPMessage.read(Array(text.utf8)) }

  @Test func requests() throws {
    guard
      case .request(let message) = request(
        "POST /a?b HTTP/1.1\r\nHost: shop\r\nX-A: 1\r\nx-a:2\r\nContent-Length: 2\r\n\r\nhi")
    else {
      Issue.record("not read")
      return
    }
    #expect(message.method == "POST" && message.path == "/a?b" && message.host == "shop")
    #expect(message.header("X-A") == "1,2" && message.body == Array("hi".utf8))
    // What goes on says the same.
    guard case .request(let again) = HTTPMessage.read(message.forwarded(id: 7)) else {
      Issue.record("not read again")
      return
    }
    #expect(again.method == "POST" && again.header("x-a") == "1,2" && again.body == message.body)
  }

  @Test func whatIsNoRequest() {
    #expect(request("GET / HTTP/1.1\r\nHost: a\r\n") == .incomplete)
    #expect(request("GET / HTTP/1.1\r\nContent-Length: 3\r\n\r\nab") == .incomplete)
    #expect(request("GET /\r\n\r\n") == .malformed)
    #expect(request("GET / HTTP/1.1\r\nno colon\r\n\r\n") == .malformed)
    #expect(request("\u{16}\u{3}\u{1}") == .malformed)
    #expect(HTTPMessage.read(TLSRecord.clientHello("a")) == .malformed)
  }

  @Test func theDenialIsEnvoys() {
    let answer = HTTPMessage.answer(403, "Access denied\r\n")
    let response = HTTPResponse(answer)
    #expect(response?.status == 403 && response?.body == "Access denied\r\n")
    #expect(HTTPResponse.isComplete(answer))
  }

  @Test func serverNames() {
    #expect(TLSRecord.serverName(TLSRecord.clientHello("example.com")) == "example.com")
    #expect(TLSRecord.serverName(TLSRecord.clientHello(nil)) == nil)
    #expect(TLSRecord.serverName(TLSRecord.serverHello) == nil)
  }

  @Test("No octets are too strange to be read")
  func strangeOctets() {
    var random = SplitMix64(seed: 7)
    let seeds = [
      TLSRecord.clientHello("example.com"), HTTPRequest(path: "/a", host: "b").octets,
      HTTPMessage.answer(403, "x"),
    ]
    for round in 0..<3000 {
      var octets = seeds[round % seeds.count]
      for _ in 0...Int.random(in: 0..<4, using: &random) {
        let place = Int.random(in: 0..<octets.count, using: &random)
        octets[place] = UInt8.random(in: 0...255, using: &random)
      }
      octets = Array(octets.prefix(Int.random(in: 0...octets.count, using: &random)))
      _ = TLSRecord.serverName(octets)
      _ = TLSRecord.body(octets, TLSRecord.applicationData)
      _ = HTTPMessage.read(octets)
      _ = HTTPMessage.handedOn(octets, milliseconds: 1)
    }
  }

  @Test(
    "Rules and requests",
    arguments: [
      (HTTPRule(), true), (HTTPRule(method: "GE."), true), (HTTPRule(method: "GE"), false),
      (HTTPRule(path: "/a/[0-9]+"), true), (HTTPRule(path: "/a"), false), (HTTPRule(host: "shop"), true),
      (HTTPRule(host: "sho"), false), (HTTPRule(path: "("), false),
      (HTTPRule(headers: [Located("X-Lang", at: .none)]), true),
      (HTTPRule(headers: [Located("x-lang: de", at: .none)]), true),
      (HTTPRule(headers: [Located("X-Lang: d.", at: .none)]), false),
      (HTTPRule(headers: [Located("X-Other", at: .none)]), false),
      (HTTPRule(headerMatches: [.init(name: "x-lang", value: "de")]), true),
      (HTTPRule(headerMatches: [.init(name: "x-lang", value: "en")]), false),
      (HTTPRule(headerMatches: [.init(name: "x-lang", value: "en", mismatch: .log)]), true),
    ])
  func rules(_ rule: HTTPRule, _ holds: Bool) {
    let message = HTTPMessage(
      method: "GET", path: "/a/12", host: "shop", headers: [("x-lang", "de")], body: [])
    #expect(HTTPRuleTest(rule: rule).holds(message) == holds)
  }
}
