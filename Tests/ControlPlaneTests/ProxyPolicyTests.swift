import Cluster
import Manifests
import MapABI
import Testing

@testable import ControlPlane

@Suite("Rules of layer 7") struct ProxyPolicyTests {
  private func plane(
    _ specs: String..., change: (inout Settings) -> Void = { _ in }
  ) throws -> ControlPlane {
    let yaml = specs.enumerated().map { index, spec in
      """
      apiVersion: cilium.io/v2
      kind: CiliumNetworkPolicy
      metadata: {name: p\(index)}
      spec: {endpointSelector: {matchLabels: {app: nginx-server}}, \(spec)}
      """
    }.joined(separator: "\n---\n")
    let set = ManifestReader().read(yaml, file: "policy.yaml")
    try #require(set.findings.isEmpty, "\(set.findings)")
    var settings = Fixture.settings()
    change(&settings)
    var plane = ControlPlane(settings: settings, network: Fixture.kind().network)
    _ = plane.reconcile(
      Fixture.state(Fixture.kind(), Fixture.flagship + set.entries.map(\.object)))
    return plane
  }

  private func rule(_ peer: String, _ rules: String, port: String = "{port: '80', protocol: TCP}") -> String {
    "{\(peer)toPorts: [{ports: [\(port)]\(rules.isEmpty ? "" : ", rules: \(rules)")}]}"
  }

  private let client = "fromEndpoints: [{matchLabels: {app: curl-client}}], "
  private let http = "{http: [{method: GET, path: '/a.*'}]}"

  /// `identity proto port precedence proxy` of the server's ingress entries past the local host's.
  private func entries(_ plane: ControlPlane) throws -> [String] {
    let endpoint = try #require(plane.endpoint(of: Fixture.pod("nginx-server")))
    let policy = try #require(plane.policy(node: endpoint.node, endpoint: endpoint.id))
    let peer = try #require(plane.endpoint(of: Fixture.pod("curl-client"))).identity
    let ports = ProxyPorts(node: endpoint.node)
    return policy.table.entries.compactMap { key, value in
      guard key.egress == 0, key.sec_label != 1 else { return nil }
      let name = key.sec_label == peer ? "client" : "\(key.sec_label)"
      let port = UInt16(bigEndian: value.proxy_port)
      let listener = ProxyListener.all.first { ports[$0] == port }?.name ?? "\(port)"
      return "\(name) \(UInt16(bigEndian: key.dport)) \(String(value.precedence, radix: 16)) \(listener)"
    }.sorted()
  }

  private func allows(_ plane: ControlPlane, _ path: String, from pod: String = "curl-client") throws -> Bool
  {
    let endpoint = try #require(plane.endpoint(of: Fixture.pod("nginx-server")))
    let policy = try #require(plane.policy(node: endpoint.node, endpoint: endpoint.id))
    let peer = try #require(plane.endpoint(of: Fixture.pod(pod))).identity
    let permissions = policy.proxyPolicy.permissions(
      isIngress: true, transport: 6, port: 80, identity: peer, parser: .http)
    return permissions.rule(forRequest: { $0.path.map { path.hasPrefix($0.dropLast(2)) } ?? true }) != nil
  }

  @Test func aRuleForRequestsRedirects() throws {
    let plane = try plane("ingress: [\(rule(client, http))]")
    #expect(try entries(plane) == ["client 80 ffffff9a cilium-http-ingress"])
    #expect(try allows(plane, "/abc"))
    #expect(try !allows(plane, "/b"))
    #expect(try !allows(plane, "/abc", from: "other-client"))
    #expect(plane.findings.isEmpty)
  }

  @Test("A rule without layer 7 widens it", arguments: [0, 1, 2])
  func aPlainRuleWidensIt(_ index: Int) throws {
    let plain = [rule(client, ""), rule("", ""), "{fromEntities: [cluster]}"][index]
    let plane = try plane("ingress: [\(rule(client, http))]", "ingress: [\(plain)]")
    #expect(try entries(plane).contains("client 80 ffffff9a cilium-http-ingress"))
    #expect(try allows(plane, "/b"))
  }

  @Test func denyGoesBeforeRedirect() throws {
    let plane = try plane(
      "ingress: [\(rule(client, http))], ingressDeny: [{fromEndpoints: [{matchLabels: {app: curl-client}}]}]")
    #expect(try entries(plane) == ["client 0 ffffffff 0"])
  }

  @Test func withDefaultDenyOffItStillRedirects() throws {
    let plane = try plane("enableDefaultDeny: {ingress: false}, ingress: [\(rule(client, http))]")
    #expect(try entries(plane).contains("client 80 ffffff9a cilium-http-ingress"))
    #expect(try allows(plane, "/b"))
  }

