import Cluster
import Intent
import Testing
import Wire

/// Whom a selector reaches: namespaces, label sources, reserved labels, clusterwide policies.
@Suite struct ScopeTests {
  private func ingress(_ selector: LabelSelector, in namespace: String = "default") -> String {
    var town = Town()
    town.apply(
      policy(in: namespace, ingress: [rule(PolicyPeers(endpoints: [selector]))]))
    return town.row(everybody, "web")
  }

  private func labels(_ labels: Labels) -> LabelSelector { LabelSelector(matchLabels: labels) }

  @Test func selectorsStayInTheirNamespaceUnlessTheyNameOne() {
    #expect(ingress(labels(["app": "client"])) == ".XX.XX")
    #expect(ingress(labels(["k8s:app": "client"])) == ".XX.XX")
    #expect(ingress(labels(["any:app": "client"])) == ".XX.XX")
    #expect(ingress(labels(["container:app": "client"])) == "XXX.XX")
    #expect(ingress(labels(["app": "client", "k8s:io.kubernetes.pod.namespace": "ops"])) == "XX..XX")
    #expect(ingress(labels(["io.kubernetes.pod.namespace": "ops"])) == "XX..XX")
    #expect(ingress(labels(["k8s:io.cilium.k8s.namespace.labels.team": "ops"])) == "XX..XX")
    let anywhere = LabelSelector(matchExpressions: [
      .init(key: "k8s:io.kubernetes.pod.namespace", op: .exists)
    ])
    #expect(ingress(anywhere) == "....XX")
  }

  @Test func reservedLabelsHaveNoNamespace() {
    #expect(ingress(labels(["reserved:host": ""])) == "XXX.XX")
    #expect(ingress(labels(["reserved:remote-node": ""])) == "XXX..X")
    #expect(ingress(labels(["reserved:world": ""])) == "XXX.X.")
    #expect(ingress(labels(["$world": ""])) == "XXX.X.")
  }

  @Test func expressions() {
    func selector(_ key: String, _ op: LabelSelector.Operator, _ values: String...) -> LabelSelector {
      LabelSelector(matchExpressions: [.init(key: key, op: op, values: values)])
    }
    #expect(ingress(selector("app", .in, "x", "client")) == ".XX.XX")
    #expect(ingress(selector("app", .notIn, "client")) == "X.X.XX")
    #expect(ingress(selector("app", .exists)) == ".XX.XX")
    #expect(ingress(selector("app", .doesNotExist)) == "X.X.XX")
  }

  @Test func clusterwidePoliciesReachEveryPodAndNoOneElse() {
    #expect(ingress(labels([:]), in: "") == "....XX")
    #expect(ingress(labels(["app": "client"]), in: "") == ".X..XX")
  }

  @Test func labelsOutsideOfTheIdentityMatchNothing() {
    var town = Town()
    town.addPod(
      "default/web", ["app": "web", "pod-template-hash": "1", "app.kubernetes.io/name": "w"], "n1",
      "10.244.0.10")
    town.apply(policy("a", on: ["pod-template-hash": "1"], ingress: [TrafficRule()]))
    #expect(town.cell("client", "web") == ".")
    town.apply(policy("b", on: ["app.kubernetes.io/name": "w"], ingress: [TrafficRule()]))
    #expect(town.cell("client", "web") == "X")
  }

  @Test func aPolicySelectsInItsOwnNamespaceWhateverItSays() {
    func monitor(_ key: String) -> Character {
      var town = Town()
      town.apply(policy(in: "ops", on: ["app": "client", key: "default"], egress: [TrafficRule()]))
      #expect(town.cell("client", "web") == ".")
      return town.cell("ops/monitor", "web")
    }
    // This spelling is replaced; the other stays, and no pod is in both namespaces.
    #expect(monitor("k8s:io.kubernetes.pod.namespace") == "X")
    #expect(monitor("io.kubernetes.pod.namespace") == ".")
  }

  @Test func serviceAccountsAndClusters() {
    #expect(ingress(labels(["io.cilium.k8s.policy.serviceaccount": "default"])) == "..X.XX")
    #expect(ingress(labels(["io.cilium.k8s.policy.serviceaccount": "robot"])) == "XXX.XX")
    #expect(ingress(labels(["io.cilium.k8s.policy.cluster": "kind"])) == "..X.XX")
    #expect(ingress(labels(["io.cilium.k8s.policy.cluster": "other"])) == "XXX.XX")
  }
}
