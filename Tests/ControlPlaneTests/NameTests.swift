import Cluster
import Manifests
import MapABI
import Testing
import Wire

@testable import ControlPlane

@Suite("Names") struct NameTests {
  private let second: UInt64 = 1_000_000_000
  private let address = Fixture.address("203.0.113.7")

  @Test(
    "Patterns of names",
    arguments: [
      (
        "*.stripe.com", ["api.stripe.com", "API.Stripe.com.", ".stripe.com."],
        ["stripe.com", "a.b.stripe.com"]
      ),
      ("**.stripe.com", ["a.stripe.com", "a.b.stripe.com"], ["stripe.com", ".stripe.com"]),
      ("*", ["a", "a.b.c", "."], ["a b", "a..b"]),
      ("stripe.com", ["stripe.com", "STRIPE.COM."], ["xstripe.com", "stripexcom", "stripe.com.evil"]),
      ("sub*.x", ["sub.x", "sub1.x"], ["sub.a.x"]),
    ] as [(String, [String], [String])])
  func patterns(_ pattern: String, _ matching: [String], _ others: [String]) {
    let pattern = DNSPattern(FQDNSelector(matchPattern: pattern))
    for name in matching where name.first != "." || name == "." { #expect(pattern.matches(name), "\(name)") }
    for name in others { #expect(!pattern.matches(name), "\(name)") }
  }

  private func plane(preallocates: Bool = true) throws -> ControlPlane {
    let set = ManifestReader().read(
      """
      apiVersion: cilium.io/v2
      kind: CiliumNetworkPolicy
      metadata: {name: names}
      spec:
        endpointSelector: {matchLabels: {app: curl-client}}
        egress:
          - toFQDNs: [{matchName: api.example}, {matchPattern: "*.example"}]
            toPorts: [{ports: [{port: "443", protocol: TCP}]}]
          - toCIDR: [198.51.100.0/24]
      """, file: "policy.yaml")
    try #require(set.findings.isEmpty, "\(set.findings)")
    var settings = Fixture.settings()
    settings.dnsProxy.preAllocateIdentities = preallocates
    var plane = ControlPlane(settings: settings, network: Fixture.kind().network)
    _ = plane.reconcile(Fixture.state(Fixture.kind(), Fixture.flagship + set.entries.map(\.object)))
    #expect(plane.findings.isEmpty)
    return plane
  }

  private func lesson(
    _ plane: ControlPlane, _ name: String, _ addresses: [IPAddress], ttl: UInt32 = 30, at time: UInt64 = 0
  ) throws -> NameLesson {
    let endpoint = try #require(plane.endpoint(of: Fixture.pod("curl-client")))
    return NameLesson(
      node: endpoint.node, endpoint: endpoint.id, name: name, addresses: addresses, ttl: ttl, time: time)
  }

  private func labels(_ plane: ControlPlane, _ address: IPAddress, on node: String) -> [String]? {
    let entry = plane.image(of: node)?.maps.ipcache[exactly: IPCacheKey(CIDR(address))]
    guard let entry else { return nil }
    return plane.identities.first { $0.number == entry.sec_identity }?.labels.labels.map(\.description)
  }

  @Test func identitiesAreThereBeforeAnybodyAsks() throws {
    let names = { (plane: ControlPlane) in
      plane.identities.filter { $0.number >> 24 == 1 }.map { $0.labels.sortedList }.filter {
        $0.contains("fqdn")
      }
    }
    #expect(
      try names(plane()).sorted() == [
        "fqdn:*.example=;reserved:world=;", "fqdn:api.example=;reserved:world=;",
      ])
    #expect(try names(plane(preallocates: false)).isEmpty)
  }

  @Test("A lesson makes identity, policy entries and ipcache entry", arguments: [true, false])
  func learning(_ preallocates: Bool) throws {
    var plane = try plane(preallocates: preallocates)
    let updates = plane.learn(try lesson(plane, "API.example", [address]))
    #expect(
      labels(plane, address, on: "kind-worker2") == ["fqdn:*.example", "fqdn:api.example", "reserved:world"])
    // Other nodes have not asked.
    #expect(labels(plane, address, on: "kind-worker") == nil)
    // The policy map knows the identity before the ipcache leads there.
    let own = try #require(updates.first { $0.node == "kind-worker2" })
    #expect(own.changes.map(\.map) == [.policy, .ipcache])
    #expect(own.changes.last?.key(as: IPCacheKey.self).address == address)
    // A second time nothing changes.
    #expect(plane.learn(try lesson(plane, "api.example.", [address])).isEmpty)
    // A name that nobody asks for teaches nothing.
    #expect(plane.learn(try lesson(plane, "other.test", [Fixture.address("203.0.113.9")])).isEmpty)
  }

