import Cluster
import Intent
import Testing
import Wire

@Suite struct MatrixTests {
  private func tiers() -> Town {
    var town = Town()
    for (index, name) in ["frontend", "backend", "db"].enumerated() {
      town.addPod("shop/\(name)", ["tier": name], "n1", "10.244.0.\(30 + index)")
    }
    town.apply(
      policy(
        "backend", in: "shop", on: ["tier": "backend"], ingress: [rule(["tier": "frontend"], tcp(8080))]),
      policy("db", in: "shop", on: ["tier": "db"], ingress: [rule(["tier": "backend"], tcp(5432))]))
    return town
  }

  private func matrix(_ town: Town) -> Matrix {
    let pods = ["shop/frontend", "shop/backend", "shop/db"].map(town.subject)
    return town.intent.matrix(from: pods, to: pods, on: [.tcp(8080), .tcp(5432)])
  }

  @Test func cellsAndTheirRules() {
    let matrix = matrix(tiers())
    #expect(matrix.lines(0) == ["..X", "..X", ".X."])
    #expect(matrix.lines(1) == [".XX", "...", ".X."])
    let cell = matrix[0, 0, 1]
    #expect(matrix.site(cell)?.path == "ingress[0].fromEndpoints[0]")
    #expect(matrix.site(cell)?.policy.name == "backend")
    #expect(matrix[0, 2, 1].reason == .defaultDeny && matrix[0, 2, 1].direction == .ingress)
    #expect(matrix.sites.count == 2)
  }

  @Test func tables() {
    let expected = """
      from/to       shop/frontend shop/backend shop/db
      shop/frontend .             .            X
      shop/backend  .             .            X
      shop/db       .             X            .

      """
    #expect(matrix(tiers()).table(0) == expected)
  }

  @Test func whatAChangeOpensAndCutsOff() {
    let before = tiers()
    var after = before
    after.apply(
      policy(
        "db", in: "shop", on: ["tier": "db"],
        ingress: [rule(["tier": "frontend"], tcp(5432), http: [HTTPRule()])]),
      policy(
        "more", in: "shop", on: ["tier": "frontend"], egressDeny: [rule(["tier": "backend"])],
        defaultDeny: .init(egress: false)))
    let changes = matrix(before).changes(to: matrix(after))
    #expect(
      changes.map(\.description) == [
        "cut off: shop/frontend → shop/backend 8080/TCP, by CiliumNetworkPolicy shop/more egressDeny[0].toEndpoints[0]",
        "opened: shop/frontend → shop/db 5432/TCP, by CiliumNetworkPolicy shop/db ingress[0].fromEndpoints[0] toPorts[0].ports[0]",
        "cut off: shop/backend → shop/db 5432/TCP, no longer by CiliumNetworkPolicy shop/db ingress[0].fromEndpoints[0] toPorts[0].ports[0]",
      ])
    #expect(matrix(before).changes(to: matrix(before)).isEmpty)
  }

  /// A dump of a cluster has the Deployment, its ReplicaSet and their pods.
  @Test func workloadsOfADump() {
    func owned(_ name: String, by owner: ObjectReference?) -> Metadata {
      Metadata(namespace: "a", name: name, labels: ["app": "web"], owner: owner)
    }
    let template = PodTemplate(labels: ["app": "web"])
    let replicaSet = ObjectReference(.replicaSet, namespace: "a", name: "web-1")
    var cluster = ClusterState([
      .workload(Workload(metadata: owned("web", by: nil), type: .deployment, template: template)),
      .workload(
        Workload(
          metadata: owned("web-1", by: ObjectReference(.deployment, namespace: "a", name: "web")),
          type: .replicaSet, template: template)),
      .pod(Pod(metadata: owned("web-1-x", by: replicaSet), podIPs: [IPAddress.v4(IPv4Address(10, 0, 0, 1))])),
      .pod(Pod(metadata: owned("web-1-y", by: replicaSet))),
      .pod(Pod(metadata: owned("alone", by: nil))),
      .pod(Pod(metadata: owned("ds-1", by: ObjectReference(.daemonSet, namespace: "a", name: "ds")))),
      .pod(Pod(metadata: owned("ds-2", by: ObjectReference(.daemonSet, namespace: "a", name: "ds")))),
    ])
    let workloads = Subject.workloads(in: cluster)
    #expect(workloads.map(\.description) == ["a/alone", "a/ds", "a/web"])
    #expect(workloads.last?.addresses.count == 1)
    // Without the workloads' objects the pods' owners stand for them.
    cluster.deployments = ObjectCollection()
    cluster.replicaSets = ObjectCollection()
    #expect(Subject.workloads(in: cluster).map(\.description) == ["a/alone", "a/ds", "a/web-1"])
  }

  /// The matrix, the verdicts and the answers are three ways to the same.
  @Test func agreesWithTheAnswers() {
    let town = tiers()
    let names = ["shop/frontend", "shop/backend", "shop/db", "web", "node/n1", "203.0.113.7"]
    let subjects = names.map(town.subject)
    let intent = town.intent
    let matrix = intent.matrix(from: subjects, to: subjects, on: [.tcp(8080)])
    for (row, from) in subjects.enumerated() {
      for (column, to) in subjects.enumerated() {
        let traffic = Traffic(from: from, to: to, .tcp(8080))
        let answer = intent.answer(traffic)
        let verdicts = intent.verdicts(traffic, intent.policy(of: from), intent.policy(of: to))
        #expect(matrix[0, row, column].verdict == answer.verdict)
        #expect(verdicts == (answer.egress.verdict, answer.ingress.verdict))
      }
    }
  }
}
