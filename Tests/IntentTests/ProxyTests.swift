import Cluster
import Intent
import Testing
import Wire

/// Redirects to proxies, what they let pass, and authentication.
@Suite struct ProxyTests {
  private let client: Labels = ["app": "client"]
  private let index = [HTTPRule(method: "GET", path: "/index.html")]

  private func answer(_ rules: [TrafficRule], deny: Bool = true) -> DirectionAnswer {
    var town = Town()
    town.apply(policy(ingress: rules, defaultDeny: .init(ingress: deny)))
    return town.answer("client", "web").ingress
  }

  private func allows(_ answer: DirectionAnswer, _ path: String, _ method: String = "GET") -> Bool {
    answer.permission?.allows(HTTPRequest(method: method, path: path)) ?? true
  }

  @Test func httpRulesRedirect() {
    let answer = answer([rule(client, tcp(80), http: index)])
    #expect(answer.verdict == .redirected && answer.proxy == .http && answer.match == .l3L4)
    #expect(allows(answer, "/index.html"))
    #expect(!allows(answer, "/50x.html"))
    #expect(!allows(answer, "/"))
    #expect(!allows(answer, "/index.html", "POST"))
    var town = Town()
    town.apply(policy(ingress: [rule(client, tcp(80), http: index)]))
    #expect(town.row(everybody, "web") == "7XX.XX")
    #expect(town.answer("client", "web").verdict == .redirected)
  }

  @Test func aPlainRuleWidensIt() {
    for plain in [rule(client, tcp(80)), rule(nil, tcp(80)), rule(client)] {
      let answer = answer([rule(client, tcp(80), http: index), plain])
      #expect(answer.verdict == .redirected)
      #expect(allows(answer, "/50x.html"))
    }
    let other = answer([rule(client, tcp(80), http: index), rule(["app": "x"], tcp(80))])
    #expect(!allows(other, "/50x.html"))
    let both = answer([
      rule(client, tcp(80), http: index), rule(client, tcp(80), http: [HTTPRule(path: "/50x.html")]),
    ])
    #expect(allows(both, "/50x.html") && allows(both, "/index.html") && !allows(both, "/"))
  }

  @Test func withDefaultDenyOffItIsRedirectedAndPasses() {
    let answer = answer([rule(client, tcp(80), http: index)], deny: false)
    #expect(answer.verdict == .redirected)
    #expect(allows(answer, "/anything"))
  }

  @Test func denyGoesBeforeRedirect() {
    var town = Town()
    town.apply(policy(ingress: [rule(client, tcp(80), http: index)], ingressDeny: [rule(client)]))
    #expect(town.cell("client", "web") == "D")
  }

  @Test func headers() {
    let rows: [(String, Labels, Bool)] = [
      ("X-Request-ID: 1", ["x-request-id": "1"], true),
      ("X-Request-ID: .*", ["X-Request-ID": "abc"], false),
      ("X-Request-ID", ["X-Request-ID": "abc"], true),
      ("X-Request-ID", [:], false),
      // Without a blank it is all name.
      ("X-A:1", ["X-A": "1"], false),
    ]
    for (header, headers, expected) in rows {
      let rule = HTTPRule(headers: [Located(header)])
      #expect(rule.allows(HTTPRequest(headers: headers)) == expected, "\(header)")
    }
    let match = HTTPRule(headerMatches: [.init(name: "X-A", value: "1")])
    #expect(match.allows(HTTPRequest(headers: ["x-a": "1"])))
    #expect(!match.allows(HTTPRequest(headers: ["x-a": "2"])))
    let log = HTTPRule(headerMatches: [.init(name: "X-A", value: "1", mismatch: .log)])
    #expect(log.allows(HTTPRequest()))
    #expect(!HTTPRule(host: "api[.]example[.]com").allows(HTTPRequest(host: "api-example.com")))
  }

  @Test func dns() {
    func answer(_ more: TrafficRule...) -> DirectionAnswer {
      var town = Town()
      var dns = rule(client, PortProtocol(.number(53), .udp))
      dns.toPorts?[0].rules = L7Rules(dns: [FQDNSelector(matchPattern: "*.stripe.com")])
      town.apply(policy(egress: [dns] + more))
      return town.answer("web", "client", .udp(53)).egress
    }
    let plain = answer()
    #expect(plain.proxy == .dns)
    #expect(plain.permission?.allows(query: "api.stripe.com") == true)
    #expect(plain.permission?.allows(query: "stripe.com") == false)
    // The DNS proxy looks at rules for the port; a rule for all ports widens nothing.
    #expect(answer(rule(client)).permission?.allows(query: "stripe.com") == false)
    #expect(answer(rule(nil, PortProtocol(.number(53)))).permission?.allows(query: "stripe.com") == true)
  }

  @Test func serverNamesAndListeners() {
    var town = Town()
    var tls = rule(client, tcp(443))
    tls.toPorts?[0].serverNames = [Located("*.example.com")]
    var listener = rule(client, tcp(8443))
    listener.toPorts?[0].listener = .init(configName: "c", name: "l", priority: 5)
    town.apply(policy(egress: [tls, listener]))
    let answer = town.answer("web", "client", .tcp(443)).egress
    #expect(answer.verdict == .redirected && answer.proxy == .tls)
    #expect(answer.permission?.allows(serverName: "api.example.com") == true)
    #expect(answer.permission?.allows(serverName: "example.org") == false)
    #expect(answer.permission?.allows(serverName: nil) == false)
    #expect(town.answer("web", "client", .tcp(8443)).egress.proxy == .listener)
  }

  @Test func redirectsByPriority() {
    // The listener's number is lower than HTTP's 101, and goes first although its range is wider.
    var listener = rule(client, tcp(1, to: 1000))
    listener.toPorts?[0].listener = .init(configName: "c", name: "l", priority: 5)
    var town = Town()
    town.apply(policy(egress: [rule(client, tcp(80), http: index), listener]))
    #expect(town.answer("web", "client").egress.proxy == .listener)
    listener.toPorts?[0].listener?.priority = 0
    town.apply(policy(egress: [rule(client, tcp(80), http: index), listener]))
    #expect(town.answer("web", "client").egress.proxy == .http)
  }

  @Test func authentication() {
    func required(_ peers: Labels?, _ ports: PortProtocol..., mode: AuthenticationMode = .required)
      -> TrafficRule
    {
      var entry =
        ports.isEmpty
        ? rule(peers)
        : rule(peers.map { PolicyPeers(endpoints: [LabelSelector(matchLabels: $0)]) } ?? PolicyPeers(), ports)
      entry.authentication = Located(mode)
      return entry
    }
    let rows: [([TrafficRule], PolicyDrop?)] = [
      ([required(client)], .authenticationRequired),
      ([required(client, mode: .disabled)], nil),
      // A narrower rule without a word of its own takes it from the broader one …
      ([required(client), rule(client, tcp(80))], .authenticationRequired),
      // … and keeps its own.
      ([required(client), required(client, tcp(80), mode: .disabled)], nil),
      ([rule(client), required(client, tcp(81))], nil),
      // An equally strong entry for everyone adds its own.
      ([required(nil, tcp(1, to: 100)), rule(client, tcp(80))], .authenticationRequired),
    ]
    for (rules, drop) in rows { #expect(answer(rules).drop == drop, "\(rules)") }
    #expect(PolicyDrop.authenticationRequired.rawValue == 189)
  }
}
