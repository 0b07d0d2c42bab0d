import Testing
import Wire

@testable import Cluster

@Suite("Kind clusters and their networks")
struct KindConfigurationTests {
  @Test func machinesAreNamedNumberedAndAddressed() {
    let kind = KindConfiguration(machines: [
      .init(role: .controlPlane), .init(role: .worker, labels: ["topology.kubernetes.io/zone": "zone-a"]),
      .init(role: .worker),
    ])
    let nodes = kind.nodes
    #expect(nodes.map(\.name) == ["kind-control-plane", "kind-worker", "kind-worker2"])
    #expect(nodes.map(\.isControlPlane) == [true, false, false])
    #expect(nodes.map(\.zone) == [nil, "zone-a", nil])
    #expect(
      nodes.map { $0.addresses.map(\.description) } == [["172.18.0.2"], ["172.18.0.3"], ["172.18.0.4"]])
    #expect(nodes[0].taints.count == 1)
    #expect(nodes[1].labels["kubernetes.io/hostname"] == "kind-worker")
    #expect(kind.network.podCIDRs.map(\.description) == ["10.244.0.0/16"])
  }

  @Test func dualStackHasAnAddressOfEachFamily() {
    let kind = KindConfiguration(name: "lab", ipFamily: .dual)
    #expect(kind.nodes.map(\.name) == ["lab-control-plane"])
    #expect(kind.nodes[0].taints.isEmpty)
    #expect(kind.nodes[0].addresses.map(\.description) == ["172.18.0.2", "fc00:f853:ccd:e793::2"])
    #expect(kind.network.serviceCIDRs.map(\.description) == ["10.96.0.0/16", "fd00:10:96::/112"])
  }

  @Test func addressesThatAreGivenStay() throws {
    let network = ClusterNetwork(subnets: [
      .init(cidr: try #require(CIDR("192.168.1.0/30")), nodes: ["b"]),
      .init(cidr: try #require(CIDR("192.168.2.0/24"))),
    ])
    var nodes = ["a", "b", "c", "d"].map { Node(metadata: Metadata(name: $0)) }
    nodes[3].addresses = [try #require(IPAddress("192.168.2.2"))]
    nodes.append(Node(metadata: Metadata(name: "b2")))
    network.assignAddresses(to: &nodes, families: [.ipv4])
    #expect(
      nodes.map { $0.addresses.map(\.description).joined() } == [
        "192.168.2.3", "192.168.1.2", "192.168.2.4", "192.168.2.2", "192.168.2.5",
      ])
    var two = [Node(metadata: Metadata(name: "x")), Node(metadata: Metadata(name: "y"))]
    let tiny = ClusterNetwork(subnets: [.init(cidr: try #require(CIDR("192.168.1.0/30")))])
    two.append(Node(metadata: Metadata(name: "z")))
    tiny.assignAddresses(to: &two, families: [.ipv4])
    #expect(two.map(\.addresses.count) == [1, 1, 0], "a full subnet leaves nodes without address")
  }

  @Test func defaultsFollowTheProfile() {
    #expect(Settings(profile: .v118).policy.defaultLocalCluster == false)
    #expect(Settings().policy.defaultLocalCluster)
    #expect(Settings().routing.effectiveTunnelPort == 8472)
    var geneve = Settings()
    geneve.routing.tunnelProtocol = .geneve
    #expect(geneve.routing.effectiveTunnelPort == 6081)
    geneve.routing.tunnelPort = 99
    #expect(geneve.routing.effectiveTunnelPort == 99)
  }
}
