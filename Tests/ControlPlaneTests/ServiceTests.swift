import Cluster
import MapABI
import Testing
import Wire

@testable import ControlPlane

@Suite("Services") struct ServiceTests {
  /// Service maps with ids by what they were drawn for.
  private func lines(_ plane: ControlPlane, _ node: String, service: String) throws -> [String] {
    let image = try #require(plane.image(of: node))
    let status = try #require(plane.services.first { $0.id.name == service })
    return image.maps.services4.compactMap { key, value in
      let address = IPAddress.v4(IPv4Address(bits: UInt32(bigEndian: key.address)))
      let port = UInt16(bigEndian: key.dport)
      let isWildcard = port == 0 && status.clusterIPs.contains(address)
      guard isWildcard || status.frontends.contains(where: { $0.port == port }) else { return nil }
      guard
        isWildcard || status.frontends.contains(where: { $0.address == address })
          || image.node == node && plane.node(node)?.addresses.contains(address) == true
      else { return nil }
      let backend = status.backends.first { $0.id == value.backend_id }
      let target = backend.map { "\($0.address):\($0.port)" } ?? "\(value.backend_id)"
      return "\(address):\(port)/\(key.proto)/\(key.scope)[\(key.backend_slot)]"
        + (key.backend_slot > 0 ? " \(target)" : " \(target) \(value.count)+\(value.qcount)")
        + " flags \(String(value.flags, radix: 16)).\(String(value.flags2, radix: 16))"
    }.sorted()
  }

