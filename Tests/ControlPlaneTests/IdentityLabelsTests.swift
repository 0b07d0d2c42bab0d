import Cluster
import Testing
import Wire

@testable import ControlPlane

@Suite("Identity labels") struct IdentityLabelsTests {
  @Test(arguments: [
    ("app", true), ("app.kubernetes.io/name", true), ("k8s-app", true), ("job-name", true),
    ("batch.kubernetes.io/job-name", true), ("io.kubernetes.pod.namespace", true),
    ("io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name", true), ("team.example.com/role", true),
    ("io.kubernetes.container.name", false), ("kubernetes.io/os", false), ("k8s.io/x", false),
    ("statefulset.kubernetes.io/pod-name", false), ("apps.kubernetes.io/pod-index", false),
    ("batch.kubernetes.io/controller-uid", false), ("batch.kubernetes.io/job-completion-index", false),
    ("pod-template-hash", false), ("pod-template-generation", false), ("controller-revision-hash", false),
    ("controller-uid", false), ("annotation.x", false), ("etcd_node", false),
    ("topology.kubernetes.io/zone", false), ("failure-domain.beta.kubernetes.io/zone", false),
    ("beta.kubernetes.io/arch", false),
  ])
  func filter(_ key: String, _ isKept: Bool) { #expect(LabelFilter.keeps(key) == isKept) }

  @Test func ofAPod() {
    var settings = Fixture.settings()
    let pod = Fixture.pod(
      "web", in: "shop", labels: ["app": "web", "pod-template-hash": "abc", "io.cilium.k8s.x": "y"],
      ports: [ContainerPort(name: "http", 80), ContainerPort(name: "dns", 53, .udp), ContainerPort(9)])
    let namespace: Labels = ["kubernetes.io/metadata.name": "shop", "team": "blue"]
    let plain = [
      "k8s:app=web", "k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name=shop",
      "k8s:io.cilium.k8s.namespace.labels.team=blue", "k8s:io.cilium.k8s.policy.cluster=kind-kind",
      "k8s:io.cilium.k8s.policy.serviceaccount=default", "k8s:io.kubernetes.pod.namespace=shop",
    ]
    let current = IdentityLabels(pod: pod, namespaceLabels: namespace, settings: settings)
    #expect(
      current.labels.map(\.description).sorted()
        == (plain + ["gen:io.cilium.k8s.named-ports=dns.UDP.53_http.TCP.80"]).sorted())
    settings.profile = .v119
    let older = IdentityLabels(pod: pod, namespaceLabels: namespace, settings: settings)
    #expect(older.labels.map(\.description) == plain)
    #expect(older.sortedList == plain.map { $0 + ";" }.joined())
  }

  @Test func prefixesAsLabels() {
    #expect(IdentityLabel.cidr(Fixture.cidr("10.0.0.0/8")).description == "cidr:10.0.0.0/8")
    #expect(IdentityLabel.cidr(Fixture.cidr("::1/128")).description == "cidr:0--1/128")
    #expect(IdentityLabel.cidr(Fixture.cidr("fd00::/8")).description == "cidr:fd00--0/8")
    for text in ["10.0.0.0/8", "::1/128", "fd00::/8", "2001:db8:1::5/128"] {
      #expect(IdentityLabels([.cidr(Fixture.cidr(text))]).cidrs == [Fixture.cidr(text)])
    }
  }
}
