import Cluster
import Intent
import Testing
import Wire

/// Ports, ranges, names, ICMP, and which entry of the policy map a match comes from.
@Suite struct PortTests {
  private let transports: [Transport] = [
    .tcp(80), .tcp(8080), .udp(80), .sctp(80), .icmp(type: 8), .icmp(type: 0), .other(47),
  ]

  private func ingress(_ entry: TrafficRule) -> String {
    var town = Town()
    town.apply(policy(ingress: [entry]))
    return String(transports.map { town.cell("client", "web", $0) })
  }

  @Test func protocols() {
    #expect(ingress(rule(["app": "client"])) == ".......")
    #expect(ingress(rule(["app": "client"], tcp(80))) == ".XXXXXX")
    #expect(ingress(rule(["app": "client"], PortProtocol(.number(80)))) == ".X..XXX")
    #expect(ingress(rule(["app": "client"], PortProtocol(.number(0)))) == "....XXX")
    #expect(ingress(rule(["app": "client"], PortProtocol(.number(0), .tcp))) == "..XXXXX")
    #expect(ingress(rule(["app": "client"], tcp(80, to: 8080))) == "..XXXXX")
    #expect(ingress(rule(["app": "client"], tcp(81, to: 8079))) == "XXXXXXX")
    #expect(ingress(rule(["app": "client"], PortProtocol(.number(0), .gre))) == "XXXXXX.")
  }

  @Test func icmp() {
    func icmp(_ type: UInt8, _ family: AddressFamily = .ipv4) -> TrafficRule {
      var entry = rule(["app": "client"])
      entry.icmps = [ICMPRule(fields: [.init(family: family, type: type)])]
      return entry
    }
    #expect(ingress(icmp(8)) == "XXXX.XX")
    #expect(ingress(icmp(8, .ipv6)) == "XXXXXXX")
    // Type 0 is port 0 to Cilium: every type.
    #expect(ingress(icmp(0)) == "XXXX..X")
  }

  @Test func fragmentationNeededPasses() {
    var town = Town()
    town.apply(policy(ingressDeny: [rule(nil, tcp(80)), rule(PolicyPeers(entities: [Located(.all)]))]))
    #expect(town.cell("client", "web", .icmp(type: 3, code: 4)) == ".")
    #expect(town.cell("client", "web", .icmp(type: 3, code: 1)) == "D")
    let tooBig = Traffic(
      from: town.subject("client"), to: town.subject("web"), .icmp(type: 3, code: 4), family: .ipv6)
    #expect(town.intent.answer(tooBig).verdict == .denied)
  }

  @Test func namesOfIngressAreTheSubjects() {
    #expect(ingress(rule(["app": "client"], PortProtocol(.name("http"), .tcp))) == ".XXXXXX")
    #expect(ingress(rule(["app": "client"], PortProtocol(.name("http")))) == ".XXXXXX")
    #expect(ingress(rule(["app": "client"], PortProtocol(.name("missing"), .tcp))) == "XXXXXXX")
  }

  @Test func namesOfEgressAreTheDestinations() {
    var town = Town()
    town.apply(
      policy(on: ["app": "client"], egress: [rule(nil, PortProtocol(.name("http"), .tcp))]))
    #expect(town.cell("client", "web") == ".")
    #expect(town.cell("client", "web", .tcp(81)) == "X")
    // A name is looked for per identity, never for everyone.
    #expect(town.answer("client", "web").egress.match == .l3L4)
    #expect(town.cell("client", "203.0.113.7") == "X")
    // Two pods of one identity that disagree make the name mean nothing.
    town.addPod(
      "default/web2", ["app": "web"], "n2", "10.244.1.20", ports: [ContainerPort(name: "http", 8080)])
    #expect(town.cell("client", "web") == "X")
    #expect(town.cell("client", "web2", .tcp(8080)) == "X")
  }

  @Test func theEntryThatMatches() {
    let client: Labels = ["app": "client"]
    let rows: [([TrafficRule], MatchKind, String)] = [
      ([rule(client)], .l3Only, "ingress[0].fromEndpoints[0]"),
      ([rule(client, tcp(80))], .l3L4, "ingress[0].fromEndpoints[0]"),
      ([rule(nil, tcp(80))], .l4Only, "ingress[0]"),
      ([rule(PolicyPeers(entities: [Located(.all)]))], .all, "ingress[0].fromEntities[0]"),
      ([rule(nil, PortProtocol(.number(0), .tcp))], .protocolOnly, "ingress[0]"),
      ([rule(client, PortProtocol(.number(0), .tcp))], .l3Protocol, "ingress[0].fromEndpoints[0]"),
      // The longer one of port and protocol, then the one about the peer.
      ([rule(client), rule(nil, tcp(80))], .l4Only, "ingress[1]"),
      ([rule(client, tcp(80)), rule(nil, tcp(1, to: 100))], .l3L4, "ingress[0].fromEndpoints[0]"),
      ([rule(client, tcp(1, to: 100)), rule(nil, tcp(80))], .l4Only, "ingress[1]"),
      ([rule(nil, tcp(64, to: 95)), rule(client, tcp(80, to: 95))], .l3L4, "ingress[1].fromEndpoints[0]"),
      // The same port for everyone makes the entry about the peer needless.
      ([rule(client, tcp(80)), rule(nil, tcp(80))], .l4Only, "ingress[1]"),
    ]
    for (rules, match, path) in rows {
      var town = Town()
      town.apply(policy(ingress: rules))
      let answer = town.answer("client", "web").ingress
      #expect(answer.verdict == .allowed)
      #expect(answer.match == match, "\(rules)")
      #expect(answer.rule?.path == path, "\(rules)")
      #expect(answer.alsoMatched.count == rules.count - 1)
    }
  }

  @Test func denyGoesBeforeAllow() {
    let client: Labels = ["app": "client"]
    let rows: [([TrafficRule], [TrafficRule], MatchKind, String)] = [
      ([rule(client, tcp(80))], [rule(client)], .l3Only, "ingressDeny[0].fromEndpoints[0]"),
      ([rule(client)], [rule(client, tcp(80))], .l3L4, "ingressDeny[0].fromEndpoints[0]"),
      ([rule(client)], [rule(nil, tcp(80))], .l4Only, "ingressDeny[0]"),
      // Of denies the broadest is kept.
      ([], [rule(client, tcp(80)), rule(client)], .l3Only, "ingressDeny[1].fromEndpoints[0]"),
      ([], [rule(client), rule(nil, tcp(80))], .l3Only, "ingressDeny[0].fromEndpoints[0]"),
      ([], [rule(client, tcp(80)), rule(nil, tcp(80))], .l4Only, "ingressDeny[1]"),
    ]
    for (allow, deny, match, path) in rows {
      var town = Town()
      town.apply(policy(ingress: allow, ingressDeny: deny))
      let answer = town.answer("client", "web").ingress
      #expect(answer.drop == .denyRule)
      #expect(answer.match == match, "\(deny)")
      #expect(answer.rule?.path == path, "\(deny)")
    }
  }

  @Test func sitesSayWhere() {
    var town = Town()
    var entry = rule(["app": "client"], tcp(79), tcp(80))
    entry.peers.endpoints?[0].location = SourceLocation(file: "web.yaml", line: 9, column: 7)
    town.apply(policy("allow-client", ingress: [entry]))
    #expect(
      town.answer("client", "web").ingress.rule?.description
        == "CiliumNetworkPolicy default/allow-client ingress[0].fromEndpoints[0] toPorts[0].ports[1] (web.yaml:9:7)"
    )
  }
}
