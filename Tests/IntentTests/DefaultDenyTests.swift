import Cluster
import Intent
import Testing

/// Which policies turn default deny on, and what follows.
@Suite struct DefaultDenyTests {
  @Test func withoutAPolicyEverythingPasses() {
    let town = Town()
    #expect(town.row(everybody, "web") == "......")
    #expect(town.answer("client", "web").ingress.enforcement == .unselected)
    #expect(town.answer("client", "web").ingress.reason == .notEnforced)
    #expect(town.answer("client", "web").ingress.match == .all)
  }

  @Test func anAllowRuleDeniesTheRest() {
    var town = Town()
    town.apply(policy(ingress: [rule(["app": "client"], tcp(80))]))
    #expect(town.row(everybody, "web") == ".XX.XX")
    #expect(town.cell("client", "web", .tcp(81)) == "X")
    // Egress of the selected pod stays open, and so do pods that nothing selects.
    #expect(town.cell("web", "client") == ".")
    #expect(town.cell("client", "other") == ".")
    let answer = town.answer("other", "web").ingress
    #expect(answer.drop == .noRule)
    #expect(answer.reason == .defaultDeny)
    #expect(answer.match == .none)
    #expect(
      answer.enforcement
        == .defaultDeny(by: [ObjectReference(.ciliumNetworkPolicy, namespace: "default", name: "p")]))
  }

  @Test func aDenyRuleAloneDeniesTheRestToo() {
    var town = Town()
    town.apply(policy(ingressDeny: [rule(["app": "client"])]))
    #expect(town.row(everybody, "web") == "DXX.XX")
    #expect(town.answer("client", "web").ingress.drop == .denyRule)
    #expect(town.answer("client", "web").ingress.match == .l3Only)
  }

  @Test func defaultDenyCanBeTurnedOff() {
    var town = Town()
    town.apply(policy(ingressDeny: [rule(["app": "client"])], defaultDeny: .init(ingress: false)))
    #expect(town.row(everybody, "web") == "D.....")
    #expect(town.answer("other", "web").ingress.reason == .defaultAllow)
    // Another policy that has it on turns it on for both.
    town.apply(policy("q", ingress: [rule(["app": "other"])]))
    #expect(town.row(everybody, "web") == "DXX.XX")
    // Where such policies are not enabled, the field does not count.
    town = Town()
    town.settings.policy.nonDefaultDeny = false
    town.apply(policy(ingressDeny: [rule(["app": "client"])], defaultDeny: .init(ingress: false)))
    #expect(town.row(everybody, "web") == "DXX.XX")
  }

  @Test func nilAndEmptyListsDiffer() {
    let none = PolicyPeers(endpoints: [])
    let rows: [([TrafficRule], String)] = [
      // `[{}]`: default deny and nothing else.
      ([TrafficRule()], "XXX.XX"),
      // `fromEndpoints: []` selects nobody, even with a port.
      ([rule(none)], "XXX.XX"),
      ([rule(none, [tcp(80)])], "XXX.XX"),
      ([rule(PolicyPeers(cidrs: []), [tcp(80)])], "XXX.XX"),
      // No peers and a port: everyone.
      ([rule(nil, tcp(80))], "......"),
      // `toPorts: [{}]` names no port, and so nothing.
      ([TrafficRule(peers: PolicyPeers(endpoints: [LabelSelector()]), toPorts: [PortRule()])], "XXX.XX"),
      // `toPorts: []` is as good as none.
      ([TrafficRule(peers: PolicyPeers(endpoints: [LabelSelector()]), toPorts: [])], "..X.XX"),
      // `fromEndpoints: [{}]`: everyone in the namespace.
      ([rule([:])], "..X.XX"),
    ]
    for (rules, expected) in rows {
      var town = Town()
      town.apply(policy(ingress: rules))
      #expect(town.row(everybody, "web") == expected, "\(rules)")
    }
  }

  @Test func enforcementModes() {
    var town = Town()
    town.settings.policy.enforcement = .always
    // Without any rule not even the node is let in.
    #expect(town.row(everybody, "web") == "XXXXXX")
    #expect(town.answer("client", "web").egress.verdict == .denied)
    #expect(town.answer("client", "web").egress.enforcement == .always)
    // Releases before 1.20 let it in all the same.
    town.settings.profile = .v119
    #expect(town.row(everybody, "web") == "XXX.XX")
    town.settings.profile = .v120
    town.settings.policy.enforcement = .never
    town.apply(policy(ingressDeny: [rule(["app": "client"])]))
    #expect(town.row(everybody, "web") == "......")
    #expect(town.answer("client", "web").ingress.enforcement == .never)
  }

  @Test func auditLetsPassWhatPolicyDenies() {
    var town = Town()
    town.settings.policy.auditMode = true
    town.apply(policy(ingressDeny: [rule(["app": "client"])]))
    let answer = town.answer("client", "web").ingress
    #expect(answer.verdict == .denied)
    #expect(answer.isAudited && answer.passes)
    #expect(town.cell("other", "web") == ".")
  }

  @Test func theNodeReachesItsOwnPods() {
    var town = Town()
    town.apply(policy(ingress: [rule(["app": "client"])]))
    #expect(town.cell("node/n1", "web") == ".")
    #expect(town.answer("node/n1", "web").ingress.reason == .localHost)
    #expect(town.answer("node/n1", "web").ingress.match == .l3Only)
    #expect(town.cell("node/n2", "web") == "X")
    town.apply(policy("q", ingressDeny: [rule(PolicyPeers(entities: [Located(.host)]))]))
    #expect(town.cell("node/n1", "web") == "D")
  }

  @Test func aPodReachesItself() {
    var town = Town()
    town.apply(policy(ingress: [TrafficRule()], egress: [TrafficRule()]))
    #expect(town.cell("web", "web") == ".")
    #expect(town.answer("web", "web").ingress.reason == .itself)
    town.options.selfTraffic = .judged
    #expect(town.cell("web", "web") == "X")
  }
}
