import Cluster
import MapABI
import Testing
import Wire

@testable import ControlPlane

@Suite("Nodes and pods") struct NodesAndPodsTests {
  @Test func kindNodesWithKubernetesIPAM() {
    var plane = Fixture.controlPlane()
    _ = plane.reconcile(Fixture.state())
    #expect(plane.nodes.map(\.name) == ["kind-control-plane", "kind-worker", "kind-worker2"])
    #expect(
      plane.nodes.map { "\($0.addresses[0])" } == ["172.18.0.2", "172.18.0.3", "172.18.0.4"])
    #expect(
      plane.nodes.map { "\($0.podCIDRs[0])" } == ["10.244.0.0/24", "10.244.1.0/24", "10.244.2.0/24"])
    #expect(plane.nodes.map { "\($0.routerAddresses)" } == ["[10.244.0.1]", "[10.244.1.1]", "[10.244.2.1]"])
    #expect(plane.nodes.map { "\($0.healthAddresses)" } == ["[10.244.0.2]", "[10.244.1.2]", "[10.244.2.2]"])
    #expect(plane.nodes[0].devices.map(\.ifindex) == [1, 2, 3, 4, 5])
    #expect(
      plane.nodes[0].devices.map(\.name) == ["lo", "eth0", "cilium_net", "cilium_host", "cilium_vxlan"])
    #expect(plane.nodes[0].mtu == 1500 && plane.nodes[0].routeMTU == 1450)
  }

  @Test func dualStack() {
    var plane = Fixture.controlPlane(.dual)
    _ = plane.reconcile(Fixture.state(Fixture.kind(.dual)))
    let node = plane.nodes[1]
    #expect(node.addresses.map(\.description) == ["172.18.0.3", "fc00:f853:ccd:e793::3"])
    #expect(node.podCIDRs.map(\.description) == ["10.244.1.0/24", "fd00:10:244:1::/64"])
    #expect(node.routerAddresses.map(\.description) == ["10.244.1.1", "fd00:10:244:1::1"])
    #expect(plane.pods.allSatisfy { $0.addresses.map(\.family) == [.ipv4, .ipv6] })
    #expect(plane.findings.isEmpty)
  }

  @Test func ipv6Only() {
    var plane = Fixture.controlPlane(.ipv6)
    _ = plane.reconcile(Fixture.state(Fixture.kind(.ipv6)))
    #expect(plane.nodes.map { "\($0.podCIDRs)" }.first == "[fd00:10:244::/64]")
    #expect(plane.nodes[0].routeMTU == 1430)
    #expect(
      plane.services.first { $0.id.name == "kube-dns" }?.clusterIPs.map(\.description) == ["fd00:10:96::a"])
  }

  /// Two prefixes of four addresses' room: behaviours 104 to 107.
  @Test func clusterPoolIsExhausted() {
    var settings = Fixture.settings()
    settings.ipam.mode = .clusterPool
    settings.ipam.ipv4PodCIDRs = [Fixture.cidr("10.0.42.0/28"), Fixture.cidr("10.0.84.0/28")]
    settings.ipam.ipv4MaskSize = 29
    let nodes = (1...5).map { number in
      ClusterObject.node(
        Node(metadata: Metadata(name: "n\(number)"), addresses: [Fixture.address("172.18.0.\(number + 1)")]))
    }
    let pods = (0..<10).map { ClusterObject.pod(Fixture.pod("p\($0)", on: "n2")) }
    var plane = ControlPlane(settings: settings, network: Fixture.kind().network)
    _ = plane.reconcile(ClusterState(nodes + pods))
    #expect(
      plane.nodes.map(\.podCIDRs).map { $0.map(\.description) } == [
        ["10.0.42.0/29"], ["10.0.42.8/29"], ["10.0.84.0/29"], ["10.0.84.8/29"], [],
      ])
    #expect(plane.node("n5")?.hasStarted == false)
    #expect(plane.image(of: "n5") == nil)
    let own = plane.pods.filter { $0.node == "n2" && $0.id.namespace == "default" }
    let running = own.filter { $0.phase == .running }
    let system = plane.pods.filter { $0.node == "n2" && $0.id.namespace == "kube-system" }
    #expect(running.count + system.count == 4)
    #expect(own.count == 10)
    let waiting = own.filter { $0.phase == .containerCreating }
    #expect(waiting.count == 10 - running.count)
    #expect(waiting.allSatisfy { $0.reason.contains("range is full") && $0.addresses.isEmpty })
    #expect(plane.findings.contains { $0.id == "pod-not-running" })
    #expect(plane.findings.contains { $0.id == "agent-not-started" })
    // An address that becomes free is given to one that waits.
    let fewer = ClusterState(nodes + pods.filter { $0.metadata.name != running[0].id.name })
    _ = plane.reconcile(fewer)
    #expect(plane.pods.filter { $0.node == "n2" && $0.phase == .running }.count == 4)
  }

  @Test func aPodMadeAnewHasAnotherAddressAndTheSameIdentity() throws {
    var plane = Fixture.controlPlane()
    let with = Fixture.state(Fixture.kind(), Fixture.flagship)
    let without = Fixture.state(
      Fixture.kind(), Fixture.flagship.filter { $0.metadata.name != "curl-client" })
    _ = plane.reconcile(with)
    let before = try #require(plane.endpoint(of: Fixture.pod("curl-client")))
    _ = plane.reconcile(without)
    #expect(plane.endpoint(of: Fixture.pod("curl-client")) == nil)
    _ = plane.reconcile(with)
    let after = try #require(plane.endpoint(of: Fixture.pod("curl-client")))
    #expect(after.addresses != before.addresses)
    #expect(after.identity == before.identity)
    #expect(after.id == before.id && after.device == before.device)
  }

  @Test func changedLabelsChangeTheIdentity() throws {
    var plane = Fixture.controlPlane()
    var state = Fixture.state(Fixture.kind(), Fixture.flagship)
    _ = plane.reconcile(state)
    let before = try #require(plane.endpoint(of: Fixture.pod("curl-client")))
    try state.label(
      ObjectReference(.pod, namespace: "default", name: "curl-client"), [LabelChange("app", "other")])
    let updates = plane.reconcile(state)
    let after = try #require(plane.endpoint(of: Fixture.pod("curl-client")))
    #expect(after.identity != before.identity && after.addresses == before.addresses)
    // Every node learns of it.
    #expect(updates.map(\.node) == ["kind-control-plane", "kind-worker", "kind-worker2"])
    #expect(updates[1].changes.map(\.map) == [.ipcache])
  }

  @Test func pinsOfADumpWin() throws {
    var plane = Fixture.controlPlane()
    var pod = Fixture.pod("web", on: "kind-worker", labels: ["app": "web"])
    pod.podIPs = [Fixture.address("10.244.1.77")]
    let labels: Labels = [
      "k8s:app": "web", "k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name": "default",
      "k8s:io.cilium.k8s.policy.cluster": "kind-kind",
      "k8s:io.cilium.k8s.policy.serviceaccount": "default", "k8s:io.kubernetes.pod.namespace": "default",
    ]
    _ = plane.reconcile(
      Fixture.state(
        Fixture.kind(),
        [
          .pod(pod),
          .identity(
            CiliumIdentity(metadata: Metadata(name: "62651"), number: 62_651, securityLabels: labels)),
          .ciliumEndpoint(
            CiliumEndpoint(metadata: Metadata(namespace: "default", name: "web"), endpointID: 812)),
        ]))
    let endpoint = try #require(plane.endpoint(of: Fixture.pod("web")))
    #expect(endpoint.addresses == [Fixture.address("10.244.1.77")])
    #expect(endpoint.identity == 62_651)
    #expect(endpoint.id == 812)
    #expect(plane.findings.isEmpty)
  }

  @Test func aPodOnAMissingNodeIsPendingAndReported() throws {
    var plane = Fixture.controlPlane()
    _ = plane.reconcile(Fixture.state(Fixture.kind(), [.pod(Fixture.pod("lost", on: "kind-worker9"))]))
    let pod = try #require(plane.pod(Fixture.pod("lost")))
    #expect(pod.phase == .pending && pod.reason == "node kind-worker9 does not exist")
    #expect(plane.findings.map(\.id) == ["pod-not-running"])
  }

  @Test func anAgentThatIsDownChangesNothingAndStartsNoPod() throws {
    var plane = Fixture.controlPlane()
    _ = plane.reconcile(Fixture.state(Fixture.kind(), Fixture.flagship))
    plane.setAgent("kind-worker2", isDown: true)
    let more =
      Fixture.flagship + [
        .pod(Fixture.pod("late", on: "kind-worker2")), .pod(Fixture.pod("b", on: "kind-worker")),
      ]
    let state = Fixture.state(Fixture.kind(), more)
    let before = plane.image(of: "kind-worker2")?.ipcacheLines
    let updates = plane.reconcile(state)
    #expect(!updates.contains { $0.node == "kind-worker2" })
    #expect(plane.image(of: "kind-worker2")?.ipcacheLines == before)
    #expect(plane.pod(Fixture.pod("late"))?.phase == .containerCreating)
    #expect(plane.pod(Fixture.pod("b"))?.phase == .running)
    plane.setAgent("kind-worker2", isDown: false)
    let later = plane.reconcile(state)
    let caughtUp = try #require(later.first { $0.node == "kind-worker2" })
    #expect(caughtUp.changes.contains { $0.map == .ipcache })
    #expect(plane.pod(Fixture.pod("late"))?.phase == .running)
    #expect(
      plane.image(of: "kind-worker2")?.ipcacheLines.contains {
        $0.hasPrefix("10.244.1.4/32 ") && $0.hasSuffix(" via 172.18.0.3")
      } == true)
  }

  @Test func workloadsMakePodsWithStableNames() throws {
    func deployment(_ name: String, replicas: Int, image: String = "nginx") -> ClusterObject {
      .workload(
        Workload(
          metadata: Metadata(namespace: "default", name: name), type: .deployment, replicas: replicas,
          template: PodTemplate(
            labels: ["app": name], spec: PodSpec(containers: [Container(name: "c", image: image)]))))
    }
    var plane = Fixture.controlPlane()
    func names() -> [String] { plane.pods.filter { $0.id.namespace == "default" }.map(\.id.name) }
    _ = plane.reconcile(Fixture.state(Fixture.kind(), [deployment("web", replicas: 2)]))
    let two = names()
    #expect(two.count == 2)
    for name in two {
      let parts = name.split(separator: "-")
      #expect(parts.map(\.count) == [3, 10, 5] && parts[0] == "web")
      #expect(parts.dropFirst().joined().allSatisfy { "bcdfghjklmnpqrstvwxz2456789".contains($0) })
    }
    // One on each worker, none on the control plane.
    #expect(
      Set(plane.pods.filter { $0.id.namespace == "default" }.compactMap(\.node)) == [
        "kind-worker", "kind-worker2",
      ])
    _ = plane.reconcile(
      Fixture.state(Fixture.kind(), [deployment("web", replicas: 3), deployment("api", replicas: 1)]))
    #expect(names().count == 4 && two.allSatisfy { names().contains($0) })
    _ = plane.reconcile(Fixture.state(Fixture.kind(), [deployment("web", replicas: 2, image: "nginx:2")]))
    #expect(names().count == 2 && !names().contains(two[0]))
  }

  @Test func setsOfPods() throws {
    let template = PodTemplate(labels: ["app": "x"], spec: PodSpec(containers: [Container(name: "c")]))
    func workload(_ type: Workload.Kind, _ name: String, _ replicas: Int = 1) -> ClusterObject {
      .workload(
        Workload(
          metadata: Metadata(namespace: "default", name: name), type: type, replicas: replicas,
          template: template))
    }
    var plane = Fixture.controlPlane()
    _ = plane.reconcile(
      Fixture.state(Fixture.kind(), [workload(.statefulSet, "db", 2), workload(.daemonSet, "agent")]))
    let names = plane.pods.filter { $0.id.namespace == "default" }
    #expect(names.map(\.id.name).filter { $0.hasPrefix("db-") } == ["db-0", "db-1"])
    let daemons = names.filter { $0.id.name.hasPrefix("agent-") }
    #expect(daemons.compactMap(\.node).sorted() == ["kind-worker", "kind-worker2"])
    // The number of a StatefulSet's pod is no part of its identity.
    let identities = names.filter { $0.id.name.hasPrefix("db-") }.compactMap {
      plane.endpoint(of: $0.id)?.identity
    }
    #expect(Set(identities).count == 1 && identities.count == 2)
  }

  @Test func ownersInADumpKeepTheirPods() {
    let deployment = ObjectReference(.deployment, namespace: "default", name: "web")
    let set = ObjectReference(.replicaSet, namespace: "default", name: "web-1")
    let template = PodTemplate(labels: ["app": "web"])
    var pod = Fixture.pod("web-1-abcde", on: "kind-worker", labels: ["app": "web"])
    pod.metadata.owner = set
    var plane = Fixture.controlPlane()
    _ = plane.reconcile(
      Fixture.state(
        Fixture.kind(),
        [
          .workload(
            Workload(
              metadata: Metadata(namespace: "default", name: "web"), type: .deployment, replicas: 1,
              template: template)),
          .workload(
            Workload(
              metadata: Metadata(namespace: "default", name: "web-1", owner: deployment), type: .replicaSet,
              replicas: 1, template: template)),
          .pod(pod),
        ]))
    #expect(plane.pods.filter { $0.id.namespace == "default" }.map(\.id.name) == ["web-1-abcde"])
  }

  @Test func whatPodsListenOn() {
    var findings: [Finding] = []
    func ports(_ pod: Pod) -> [String] { ListeningPort.ports(of: pod, &findings).map(\.description) }
    #expect(
      ports(Fixture.pod("a", image: "docker.io/library/nginx:1.27@sha256:ab", ports: [ContainerPort(81)]))
        == ["80/TCP"])
    #expect(ports(Fixture.pod("a", image: "mine/thing", ports: [ContainerPort(81)])) == ["81/TCP"])
    var annotated = Fixture.pod("a", image: "nginx")
    annotated.metadata.annotations[ListeningPort.annotation] = "8080,53/UDP"
    #expect(ports(annotated) == ["8080/TCP", "53/UDP"])
    #expect(findings.isEmpty)
    annotated.metadata.annotations[ListeningPort.annotation] = "x/TCP,70000"
    #expect(ports(annotated).isEmpty && findings.count == 2)
  }

  @Test func hostNetworkPodsHaveTheirNodesAddressAndNoEndpoint() throws {
    var plane = Fixture.controlPlane()
    _ = plane.reconcile(
      Fixture.state(Fixture.kind(), [.pod(Fixture.pod("h", on: "kind-worker", host: true))]))
    let pod = try #require(plane.pod(Fixture.pod("h")))
    #expect(pod.addresses == [Fixture.address("172.18.0.3")] && pod.phase == .running)
    #expect(plane.endpoint(of: Fixture.pod("h")) == nil)
  }
}