  @Test func aClusterIPWithItsWildcard() throws {
    var plane = Fixture.controlPlane()
    _ = plane.reconcile(Fixture.state(Fixture.kind(), Fixture.flagship))
    let status = try #require(plane.services.first { $0.id.name == "nginx-svc" })
    let vip = try #require(status.clusterIPs.first)
    #expect(Fixture.cidr("10.96.0.0/16").contains(vip))
    for node in plane.nodes {
      #expect(
        try lines(plane, node.name, service: "nginx-svc") == [
          "\(vip):0/0/0[0] 0 0+0 flags 0.0", "\(vip):80/6/0[0] 0 1+0 flags 0.0",
          "\(vip):80/6/0[1] 10.244.1.3:80 flags 0.0",
        ])
    }
    let image = try #require(plane.image(of: "kind-worker2"))
    let index = try #require(status.frontends.first?.id)
    let reverse = try #require(image.maps.reverseNAT4[index.bigEndian])
    #expect(reverse.address == vip.v4?.bits.bigEndian && reverse.port == UInt16(80).bigEndian)
    let backend = try #require(image.maps.backends4[status.backends[0].id])
    #expect(backend.address == Fixture.address("10.244.1.3").v4?.bits.bigEndian)
    #expect(backend.port == UInt16(80).bigEndian && backend.proto == 6 && backend.flags == 0)
    #expect(image.maps.affinityMatch.count == 0)
  }

  @Test func theSystemsServices() throws {
    var plane = Fixture.controlPlane()
    _ = plane.reconcile(Fixture.state())
    #expect(
      try lines(plane, "kind-worker", service: "kubernetes") == [
        "10.96.0.1:0/0/0[0] 0 0+0 flags 0.0", "10.96.0.1:443/6/0[0] 0 1+0 flags 0.0",
        "10.96.0.1:443/6/0[1] 172.18.0.2:6443 flags 0.0",
      ])
    #expect(
      try lines(plane, "kind-worker", service: "kube-dns").filter { $0.contains(":53/17") } == [
        "10.96.0.10:53/17/0[0] 0 2+0 flags 0.0", "10.96.0.10:53/17/0[1] 10.244.0.3:53 flags 0.0",
        "10.96.0.10:53/17/0[2] 10.244.0.4:53 flags 0.0",
      ])
  }

  private func web(_ name: String, on node: String = "kind-worker", http: UInt16 = 8080) -> ClusterObject {
    .pod(
      Fixture.pod(
        name, on: node, labels: ["app": "web"], ports: [ContainerPort(name: "http", http)]))
  }

  private func service(_ change: (inout Service) -> Void = { _ in }) -> ClusterObject {
    var service = Service(
      metadata: Metadata(namespace: "default", name: "web"),
      ports: [ServicePort(80, target: .name("http"))], selector: ["app": "web"],
      clusterIPs: [Fixture.address("10.96.7.7")])
    change(&service)
    return .service(service)
  }

  @Test func aNamedTargetPortIsEachPodsOwn() throws {
    var plane = Fixture.controlPlane()
    var nameless = Fixture.pod("c", on: "kind-worker", labels: ["app": "web"])
    nameless.spec.containers[0].ports = []
    _ = plane.reconcile(
      Fixture.state(Fixture.kind(), [web("a"), web("b", http: 9090), .pod(nameless), service()]))
    #expect(
      try lines(plane, "kind-worker", service: "web").suffix(2) == [
        "10.96.7.7:80/6/0[1] 10.244.1.3:8080 flags 0.0", "10.96.7.7:80/6/0[2] 10.244.1.4:9090 flags 0.0",
      ])
  }

  @Test func readinessDecidesWhoServes() throws {
    var plane = Fixture.controlPlane()
    var state = Fixture.state(Fixture.kind(), [web("a"), web("b"), service()])
    try state.setReady(Fixture.pod("a"), false)
    _ = plane.reconcile(state)
    #expect(
      try lines(plane, "kind-worker", service: "web") == [
        "10.96.7.7:0/0/0[0] 0 0+0 flags 0.0", "10.96.7.7:80/6/0[0] 0 1+0 flags 0.0",
        "10.96.7.7:80/6/0[1] 10.244.1.4:8080 flags 0.0",
      ])
    // Cilium keeps the backend, in maintenance.
    let unready = try #require(plane.services.first { $0.id.name == "web" }?.backends.last)
    #expect(unready.address == Fixture.address("10.244.1.3") && unready.state == .maintenance)
    #expect(plane.image(of: "kind-worker")?.maps.backends4[unready.id]?.flags == 3)
    try state.setReady(Fixture.pod("a"), true)
    let updates = plane.reconcile(state)
    #expect(updates.count == 3)
    #expect(try lines(plane, "kind-worker", service: "web").count == 4)
    // With publishNotReadyAddresses readiness does not matter.
    try state.setReady(Fixture.pod("a"), false)
    state.apply(service { $0.publishNotReadyAddresses = true })
    _ = plane.reconcile(state)
    #expect(try lines(plane, "kind-worker", service: "web").count == 4)
  }

  @Test func headlessAndExternalServicesHaveNoFrontend() throws {
    var plane = Fixture.controlPlane()
    _ = plane.reconcile(
      Fixture.state(
        Fixture.kind(),
        [
          web("a"),
          service {
            $0.clusterIPs = []
            $0.isHeadless = true
          },
          .service(
            Service(metadata: Metadata(namespace: "default", name: "out"), type: .externalName)),
        ]))
    let headless = try #require(plane.services.first { $0.id.name == "web" })
    #expect(headless.frontends.isEmpty && headless.clusterIPs.isEmpty)
    #expect(headless.backends.map(\.address) == [Fixture.address("10.244.1.3")])
    #expect(plane.services.first { $0.id.name == "out" }?.frontends.isEmpty == true)
  }

  @Test func affinity() throws {
    var plane = Fixture.controlPlane()
    _ = plane.reconcile(
      Fixture.state(
        Fixture.kind(), [web("a"), service { $0.sessionAffinity = .init(timeoutSeconds: 90) }]))
    #expect(
      try lines(plane, "kind-worker", service: "web").dropFirst() == [
        "10.96.7.7:80/6/0[0] 90 1+0 flags 10.0", "10.96.7.7:80/6/0[1] 10.244.1.3:8080 flags 10.0",
      ])
    let status = try #require(plane.services.first { $0.id.name == "web" })
    let key = AffinityMatch(
      backend_id: status.backends[0].id, rev_nat_id: status.frontends[0].id.bigEndian, pad: 0)
    #expect(plane.image(of: "kind-worker")?.maps.affinityMatch[key] == 0)
  }

  /// Local internal traffic reaches the node's own backends only.
  @Test func internalTrafficPolicyLocal() throws {
    var plane = Fixture.controlPlane()
    _ = plane.reconcile(
      Fixture.state(
        Fixture.kind(),
        [web("a"), web("b", on: "kind-worker2"), service { $0.internalTrafficPolicy = .local }]))
    #expect(
      try lines(plane, "kind-worker2", service: "web").dropFirst() == [
        "10.96.7.7:80/6/0[0] 0 1+0 flags 0.10", "10.96.7.7:80/6/0[1] 10.244.2.3:8080 flags 0.10",
      ])
    #expect(
      try lines(plane, "kind-control-plane", service: "web").dropFirst() == [
        "10.96.7.7:80/6/0[0] 0 0+0 flags 0.10"
      ])
  }

  @Test func nodePorts() throws {
    var plane = Fixture.controlPlane()
    _ = plane.reconcile(
      Fixture.state(
        Fixture.kind(),
        [
          web("a"), web("b", on: "kind-worker2"),
          service {
            $0.type = .nodePort
            $0.ports = [ServicePort(80, target: .number(8080), nodePort: 30_080)]
            $0.externalTrafficPolicy = .local
          },
        ]))
    // 4 is external-local, 40 is routable, 2 is the node port; .20 says that both scopes exist.
    #expect(
      try lines(plane, "kind-worker", service: "web").filter { $0.contains(":30080/") } == [
        "0.0.0.0:30080/6/0[0] 0 1+0 flags 6.20", "0.0.0.0:30080/6/0[1] 10.244.1.3:8080 flags 6.20",
        "0.0.0.0:30080/6/1[0] 0 2+0 flags 6.20", "0.0.0.0:30080/6/1[1] 10.244.1.3:8080 flags 6.20",
        "0.0.0.0:30080/6/1[2] 10.244.2.3:8080 flags 6.20",
        "172.18.0.3:30080/6/0[0] 0 1+0 flags 46.20", "172.18.0.3:30080/6/0[1] 10.244.1.3:8080 flags 46.20",
        "172.18.0.3:30080/6/1[0] 0 2+0 flags 46.20", "172.18.0.3:30080/6/1[1] 10.244.1.3:8080 flags 46.20",
        "172.18.0.3:30080/6/1[2] 10.244.2.3:8080 flags 46.20",
      ])
  }

  @Test func nodePortsAreDrawnFromTheirRange() throws {
    var plane = Fixture.controlPlane()
    _ = plane.reconcile(Fixture.state(Fixture.kind(), [web("a"), service { $0.type = .nodePort }]))
    let frontend = try #require(
      plane.services.first { $0.id.name == "web" }?.frontends.first { $0.kind == .nodePort })
    #expect((30_000...32_767).contains(frontend.port) && frontend.servicePort == 80)
  }

  @Test func dualStackServices() throws {
    var plane = Fixture.controlPlane(.dual)
    _ = plane.reconcile(
      Fixture.state(
        Fixture.kind(.dual),
        [
          web("a"),
          service {
            $0.clusterIPs = []
            $0.ipFamilyPolicy = .preferDualStack
          },
        ]))
    let status = try #require(plane.services.first { $0.id.name == "web" })
    #expect(status.clusterIPs.map(\.family) == [.ipv4, .ipv6])
    let image = try #require(plane.image(of: "kind-worker2"))
    let vip = try #require(status.clusterIPs.last?.v6)
    func entry(_ port: UInt16, _ transport: UInt8, slot: UInt16) -> ServiceEntry? {
      image.maps.services6[
        ServiceKey6(
          address: AddressWords(vip), dport: port.bigEndian, backend_slot: slot, proto: transport, scope: 0,
          pad: 0)]
    }
    #expect(entry(80, 6, slot: 0)?.count == 1 && entry(0, 0, slot: 0) != nil)
    let backend = try #require(entry(80, 6, slot: 1)?.backend_id)
    #expect(image.maps.backends6[backend]?.address.v6.description == "fd00:10:244:1::3")
    // The same cluster's plain services have one family.
    #expect(plane.services.first { $0.id.name == "kube-dns" }?.clusterIPs.count == 1)
  }

  @Test func endpointsByHand() throws {
    var plane = Fixture.controlPlane()
    let slice = EndpointSlice(
      metadata: Metadata(
        namespace: "default", name: "web-1", labels: [EndpointSlice.serviceLabel: "web"]),
      addressType: .ipv4,
      endpoints: [
        SliceEndpoint(addresses: [Fixture.address("203.0.113.9")]),
        SliceEndpoint(
          addresses: [Fixture.address("203.0.113.8")], isReady: false, isServing: true, isTerminating: true),
      ], ports: [EndpointPort(8443)])
    _ = plane.reconcile(
      Fixture.state(Fixture.kind(), [service { $0.selector = nil }, .endpointSlice(slice)]))
    #expect(
      try lines(plane, "kind-worker", service: "web").dropFirst() == [
        "10.96.7.7:80/6/0[0] 0 1+1 flags 0.0", "10.96.7.7:80/6/0[1] 203.0.113.9:8443 flags 0.0",
        "10.96.7.7:80/6/0[2] 203.0.113.8:8443 flags 0.0",
      ])
  }

  /// A host port is a service that only the pod's own node has.
  @Test func hostPorts() throws {
    func pod(_ name: String, _ port: ContainerPort) -> ClusterObject {
      .pod(Fixture.pod(name, on: "kind-worker", ports: [port]))
    }
    var plane = Fixture.controlPlane()
    _ = plane.reconcile(
      Fixture.state(
        Fixture.kind(),
        [
          pod("any", ContainerPort(80, hostPort: 8080)),
          pod("one", ContainerPort(80, hostPort: 8081, hostIP: Fixture.address("172.18.0.3"))),
          pod("own", ContainerPort(80, hostPort: 8082, hostIP: Fixture.address("127.0.0.1"))),
          pod("ignored", ContainerPort(80, hostPort: 30_000)),
        ]))
    let lines = try #require(plane.image(of: "kind-worker")?.serviceLines).filter { $0.contains(":80") }
    let ids = plane.services.flatMap(\.frontends).filter { $0.kind == .hostPort }.map(\.port)
    #expect(ids.sorted() == [8080, 8081, 8082])
    // 8 is a host port, 72 a routable one; 8 of the second octet keeps it inside the node.
    func flags(_ address: String) -> [String] {
      lines.filter { $0.hasPrefix(address + "/6") && $0.contains("slot 0") }.compactMap {
        $0.split(separator: " ").last.map(String.init)
      }
    }
    #expect(flags("0.0.0.0:8080") == ["8/0"] && flags("172.18.0.3:8080") == ["72/0"])
    #expect(flags("0.0.0.0:8081").isEmpty && flags("172.18.0.3:8081") == ["72/0"])
    #expect(flags("0.0.0.0:8082") == ["8/8"] && flags("172.18.0.3:8082") == ["72/8"])
    #expect(plane.image(of: "kind-worker2")?.serviceLines.contains { $0.contains(":8080/") } == false)
    #expect(plane.findings.map(\.id) == ["host-port-ignored"])
  }

  @Test func olderReleasesHaveNoWildcard() throws {
    var settings = Fixture.settings()
    settings.profile = .v118
    var plane = ControlPlane(settings: settings, network: Fixture.kind().network)
    _ = plane.reconcile(Fixture.state(Fixture.kind(), [web("a"), service()]))
    #expect(try lines(plane, "kind-worker", service: "web").count == 2)
  }

  @Test func aServiceWithoutPodsIsReported() {
    var plane = Fixture.controlPlane()
    _ = plane.reconcile(Fixture.state(Fixture.kind(), [service()]))
    #expect(plane.findings.map(\.id) == ["no-endpoints"])
  }
}
