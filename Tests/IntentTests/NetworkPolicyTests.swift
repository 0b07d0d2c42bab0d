import Cluster
import Intent
import Testing
import Wire

/// NetworkPolicies, as Cilium reads them and as their own text says.
@Suite struct NetworkPolicyTests {
  private func networkPolicy(
    types: [PolicyDirection]? = [.ingress], ingress: [NetworkPolicyRule]? = nil,
    egress: [NetworkPolicyRule]? = nil, on labels: Labels = ["app": "web"]
  ) -> ClusterObject {
    .networkPolicy(
      NetworkPolicy(
        metadata: Metadata(namespace: "default", name: "np"), podSelector: LabelSelector(matchLabels: labels),
        policyTypes: types, ingress: ingress, egress: egress))
  }

  private func ingress(_ rules: [NetworkPolicyRule]?, _ follow: Authority = .cilium) -> String {
    var town = Town()
    town.options.follow = follow
    town.apply(networkPolicy(ingress: rules))
    return town.row(everybody, "web")
  }

  private func from(_ peers: NetworkPolicyPeer..., ports: [NetworkPolicyPort]? = nil) -> [NetworkPolicyRule] {
    [NetworkPolicyRule(peers: peers, ports: ports)]
  }

  @Test func listsOfRules() {
    // None, and an empty one: nobody. One without anything: everybody, unlike in a CiliumNetworkPolicy.
    #expect(ingress(nil) == "XXX.XX")
    #expect(ingress([]) == "XXX.XX")
    #expect(ingress([NetworkPolicyRule()]) == "......")
    #expect(ingress([NetworkPolicyRule(peers: [], ports: [])]) == "......")
  }

  @Test func peers() {
    let client = LabelSelector(matchLabels: ["app": "client"])
    let ops = LabelSelector(matchLabels: ["team": "ops"])
    let byName = LabelSelector(matchLabels: [Namespace.nameLabel: "ops"])
    #expect(ingress(from(.init(podSelector: client))) == ".XX.XX")
    #expect(ingress(from(.init(podSelector: LabelSelector()))) == "..X.XX")
    #expect(ingress(from(.init(namespaceSelector: LabelSelector()))) == "....XX")
    #expect(ingress(from(.init(namespaceSelector: ops))) == "XX..XX")
    #expect(ingress(from(.init(namespaceSelector: byName))) == "XX..XX")
    #expect(ingress(from(.init(podSelector: client, namespaceSelector: LabelSelector()))) == ".X..XX")
    #expect(ingress(from(.init(podSelector: client), .init(namespaceSelector: ops))) == ".X..XX")
  }

  @Test func blocksCoverPodsByTheTextAndNotInCilium() {
    let block = NetworkPolicyPeer(
      ipBlock: .init(cidr: cidr("0.0.0.0/0").value, except: [cidr("10.244.1.12/32").value]))
    #expect(ingress(from(block)) == "XXX.X.")
    #expect(ingress(from(block), .kubernetes) == ".X....")
  }

  @Test func directions() {
    let rows:
      [([PolicyDirection]?, ingress: [NetworkPolicyRule]?, egress: [NetworkPolicyRule]?, String, String)] = [
        // policyTypes, rules → to web, from web (Cilium; the text)
        (nil, nil, nil, "X.", "X."),
        (nil, nil, [NetworkPolicyRule()], "X.", "X."),
        ([.egress], nil, nil, ".X", ".X"),
        ([.ingress, .egress], nil, nil, "XX", "XX"),
        ([.ingress], nil, [], "X.", "X."),
        // Rules of a direction that policyTypes leaves out: Cilium reads them, the text does not.
        (
          [.egress], [NetworkPolicyRule(peers: [.init(podSelector: LabelSelector(matchLabels: ["a": "b"]))])],
          nil, "XX", ".X"
        ),
      ]
    for (types, ingress, egress, cilium, kubernetes) in rows {
      var town = Town()
      town.apply(networkPolicy(types: types, ingress: ingress, egress: egress))
      #expect(String([town.cell("client", "web"), town.cell("web", "client")]) == cilium)
      town.options.follow = .kubernetes
      #expect(String([town.cell("client", "web"), town.cell("web", "client")]) == kubernetes)
    }
  }

  @Test func ports() {
    func cells(_ port: NetworkPolicyPort) -> String {
      var town = Town()
      town.apply(networkPolicy(ingress: [NetworkPolicyRule(ports: [port])]))
      let transports: [Transport] = [.tcp(80), .tcp(81), .udp(80), .udp(53), .icmp(type: 8)]
      return String(transports.map { town.cell("client", "web", $0) })
    }
    #expect(cells(.init(.number(80))) == ".XXXX")
    #expect(cells(.init(nil, .udp)) == "XX..X")
    #expect(cells(.init(.number(80), endPort: 90)) == "..XXX")
    #expect(cells(.init(.name("dns"), .udp)) == "XXX.X")
    #expect(cells(.init(.name("dns"), .tcp)) == "XXXXX")
  }

  @Test func theNodeByTheText() {
    var town = Town()
    town.apply(networkPolicy(types: [.ingress, .egress]))
    #expect(town.cell("node/n1", "web") == ".")
    #expect(town.cell("web", "node/n1") == "X")
    town.options.follow = .kubernetes
    #expect(town.cell("web", "node/n1") == ".")
    #expect(town.cell("web", "node/n2") == "X")
  }

  @Test func switchedOff() {
    var town = Town()
    town.settings.policy.kubernetesPolicies = false
    town.apply(networkPolicy())
    #expect(town.row(everybody, "web") == "......")
  }

  @Test func theRuleThatDecided() {
    var town = Town()
    town.apply(
      networkPolicy(
        ingress: from(
          .init(podSelector: LabelSelector(matchLabels: ["a": "b"])),
          .init(podSelector: LabelSelector(matchLabels: ["app": "client"])), ports: [.init(.number(80))])))
    #expect(
      town.answer("client", "web").ingress.rule?.description
        == "NetworkPolicy default/np ingress[0].from[1] ports[0]")
  }
}
