import Cluster
import Runner
import Scenario
import TestSupport
import Testing

/// Expectations that do not hold: each kind must be able to fail, and none may pass because nobody looks at it.
struct ExpectationTests {
  /// Two steps on two pods on two nodes; the second has what is expected.
  private func judge(_ verb: String, _ expect: String) throws -> StepOutcome {
    let text = """
      apiVersion: ciliate.dev/v1alpha1
      kind: Scenario
      metadata: {name: x}
      spec:
        cilium: {values: [{kubeProxyReplacement: true, socketLB: {hostNamespaceOnly: true}}]}
        cluster: {nodes: [{name: n1, podCIDRs: [10.244.1.0/24]}, {name: n2, podCIDRs: [10.244.2.0/24]}]}
        manifests: [pods.yaml, no-ingress.yaml]
        steps:
          - apply: |
              apiVersion: v1
              kind: Service
              metadata: {name: web}
              spec: {selector: {app: server}, ports: [{port: 80}]}
          - \(verb)
            expect: \(expect)
      """
    let (scenario, findings) = ScenarioLoader.load(
      text: text, file: "\(PackageFolder.path)/scenarios/conntrack/x.yaml")
    let loaded = try #require(scenario, "\(findings.map(\.description))")
    let outcome = ScenarioRunner.run(loaded, findings: findings, seed: nil, observer: NoObserver())
    return try #require(outcome.steps.last)
  }

  static let good = "probe: {from: client, to: server, port: 80/TCP, http: {path: /}}"
  static let denied = "probe: {from: server, to: client, port: 5000/UDP}"
  static let service = "probe: {from: client, to: svc/web, port: 80/TCP, count: 4}"
  static let matrix = "matrix: {from: [server], to: [client], port: 5000/UDP}"
  static let inject =
    "inject: {node: n1, interface: lxc(default/client), frame: [{eth: {}}, {ipv4: {src: 10.244.1.99, dst: 10.244.2.10}}, {udp: {sport: 1, dport: 2}}]}"

  @Test(
    "What holds passes",
    arguments: [
      (
        good,
        "{outcome: ok, exitCode: 0, http: 200, verdict: allowed, verdicts: {egress: allowed, ingress: allowed}}"
      ),
      (
        good,
        "{body: \"default/server*\", match: all, path: [n1/lxc:from_container, n2/cilium_vxlan:from_overlay]}"
      ),
      (good, "{wire: [{node: n1, device: eth0, encap: vxlan, vni: {identityOf: client}, overhead: 50}]}"),
      (good, "{wire: {device: eth0, encap: geneve, seen: false}}"),
      (denied, "{outcome: timeout, verdict: denied, drop: {reason: 133, node: n1, direction: ingress}}"),
      (denied, "{drop: POLICY_DENIED}"), (good, "{rule: allow-any-ingress}"),
      (service, "{backend: default/server, backendOf: default/web, distribution: {server: 100%}}"),
      (matrix, "{matrix: \"from/to client\\nserver X\\n\"}"),
      (inject, "{drop: {reason: INVALID_SOURCE_IP, hook: from_container}}"),
      ("time: {advance: 1s}", "{objects: [{kind: Pod, name: client, phase: Running, podIP: 10.244.1.65}]}"),
      (good, "{map: {name: cilium_lxc, node: n1, entries: [{address: 10.244.1.65, flags: 0}]}}"),
      (good, "{map: {cilium_ipcache_v2: [{prefix: 10.244.1.65/32}, {prefix: 10.244.1.0/24}]}}"),
      (good, "{map: {cilium_ct4_global: [{saddr: \"10.244.*\", dport: 80, proxy_redirect: 0}]}}"),
      (
        "apply: ../getting-started/deny.yaml",
        "{lint: [deny-turns-on-default-deny]}"
      ),
    ])
  func passes(_ verb: String, _ expect: String) throws {
    let step = try judge(verb, expect)
    #expect(step.result == .pass, "\(step.messages)")
    #expect(!step.expected.isEmpty)
  }