  @Test func aPrefixThatHoldsTheAddressKeepsItsLabel() throws {
    var plane = try plane()
    let inside = Fixture.address("198.51.100.9")
    _ = plane.learn(try lesson(plane, "x.example", [inside]))
    #expect(
      labels(plane, inside, on: "kind-worker2") == [
        "fqdn:*.example", "cidr:198.51.100.0/24", "reserved:world",
      ])
  }

  @Test func namesOfPodsAndNodesSayNothing() throws {
    var plane = try plane()
    let pod = try #require(plane.endpoint(of: Fixture.pod("nginx-server"))?.addresses.first)
    #expect(plane.learn(try lesson(plane, "api.example", [pod])).isEmpty)
  }

  @Test func everythingIsAsBeforeWhenItIsForgotten() throws {
    var plane = try plane()
    let before = try #require(plane.image(of: "kind-worker2")).ipcacheLines
    _ = plane.learn(try lesson(plane, "api.example", [address]))
    #expect(plane.collectNames(at: 60 * second).isEmpty)
    for pass in 1...3 {
      plane.noteConntrackPass(on: "kind-worker2", alive: [:], at: UInt64(pass) * 300 * second)
    }
    let updates = plane.collectNames(at: 1000 * second)
    #expect(updates.contains { $0.node == "kind-worker2" && $0.changes.contains { $0.map == .ipcache } })
    #expect(try #require(plane.image(of: "kind-worker2")).ipcacheLines == before)
  }

  @Test func reconcilingKeepsWhatWasLearnt() throws {
    var plane = try plane()
    _ = plane.learn(try lesson(plane, "api.example", [address]))
    let before = try #require(plane.image(of: "kind-worker2")).ipcacheLines
    var settings = plane.settings
    settings.policy.auditMode = true
    plane.configure(settings)
    let set = Fixture.state(Fixture.kind(), Fixture.flagship)
    _ = plane.reconcile(set)
    // The policy is gone, and with it the name's identity.
    #expect(labels(plane, address, on: "kind-worker2") == nil)
    #expect(try #require(plane.image(of: "kind-worker2")).ipcacheLines.count < before.count)
  }

  // MARK: Forgetting

  private func cache(_ lifetime: UInt64 = 30) -> NameCache {
    var cache = NameCache()
    cache.learn("a.", [address], endpoint: 1, lifetime: lifetime * second, now: 0)
    return cache
  }

  @Test func aLivingConnectionKeepsTheAddress() {
    var cache = cache()
    for pass in 1...5 {
      cache.collect(limit: 100, now: UInt64(pass) * 60 * second)
      cache.notePass(endpoint: 1, alive: [address], now: UInt64(pass) * 300 * second)
    }
    cache.collect(limit: 100, now: 1600 * second)
    #expect(cache.addresses["a."] == [address])
    for pass in 6...8 { cache.notePass(endpoint: 1, alive: [], now: UInt64(pass) * 300 * second) }
    cache.collect(limit: 100, now: 2500 * second)
    #expect(cache.addresses.isEmpty)
  }

  @Test func twoPassesMustGoBy() {
    var cache = cache()
    cache.collect(limit: 100, now: 60 * second)
    cache.notePass(endpoint: 1, alive: [], now: 300 * second)
    cache.collect(limit: 100, now: 360 * second)
    #expect(cache.addresses["a."] == [address])
    cache.notePass(endpoint: 1, alive: [], now: 600 * second)
    cache.collect(limit: 100, now: 660 * second)
    #expect(cache.addresses.isEmpty)
  }

  @Test func anAnswerThatComesAgainStartsAnew() {
    var cache = cache()
    cache.collect(limit: 100, now: 60 * second)
    cache.learn("a.", [address], endpoint: 1, lifetime: 3600 * second, now: 70 * second)
    for pass in 1...4 { cache.notePass(endpoint: 1, alive: [], now: UInt64(pass) * 300 * second) }
    cache.collect(limit: 100, now: 1300 * second)
    #expect(cache.addresses["a."] == [address])
  }

  @Test func aNameHasNoMoreAddressesThanAllowed() {
    var cache = NameCache()
    let many = (1...5).compactMap { IPAddress("203.0.113.\($0)") }
    for (index, address) in many.enumerated() {
      cache.learn("a.", [address], endpoint: 1, lifetime: UInt64(1000 + index) * second, now: 0)
    }
    cache.collect(limit: 2, now: second)
    for pass in 1...3 { cache.notePass(endpoint: 1, alive: [], now: UInt64(1100 + pass * 300) * second) }
    cache.learn("a.", Array(many.suffix(2)), endpoint: 1, lifetime: 9000 * second, now: 2000 * second)
    cache.collect(limit: 2, now: 2100 * second)
    #expect(cache.addresses["a."] == Set(many.suffix(2)))
  }
}
