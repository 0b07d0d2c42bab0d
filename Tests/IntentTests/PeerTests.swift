import Cluster
import Intent
import Testing
import Wire

/// Entities, prefixes, groups, services and names.
@Suite struct PeerTests {
  private let peers = ["client", "ops/monitor", "node/n1", "node/n2", "203.0.113.7", "10.9.9.9"]

  private func egress(
    _ peers: PolicyPeers, _ ports: [PortProtocol] = [], change: (inout Town) -> Void = { _ in }
  ) -> String {
    var town = Town()
    town.apply(policy(egress: [rule(peers, ports)]))
    change(&town)
    return String(self.peers.map { town.cell("web", $0) })
  }

  @Test func entities() {
    func entities(_ entities: Entity...) -> PolicyPeers {
      PolicyPeers(entities: entities.map { Located($0) })
    }
    let rows: [(PolicyPeers, String)] = [
      (entities(.all), "......"),
      (entities(.world), "XXXX.."),
      (entities(.cluster), "....XX"),
      (entities(.host), "XX.XXX"),
      (entities(.remoteNode), "XXX.XX"),
      // n1 runs the API server, and is the pod's own node.
      (entities(.kubeAPIServer), "XX.XXX"),
      (entities(.none), "XXXXXX"),
      (entities(.health, .ingress, .`init`, .unmanaged), "XXXXXX"),
      (entities(.host, .world), "XX.X.."),
    ]
    for (peers, expected) in rows { #expect(egress(peers) == expected, "\(peers.entities ?? [])") }
  }

  @Test func theWorldHasItsFamilysNameInDualStack() {
    let v4 = PolicyPeers(entities: [Located(.worldIPv4)])
    #expect(egress(v4) == "XXXXXX")
    #expect(egress(v4) { $0.settings.ipv6Enabled = true } == "XXXX..")
    #expect(
      egress(PolicyPeers(entities: [Located(.worldIPv6)])) { $0.settings.ipv6Enabled = true } == "XXXXXX")
  }

  @Test func prefixesMatchTheWorldAlone() {
    #expect(egress(PolicyPeers(cidrs: [cidr("0.0.0.0/0")])) == "XXXX..")
    #expect(egress(PolicyPeers(cidrs: [cidr("10.0.0.0/8")])) == "XXXXX.")
    #expect(egress(PolicyPeers(cidrs: [cidr("10.0.0.0/8"), cidr("203.0.113.7/32")])) == "XXXX..")
    let holed = CIDRRule(cidr: cidr("0.0.0.0/0").value, except: [cidr("10.9.0.0/16")])
    #expect(egress(PolicyPeers(cidrSets: [holed])) == "XXXX.X")
  }

  @Test func prefixesMatchNodesWhereCiliumIsToldSo() {
    let node = PolicyPeers(cidrs: [cidr("172.18.0.0/16")])
    #expect(egress(node) == "XXXXXX")
    #expect(egress(node) { $0.settings.policy.cidrMatchesNodes = true } == "XX..XX")
    // The whole world still has no nodes in it.
    let world = PolicyPeers(cidrs: [cidr("0.0.0.0/0")])
    #expect(egress(world) { $0.settings.policy.cidrMatchesNodes = true } == "XXXX..")
  }

  @Test func groupsOfPrefixes() {
    func groups(_ town: inout Town) {
      for (name, prefix, kind) in [("a", "203.0.113.0/24", "partner"), ("b", "10.9.0.0/16", "office")] {
        town.apply(
          .cidrGroup(
            CiliumCIDRGroup(
              metadata: Metadata(name: name, labels: ["kind": kind]), externalCIDRs: [cidr(prefix)])))
      }
    }
    func select(_ op: LabelSelector.Operator, _ values: String...) -> PolicyPeers {
      let selector = LabelSelector(matchExpressions: [.init(key: "kind", op: op, values: values)])
      return PolicyPeers(cidrSets: [CIDRRule(groupSelector: selector)])
    }
    #expect(egress(PolicyPeers(cidrSets: [CIDRRule(groupName: "a")]), change: groups) == "XXXX.X")
    #expect(egress(PolicyPeers(cidrSets: [CIDRRule(groupName: "c")]), change: groups) == "XXXXXX")
    #expect(egress(select(.in, "office"), change: groups) == "XXXXX.")
    #expect(egress(select(.exists), change: groups) == "XXXX..")
    // What only excludes matches everyone who is in no group, pods too.
    #expect(egress(select(.notIn, "office"), change: groups) == ".....X")
    let except = CIDRRule(groupName: "a", except: [cidr("203.0.113.7/32")])
    #expect(egress(PolicyPeers(cidrSets: [except]), change: groups) == "XXXXXX")
  }