  @Test(
    "What does not hold fails",
    arguments: [
      (good, "{outcome: refused}"), (good, "{exitCode: 7}"), (good, "{http: 404}"), (good, "{body: other}"),
      (good, "{verdict: denied}"), (good, "{verdicts: {egress: denied}}"),
      (good, "{verdicts: {ingress: redirected}}"),
      (good, "{drop: {reason: POLICY_DENIED}}"), (good, "{rule: no-such-rule}"), (good, "{match: L3-L4}"),
      (good, "{path: [n2/lxc(default/server):from_overlay]}"),
      (good, "{path: [n2/cilium_vxlan:from_overlay, n1/lxc:from_container]}"),
      (good, "{wire: {node: n1, device: eth0, encap: geneve}}"), (good, "{wire: {encap: vxlan, port: 4789}}"),
      (good, "{wire: {encap: vxlan, vni: 1}}"), (good, "{wire: {encap: vxlan, overhead: 51}}"),
      (good, "{wire: {encap: vxlan, src: client}}"),
      (good, "{wire: {device: lxc(default/server), src: client, ttl: 64}}"),
      (good, "{wire: {encap: vxlan, seen: false}}"), (good, "{wire: {node: n3, device: eth0}}"),
      (good, "{backend: default/other}"), (good, "{backendOf: default/no-such-service}"),
      (denied, "{drop: {reason: POLICY_DENY}}"), (denied, "{drop: {reason: 181}}"),
      (denied, "{drop: {node: n2}}"),
      (denied, "{drop: {direction: egress}}"), (denied, "{drop: {hook: from_container}}"),
      (denied, "{drop: {stage: entry}}"), (denied, "{verdict: allowed}"),
      (service, "{distribution: {server: 50%}}"), (service, "{distribution: {tolerance: 10%, other: 20%}}"),
      (matrix, "{matrix: \"from/to client\\nserver .\\n\"}"),
      (matrix, "{matrix: \"from/to other\\nserver X\\n\"}"),
      (inject, "{drop: {reason: POLICY_DENIED}}"), (inject, "{verdict: allowed}"), (inject, "{outcome: ok}"),
      (inject, "{wire: {device: eth0}}"), (inject, "{path: [n2/eth0:from_netdev]}"),
      ("apply: pods.yaml", "{lint: [no-such-finding]}"),
      (good, "{map: {name: cilium_lxc, node: n2, entries: [{address: 10.244.1.65}]}}"),
      (good, "{map: {name: cilium_lxc, node: n1, entries: [{adress: 10.244.1.65}]}}"),
      (good, "{map: {name: cilium_lxc, node: n9, entries: [{address: 10.244.1.65}]}}"),
      (good, "{map: {cilium_ct4_global: [{saddr: 10.244.1.65, proxy_redirect: 1}]}}"),
      ("time: {advance: 1s}", "{objects: [{kind: Pod, name: client, phase: Pending}]}"),
      ("time: {advance: 1s}", "{objects: [{kind: Pod, name: nobody}]}"),
      ("time: {advance: 1s}", "{objects: [{kind: Pod, name: client, podIPIn: 10.244.2.0/24}]}"),
    ])
  func fails(_ verb: String, _ expect: String) throws {
    let step = try judge(verb, expect)
    #expect(step.result == .fail, "\(step.messages)")
    #expect(!step.messages.isEmpty)
  }

  @Test("A node's connection to a service goes through the socket hook, and its packets to the backend")
  func socketHook() throws {
    let step = try judge("probe: {from: node/n1, to: svc/web, port: 80/TCP}", "{outcome: ok}")
    #expect(step.result == .pass, "\(step.messages)")
    let direct = try judge("probe: {from: node/n1, to: server, port: 80/TCP}", "{outcome: ok}")
    #expect(direct.result == .pass, "\(direct.messages)")
  }

  @Test(
    "What nobody can judge is unmodelled, and says so",
    arguments: [
      ("time: {advance: 1s}", "{outcome: ok}"), ("apply: pods.yaml", "{drop: POLICY_DENIED}"),
      ("apply: pods.yaml", "{map: {cilium_metrics: [{reason: 0}]}}"), (matrix, "{verdict: denied}"),
      (good, "{matrix: \"from/to a\\nb .\\n\"}"), (good, "{flows: [\"*\"]}"),
      (good, "{objects: [{kind: CiliumNode, name: n1}]}"),
      ("capture: {start: x, node: n1, interface: eth0}", "{outcome: ok}"),
    ])
  func unmodelled(_ verb: String, _ expect: String) throws {
    let step = try judge(verb, expect)
    #expect(step.result == .unmodelled)
    #expect(step.messages.contains { $0.contains("is not modelled yet") }, "\(step.messages)")
  }

  @Test(
    "A step that cannot be carried out is an error, with the reason",
    arguments: [
      ("probe: {from: nobody, to: server, port: 80/TCP}", "there is no pod default/nobody"),
      ("probe: {from: client, to: svc/none, port: 80/TCP}", "there is no service default/none"),
      ("probe: {from: client, to: server}", "names no port"),
      ("probe: {continue: nothing}", "no connection is kept under the name nothing"),
      ("probe: {from: external/none, to: server, port: 80/TCP}", "no external host none"),
      ("inject: {node: n9, interface: eth0, hex: \"00\"}", "there is no node n9"),
      ("inject: {node: n1, interface: eth9, hex: \"00\"}", "has no interface eth9; it has"),
      ("capture: {start: x, node: n1, interface: eth9}", "has no interface eth9"),
      ("capture: {start: x, node: n9, interface: any}", "there is no node n9"),
      ("capture: {stop: x}", "no capture x goes on"),
      ("delete: {pod: nobody}", "nobody"), ("scale: {deployment: none, replicas: 2}", "none"),
      ("node: {name: n9, state: down}", "there is no node n9"),
      ("label: {pod: nobody, labels: {a: b}}", "nobody"),
    ])
  func errors(_ verb: String, _ message: String) throws {
    let step = try judge(verb, "{}")
    #expect(step.result == .error)
    #expect(step.messages.contains { $0.contains(message) }, "\(step.messages)")
  }
}
