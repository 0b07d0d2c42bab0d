import Cluster
import Intent
import Testing
import Wire

/// What a service's address and port come to, and what a probe of them meets.
@Suite struct ServiceTests {
  private let vip = ip("10.96.0.10")

  private func town(_ ports: [ServicePort], selector: Labels? = ["app": "web"]) -> Town {
    var town = Town()
    town.addPod(
      "default/web2", ["app": "web"], "n2", "10.244.1.20",
      ports: [ContainerPort(name: "http", 8080), ContainerPort(80)])
    town.apply(
      .service(
        Service(
          metadata: Metadata(namespace: "default", name: "web"), ports: ports, selector: selector,
          clusterIPs: [vip])))
    return town
  }

  private func ask(_ town: Town, _ transport: Transport, ready: Set<String> = ["web", "web2"])
    -> ServiceAnswer?
  {
    town.intent.service(at: vip, transport) { ready.contains($0.name) }
  }

  private func backends(_ answer: ServiceAnswer?) -> [String] {
    guard case .backends(let backends)? = answer else { return [] }
    return backends.map { "\($0.address):\($0.port)" }
  }

  @Test func readyPodsStandBehindIt() {
    let town = town([ServicePort(80)])
    #expect(backends(ask(town, .tcp(80))) == ["10.244.0.10:80", "10.244.1.20:80"])
    #expect(backends(ask(town, .tcp(80), ready: ["web2"])) == ["10.244.1.20:80"])
    #expect(ask(town, .tcp(80), ready: []) == .noBackends(NamespacedName(namespace: "default", name: "web")))
  }

  @Test func namedTargetsAreEachPodsOwn() {
    let town = town([ServicePort(name: "http", 80, target: .name("http"))])
    #expect(backends(ask(town, .tcp(80))) == ["10.244.0.10:80", "10.244.1.20:8080"])
    let none = self.town([ServicePort(80, target: .name("grpc"))])
    #expect(ask(none, .tcp(80)) == .noBackends(NamespacedName(namespace: "default", name: "web")))
  }

  @Test func otherPortsOfTheAddress() {
    let town = town([ServicePort(80, target: .number(8080))])
    let id = NamespacedName(namespace: "default", name: "web")
    #expect(ask(town, .tcp(81)) == .noSuchPort(id))
    #expect(ask(town, .udp(80)) == .noSuchPort(id))
    #expect(ask(town, .icmp(type: 8)) == .noSuchPort(id))
    #expect(town.intent.service(at: ip("10.96.0.11"), .tcp(80)) == nil)
    #expect(backends(ask(town, .tcp(80))) == ["10.244.0.10:8080", "10.244.1.20:8080"])
  }

  @Test func handWrittenEndpoints() {
    var town = town([ServicePort(name: "http", 80)], selector: nil)
    town.apply(
      .endpointSlice(
        EndpointSlice(
          metadata: Metadata(
            namespace: "default", name: "web-1", labels: [EndpointSlice.serviceLabel: "web"]),
          addressType: .ipv4,
          endpoints: [
            SliceEndpoint(addresses: [ip("203.0.113.9")]),
            SliceEndpoint(addresses: [ip("203.0.113.8")]),
            SliceEndpoint(addresses: [ip("203.0.113.7")], isReady: false),
          ], ports: [EndpointPort(name: "http", 8080), EndpointPort(name: "admin", 9090)])))
    #expect(backends(ask(town, .tcp(80))) == ["203.0.113.8:8080", "203.0.113.9:8080"])
  }

  @Test func anEmptySelectorSelectsNothing() {
    let town = town([ServicePort(80)], selector: [:])
    #expect(ask(town, .tcp(80)) == .noBackends(NamespacedName(namespace: "default", name: "web")))
  }

  @Test func probesMeetPolicyAtTheBackendsPort() {
    var town = town([ServicePort(80, target: .name("http"))])
    town.apply(policy(ingress: [rule(["app": "client"], tcp(8080))]))
    let outcomes = town.intent.outcomes(
      from: town.subject("client"), toService: vip, .tcp(80), listens: { _, _ in true })
    #expect(outcomes?.map(\.disposition) == [.dropped(.noRule, .ingress), .delivered])
    let silent = town.intent.outcomes(
      from: town.subject("client"), toService: vip, .tcp(80), listens: { _, _ in false })
    #expect(silent?.map(\.disposition) == [.dropped(.noRule, .ingress), .refused])
    let unlisted = town.intent.outcomes(
      from: town.subject("client"), toService: vip, .tcp(81), listens: { _, _ in true })
    #expect(unlisted?.map(\.disposition) == [.noSuchPort(NamespacedName(namespace: "default", name: "web"))])
  }

  @Test func dispositions() {
    var town = Town()
    func disposition(_ from: String, _ transport: Transport, listens: Bool = true) -> Disposition {
      town.intent.outcome(
        Traffic(from: town.subject(from), to: town.subject("web"), transport), listens: { _, _ in listens }
      ).disposition
    }
    #expect(disposition("client", .tcp(80)) == .delivered)
    #expect(disposition("client", .tcp(80), listens: false) == .refused)
    #expect(disposition("client", .icmp(type: 8), listens: false) == .delivered)
    let http = [HTTPRule(method: "GET")]
    town.apply(
      policy(ingress: [rule(["app": "client"], tcp(80), http: http)], ingressDeny: [rule(["x": "y"])]))
    #expect(disposition("client", .tcp(80)) == .proxied(L7Permission(http: http)))
    #expect(disposition("other", .tcp(80)) == .dropped(.noRule, .ingress))
    town.apply(policy("q", on: ["app": "client"], egressDeny: [rule(["app": "web"])]))
    #expect(disposition("client", .tcp(80)) == .dropped(.denyRule, .egress))
  }
}
