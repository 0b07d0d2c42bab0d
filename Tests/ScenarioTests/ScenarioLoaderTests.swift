import Cluster
import Foundation
import Manifests
import Testing
import Wire

@testable import Scenario

/// A folder of files that lives as long as the value.
final class Folder {
  let path: String

  init(_ files: [String: String]) throws {
    path = FileManager.default.temporaryDirectory.appending(path: "ciliate-\(UUID().uuidString)").path
    for (name, text) in files {
      let file = URL(filePath: "\(path)/\(name)")
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func load() -> (scenario: LoadedScenario?, findings: [String]) {
    let result = ScenarioLoader.load("\(path)/s.yaml")
    return (result.scenario, result.findings.map { $0.description.replacing(path + "/", with: "") })
  }
}

@Suite("Scenarios and what they name")
struct ScenarioLoaderTests {
  let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c}]}\n"
  let kind =
    "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnodes: [{role: control-plane}, {role: worker}]\n"

  @Test func everythingIsReadRelativeToTheFile() throws {
    let folder = try Folder([
      "s.yaml": scenario(
        """
        cilium: {values: [values.yaml, {ipv6: {enabled: true}}]}
        cluster: {kind: sub/kind.yaml, serviceCIDRs: [10.96.0.0/12], name: west, id: 2}
        manifests: ["m/**/*.yaml"]
        """,
        steps:
          "- apply: m2\n- config: {MTU: 1400}\n- config: {l7Proxy: false}\n- delete: {inline: '\(pod.replacing("\n", with: "\\n").replacing("'", with: "''"))'}"
          .replacing("'", with: "\"")),
      "values.yaml": "kubeProxyReplacement: true\n",
      "sub/kind.yaml": kind,
      "m/a.yaml": pod,
      "m/x/b.yaml": pod.replacing("name: a", with: "name: b"),
      "m/x/skip.txt": "not yaml: [",
      "m2/c.yml": pod.replacing("name: a", with: "name: c"),
    ])
    let (loaded, findings) = folder.load()
    #expect(findings == [])
    let scenario = try #require(loaded)
    let cluster = try #require(scenario.clusters.first)
    #expect(cluster.settings.kubeProxyReplacement.enabled && cluster.settings.ipv6Enabled)
    #expect(cluster.settings.clusterName == "west" && cluster.settings.clusterID == 2)
    #expect(cluster.state.nodes.map(\.name) == ["kind-control-plane", "kind-worker"])
    #expect(cluster.state.nodes.map { $0.addresses.map(\.description) } == [["172.18.0.2"], ["172.18.0.3"]])
    #expect(cluster.state.pods.map(\.name) == ["a", "b"])
    #expect(cluster.network.serviceCIDRs.map(\.description) == ["10.96.0.0/12"])
    #expect(cluster.network.podCIDRs.map(\.description) == ["10.244.0.0/16"])
    #expect(scenario.stepManifests[0]?.objects.map(\.reference.name) == ["c"])
    #expect(scenario.stepManifests[3]?.objects.map(\.reference.name) == ["a"])
    #expect(scenario.stepSettings[1]?.routing.mtu == 1400)
    #expect(
      scenario.stepSettings[2]?.routing.mtu == 1400 && scenario.stepSettings[2]?.policy.l7Proxy == false)
  }

  @Test func nodesMayComeFromManifests() throws {
    let node = "apiVersion: v1\nkind: Node\nmetadata: {name: n1}\n"
    let folder = try Folder([
      "s.yaml": scenario("manifests: [n.yaml]"),
      "n.yaml": node + "status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}\n---\n"
        + node.replacing("n1", with: "n2"),
    ])
    let (loaded, findings) = folder.load()
    #expect(findings == [])
    let nodes = try #require(loaded?.clusters.first).state.nodes
    #expect(nodes.map { $0.addresses.map(\.description).joined() } == ["192.0.2.1", "172.18.0.2"])
    #expect(nodes.map { $0.labels["kubernetes.io/hostname"] } == ["n1", "n2"])
  }

  @Test func nodesByHandGetBothFamiliesAsCiliumHasThem() throws {
    let folder = try Folder([
      "s.yaml": scenario(
        """
        cilium: {values: {ipv6: {enabled: true}}}
        cluster: {nodes: [{name: b}, {name: a}], underlay: {subnets: [{cidr: 10.9.0.0/29}, {cidr: "fd09::/64"}]}}
        """)
    ])
    let (loaded, findings) = folder.load()
    #expect(findings.sorted() == [])
    let cluster = try #require(loaded?.clusters.first)
    #expect(
      cluster.state.nodes.map { $0.addresses.map(\.description) } == [
        ["10.9.0.3", "fd09::3"], ["10.9.0.2", "fd09::2"],
      ])
    #expect(cluster.network.podCIDRs.map(\.description) == ["10.244.0.0/16", "fd00:10:244::/56"])
  }

  @Test func meshedClustersHaveTheirOwnNames() throws {
    let folder = try Folder([
      "s.yaml": scenario(
        """
        clusters:
        - {name: east, id: 1, nodes: [{name: e}], manifests: [e.yaml]}
        - {name: west, id: 2, nodes: [{name: w}], values: {MTU: 1300}}
        - {name: north, id: 2, nodes: [{name: n}]}
        """),
      "e.yaml": pod,
    ])
    let (_, findings) = folder.load()
    #expect(
      findings.count == 1 && findings[0].hasPrefix("s.yaml:8:5: error: meshed clusters need names and ids"))
  }

  @Test func whatIsWrongIsTold() throws {
    let folder = try Folder([
      "s.yaml": scenario(
        "cluster: {nodes: [{name: n}]}\nmanifests: [a.yaml, b.yaml, missing.yaml, 'x*.yaml']\ncilium: {values: v.yaml}",
        steps:
          "- apply: |\n    apiVersion: v1\n    kind: Pd\n- {apply: bad.yaml, expect: {lint: [unknown-kind]}}"),
      "a.yaml": pod, "b.yaml": pod, "v.yaml": "MTUU: 5\n", "bad.yaml": "apiVersion: v1\nkind: Podd\n",
    ])
    let (loaded, findings) = folder.load()
    #expect(loaded == nil)
    let expected = [
      "s.yaml:6:31: error: no file matches \"missing.yaml\" [unreadable-file]",
      "s.yaml:6:45: error: no file matches \"x*.yaml\" [unreadable-file]",
      "b.yaml:1:1: error: Pod default/a is defined twice; first at a.yaml:1:1 [duplicate-object]",
      "v.yaml:1:1: error: unknown Helm value \"MTUU\"; did you mean \"MTU\"? [unknown-value]",
      "s.yaml:11:13: error: unknown kind \"Pd\"; did you mean \"Pod\"? (refused by the API server) [unknown-kind]",
    ]
    #expect(findings == expected)
  }

  @Test func aClusterNeedsNodes() throws {
    let folder = try Folder(["s.yaml": scenario("manifests: [a.yaml]"), "a.yaml": pod])
    #expect(folder.load().findings.map { $0.contains("[no-nodes]") } == [true])
    #expect(ScenarioLoader.load("/nonexistent/s.yaml").findings.map(\.id) == ["unreadable-file"])
    let full = try Folder([
      "s.yaml": scenario(
        "cluster: {nodes: [{name: a}, {name: b}], underlay: {subnets: [{cidr: 10.0.0.0/31}]}}")
    ])
    #expect(full.load().findings.map { $0.contains("[no-address]") } == [true, true])
  }
}