  @Test func services() {
    func town(_ selector: Labels?) -> (inout Town) -> Void {
      { town in
        town.apply(.service(Service(metadata: Metadata(namespace: "ops", name: "s"), selector: selector)))
        town.apply(
          .endpointSlice(
            EndpointSlice(
              metadata: Metadata(namespace: "ops", name: "s-1", labels: [EndpointSlice.serviceLabel: "s"]),
              addressType: .ipv4, endpoints: [SliceEndpoint(addresses: [ip("10.9.9.9"), ip("10.244.1.11")])]))
        )
      }
    }
    func service(_ name: String, _ namespace: String = "ops") -> PolicyPeers {
      PolicyPeers(services: [ServicePeer(targets: [.name(NamespacedName(namespace: namespace, name: name))])])
    }
    #expect(egress(service("s"), change: town(["role": "monitor"])) == "X.XXXX")
    #expect(egress(service("s", ""), change: town(["role": "monitor"])) == "X.XXXX")
    #expect(egress(service("s", "default"), change: town(["role": "monitor"])) == "XXXXXX")
    // Without selector its addresses count, and those of pods are no prefixes of the world.
    #expect(egress(service("s"), change: town(nil)) == "XXXXX.")
    // A service that there is not: nobody without a port, everyone with one.
    #expect(egress(service("gone")) == "XXXXXX")
    #expect(egress(service("gone"), [tcp(80)]) == "......")
    let byLabel = PolicyPeers(services: [
      ServicePeer(targets: [.selector(LabelSelector(matchLabels: ["a": "b"]), namespace: "")])
    ])
    #expect(egress(byLabel, change: town(["role": "monitor"])) == "XXXXXX")
  }

  @Test func names() {
    func names(_ name: String?, _ pattern: String? = nil) -> PolicyPeers {
      PolicyPeers(fqdns: [FQDNSelector(matchName: name, matchPattern: pattern)])
    }
    func learn(_ town: inout Town) {
      town.options.names = [
        LearntName("api.example.com", ip("203.0.113.7")), LearntName("web.example.com", ip("10.244.1.11")),
      ]
    }
    #expect(egress(names("api.example.com")) == "XXXXXX")
    #expect(egress(names("api.example.com"), change: learn) == "XXXX.X")
    #expect(egress(names("API.example.com."), change: learn) == "XXXX.X")
    // The address of a pod is no name's.
    #expect(egress(names(nil, "*.example.com"), change: learn) == "XXXX.X")
    #expect(egress(names(nil, "*"), change: learn) == "XXXX.X")
    #expect(egress(names("other.example.com"), change: learn) == "XXXXXX")
  }

  @Test func patternsOfNames() {
    let rows: [(String, matches: [String], not: [String])] = [
      ("*.cilium.io", ["www.cilium.io", "blog.cilium.io."], ["cilium.io", "a.b.cilium.io", "ciliumxio"]),
      ("*cilium.io", ["cilium.io", "sub-cilium.io"], ["www.cilium.io"]),
      ("sub*.cilium.io", ["sub.cilium.io", "SUBdomain.cilium.io"], ["www.cilium.io"]),
      ("**.cilium.io", ["app.cilium.io", "test.app.cilium.io"], ["cilium.io", ".cilium.io"]),
      ("**.*.io", ["a.b.io", "x.a.b.io"], ["a.io"]),
      ("*", ["anything.at.all", "x"], ["not a name"]),
      ("a*b*c.io", ["abc.io", "a1b2c.io"], ["ac.io", "a.b.c.io"]),
    ]
    for (pattern, matches, not) in rows {
      for name in matches + not {
        var town = Town()
        town.options.names = [LearntName(name, ip("203.0.113.7"))]
        town.apply(policy(egress: [rule(PolicyPeers(fqdns: [FQDNSelector(matchPattern: pattern)]))]))
        #expect((town.cell("web", "203.0.113.7") == ".") == matches.contains(name), "\(pattern) \(name)")
      }
    }
  }
}
