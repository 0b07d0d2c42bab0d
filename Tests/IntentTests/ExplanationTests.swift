import Cluster
import Intent
import Testing
import Wire

@Suite struct ExplanationTests {
  private func ingress(_ town: Town, _ from: String, _ transport: Transport = .tcp(80)) -> Explanation {
    town.intent.explain(Traffic(from: town.subject(from), to: town.subject("web"), transport)).ingress
  }

  @Test func words() {
    var town = Town()
    #expect(
      ingress(town, "client").text
        == "Ingress from default/client to default/web on 80/TCP is allowed: no policy selects default/web for ingress."
    )
    town.apply(policy("allow", ingress: [rule(["app": "client"], tcp(80))]))
    #expect(
      ingress(town, "client").text
        == "Ingress from default/client to default/web on 80/TCP is allowed: CiliumNetworkPolicy default/allow "
        + "ingress[0].fromEndpoints[0] toPorts[0].ports[0] allows it (L3-L4).")
    #expect(
      ingress(town, "client", .tcp(81)).text
        == "Ingress from default/client to default/web on 81/TCP is denied (drop 133): CiliumNetworkPolicy "
        + "default/allow selects default/web, which turns default deny on, and no ingress rule matches "
        + "default/client (k8s:app=client, k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name=default, "
        + "k8s:io.cilium.k8s.policy.cluster=kind, k8s:io.cilium.k8s.policy.serviceaccount=default, "
        + "k8s:io.kubernetes.pod.namespace=default). Nearest rule: CiliumNetworkPolicy default/allow "
        + "ingress[0].fromEndpoints[0]: its ports are 80/TCP.")
    town.apply(policy("deny", ingressDeny: [rule(["app": "client"])]))
    #expect(
      ingress(town, "client").text
        == "Ingress from default/client to default/web on 80/TCP is denied (drop 181): CiliumNetworkPolicy "
        + "default/deny ingressDeny[0].fromEndpoints[0] denies it (L3-Only), and deny goes before allow.")
    #expect(
      ingress(town, "node/n1").text
        == "Ingress from node/n1 to default/web on 80/TCP is allowed: a node reaches its own pods where no rule "
        + "says otherwise.")
  }

  @Test func nearMissesByDistance() {
    var town = Town()
    town.apply(
      policy(ingress: [
        rule(["app": "x", "role": "y"], tcp(80)), rule(["app": "client"], tcp(81)),
        rule(["app": "x"], tcp(80)),
        rule(["app": "x"], tcp(81)), rule(nil, tcp(82)), TrafficRule(),
      ]))
    let misses = ingress(town, "client").nearMisses
    #expect(misses.map(\.rule.index) == [1, 4, 2])
    #expect(misses.map(\.lack) == [.port("81/TCP"), .port("82/TCP"), .peer("needs app=x, and it is client")])
    #expect(ingress(town, "other", .udp(80)).nearMisses.first?.lack == .port("82/TCP"))
  }

  @Test func theNamespaceThatWasNotMeant() {
    var town = Town()
    town.apply(policy(ingress: [rule(["app": "client"])]))
    #expect(
      ingress(town, "ops/monitor").nearMisses.first?.lack
        == .peer("needs k8s:io.kubernetes.pod.namespace=default, and it is ops"))
  }

  @Test func prefixesThatCoverPods() {
    var town = Town()
    town.apply(policy(ingress: [rule(PolicyPeers(cidrs: [cidr("10.0.0.0/8")]))]))
    #expect(
      ingress(town, "client").nearMisses.first?.lack
        == .peer("10.244.1.11 is in the cluster, where prefixes do not count"))
  }

  @Test func redirectsAndOthersThatMatched() {
    var town = Town()
    town.apply(
      policy(ingress: [
        rule(["app": "client"], tcp(80), http: [HTTPRule(method: "GET")]), rule(["app": "client"]),
      ]))
    #expect(
      ingress(town, "client").text
        == "Ingress from default/client to default/web on 80/TCP is redirected to the HTTP proxy: "
        + "CiliumNetworkPolicy default/p ingress[0].fromEndpoints[0] toPorts[0].ports[0] asks for layer 7 (L3-L4). "
        + "Also matched: CiliumNetworkPolicy default/p ingress[1].fromEndpoints[0].")
  }
}