  @Test func oneRuleThatDeniesByDefaultIsEnough() throws {
    let plane = try plane(
      "enableDefaultDeny: {ingress: false}, ingress: [\(rule(client, http))]",
      "ingress: [\(rule(client, http, port: "{port: '9090', protocol: TCP}"))]")
    #expect(try allows(plane, "/abc"))
    #expect(try !allows(plane, "/b"))
  }

  @Test func everyParserHasItsRank() throws {
    let dns = rule("", "{dns: [{matchPattern: '*'}]}", port: "{port: '53', protocol: UDP}")
    let tls = "{toPorts: [{ports: [{port: '443', protocol: TCP}], serverNames: [a.example]}]}"
    let plane = try plane("egress: [\(dns), \(tls)]")
    let endpoint = try #require(plane.endpoint(of: Fixture.pod("nginx-server")))
    let policy = try #require(plane.policy(node: endpoint.node, endpoint: endpoint.id))
    let found = policy.table.entries.filter { $0.0.egress == 1 }.map { key, value in
      "\(key.protocol) \(UInt16(bigEndian: key.dport)) \(value.precedence & 255)"
    }.sorted()
    #expect(found == ["17 53 134", "6 443 139"])
  }

  @Test func portsAreDrawnForNodeDirectionAndParser() {
    let nodes = ["a", "b"].map(ProxyPorts.init)
    for ports in nodes {
      let all = ProxyListener.all.map { ports[$0] }
      #expect(Set(all).count == 8 && all.allSatisfy { (10_000...20_000).contains($0) })
    }
    #expect(nodes[0] != nodes[1])
    #expect(ProxyPorts(node: "a") == nodes[0])
  }

  /// Reading manifests finds these as well, and leaves the object out; the agent must not rely on that.
  @Test(
    "What the agent refuses",
    arguments: [
      (
        PortRule(ports: [PortProtocol(.number(80), .udp)], rules: L7Rules(http: [HTTPRule()])), true, "to TCP"
      ),
      (
        PortRule(
          ports: [PortProtocol(.number(53), .udp)], rules: L7Rules(dns: [FQDNSelector(matchName: "a")])),
        true,
        "ingress"
      ),
      (
        PortRule(ports: [PortProtocol(.number(0), .tcp)], rules: L7Rules(http: [HTTPRule()])), false,
        "port is 0"
      ),
      (PortRule(rules: L7Rules(dns: [FQDNSelector(matchName: "a")])), false, "port 53"),
      (
        PortRule(
          ports: [PortProtocol(.number(53), endPort: 60, .udp)],
          rules: L7Rules(dns: [FQDNSelector(matchName: "a")])), false, "ranges"
      ),
      (
        PortRule(
          ports: [PortProtocol(.number(80), .tcp)], rules: L7Rules(http: [HTTPRule()]),
          serverNames: [Located("a", at: .none)]), false, "ServerNames"
      ),
    ] as [(PortRule, Bool, String)])
  func refused(_ rule: PortRule, _ isIngress: Bool, _ reason: String) {
    let problems = L7Check(Settings()).problems(rule, isIngress: isIngress)
    #expect(problems.contains { $0.message.contains(reason) }, "\(problems)")
    let sound = PortRule(ports: [PortProtocol(.number(80), .tcp)], rules: L7Rules(http: [HTTPRule()]))
    #expect(L7Check(Settings()).problems(sound, isIngress: isIngress).isEmpty)
  }

  @Test func namesThatAreNone() {
    #expect(L7Check.problem(FQDNSelector(matchName: "a", matchPattern: "*"))?.contains("only one of") == true)
    #expect(L7Check.problem(FQDNSelector(matchName: "a b"))?.contains("MatchName") == true)
    #expect(L7Check.problem(FQDNSelector(matchPattern: "a/*"))?.contains("MatchPattern") == true)
    #expect(L7Check.problem(FQDNSelector(matchPattern: "*.a_b-c.D1")) == nil)
  }

  @Test(
    "Expressions that are none, or too large, refuse the whole policy",
    arguments: ["a(", "((a{1,900}){1,900}){9}"])
  func expressions(_ pattern: String) throws {
    let plane = try plane(
      "ingress: [{toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{path: '\(pattern)'}]}}]}]")
    let errors = plane.findings.filter { $0.severity == .error }
    #expect(errors.contains { $0.message.contains("regexp") && $0.authority == .agent }, "\(plane.findings)")
    #expect(try entries(plane) == ["0 0 ffffff01 0"])
  }

  @Test func withoutTheProxyRulesAreRefused() throws {
    let plane = try plane("ingress: [\(rule(client, http))]") { $0.policy.l7Proxy = false }
    #expect(plane.findings.contains { $0.message.contains("L7 proxy is not enabled") })
  }
}
