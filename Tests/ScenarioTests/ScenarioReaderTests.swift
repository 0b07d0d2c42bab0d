import Cluster
import Manifests
import Testing
import Wire

@testable import Scenario

/// A scenario with these lines under `spec`.
func scenario(_ spec: String, steps: String = "- time: {advance: 1s}") -> String {
  let indented = { (text: String, by: String) in
    text.split(separator: "\n", omittingEmptySubsequences: false).map { "\(by)\($0)\n" }.joined()
  }
  return "apiVersion: ciliate.dev/v1alpha1\nkind: Scenario\nmetadata: {name: t}\nspec:\n"
    + (spec.isEmpty ? "" : indented(spec, "  ")) + "  steps:\n" + indented(steps, "  ")
}

func findings(_ text: String) -> [String] {
  ScenarioReader(file: "s.yaml").read(text).findings.map(\.description)
}

/// The one step of a scenario, which must be without findings.
func step(_ text: String) throws -> Step {
  let result = ScenarioReader(file: "s.yaml").read(scenario("", steps: text))
  #expect(result.findings == [])
  return try #require(result.scenario?.steps.first)
}

@Suite("Scenario files")
struct ScenarioReaderTests {
  @Test func theMinimalForm() throws {
    let result = ScenarioReader(file: "s.yaml").read(
      """
      apiVersion: ciliate.dev/v1alpha1
      kind: Scenario
      metadata: {name: tiny}
      spec:
        cluster: {nodes: [{name: n1}, {name: n2}]}
        manifests: [pods.yaml, policy.yaml]
        steps:
          - probe: {from: default/client, to: default/server, port: 80/TCP}
            expect: {verdict: allowed}
          - probe: {from: default/other, to: default/server, port: 80/TCP}
            expect: {verdict: denied, drop: {reason: POLICY_DENIED}}
      """)
    #expect(result.findings == [])
    let scenario = try #require(result.scenario)
    #expect(scenario.name == "tiny" && scenario.seed == 1 && scenario.kernel == .auto)
    #expect(scenario.clusters.first?.nodes.map(\.name) == ["n1", "n2"])
    #expect(scenario.steps.map(\.name) == ["step-1", "step-2"])
    #expect(scenario.steps[0].expect?.verdict?.value == .allowed)
    #expect(scenario.steps[1].expect?.drop?.reason?.value == .name("POLICY_DENIED"))
    guard case .probe(let probe) = scenario.steps[1].verb else { return }
    #expect(probe.from == .pod(NamespacedName(namespace: "default", name: "other")))
    #expect(probe.port == ProbePort(80) && probe.timeout == .seconds(3) && probe.count == 1)
    #expect(scenario.steps[1].location.description == "s.yaml:10:7")
  }

  @Test func everythingAboutTheWorld() throws {
    let text = scenario(
      """
      cilium: {profile: 1.19, values: [a.yaml, {routingMode: native}]}
      cluster:
        nodes:
        - {name: n1, zone: a, ips: [10.0.0.1, "fd00::1"], podCIDRs: [10.1.0.0/24], podLimit: 5, kernel: {cgroup: v1}}
        - {name: n2}
        podCIDRs: [10.1.0.0/16]
        serviceCIDRs: [10.96.0.0/12]
        underlay: {subnets: [{cidr: 10.0.0.0/24, nodes: [n1]}], mtu: 9000}
        name: kind-kind
        id: 3
      external: [{name: web, ips: [203.0.113.7], serves: [{port: 80, http: {/: 200, /x: 404}}, 53/UDP]}]
      dns: {records: {Example.com.: [203.0.113.7], b: 1.2.3.4, gone: null}, ttl: 30s}
      seed: 7
      kernel: off
      defaults: {probe: {from: default/c, timeout: 500ms}}
      artifacts: {pcap: true, flows: jsonpb, report: html}
      """, steps: "- {name: one, probe: {to: svc/shop/web, port: 80}}")
    let result = ScenarioReader(file: "s.yaml").read(text)
    #expect(result.findings == [])
    let scenario = try #require(result.scenario)
    #expect(scenario.cilium.profile == .v119)
    #expect(scenario.cilium.values.count == 2)
    let plan = try #require(scenario.clusters.first)
    #expect(plan.nodes[0].zone == "a" && plan.nodes[0].kernel.cgroup == .v1 && plan.nodes[0].podLimit == 5)
    #expect(plan.subnets.first?.nodes == ["n1"] && plan.mtu == 9000 && plan.id == 3)
    #expect(scenario.external.first?.servers.map(\.port) == [80, 53])
    #expect(scenario.external.first?.servers.first?.statuses.map(\.status) == [200, 404])
    #expect(scenario.dns.records.map(\.name) == ["b", "example.com", "gone"])
    #expect(scenario.dns.records.map { $0.addresses?.count } == [1, 1, nil])
    #expect(scenario.dns.ttl == .seconds(30) && scenario.seed == 7 && scenario.kernel == .off)
    #expect(scenario.artifacts.pcap && scenario.artifacts.flows == .jsonpb)
    guard case .probe(let probe) = scenario.steps[0].verb else { return }
    #expect(probe.from == .pod(NamespacedName(namespace: "default", name: "c")))
    #expect(probe.timeout.nanoseconds == 500_000_000)
  }

  @Test func everyVerb() throws {
    let pod = ObjectReference(.pod, namespace: "default", name: "x")
    func verb(_ text: String) throws -> Step.Verb { try step("- " + text).verb }
    guard case .apply(let source) = try verb("apply: [a.yaml, 'b/*.yaml', {inline: 'x: y'}]") else { return }
    #expect(source.files.map(\.value) == ["a.yaml", "b/*.yaml"] && source.inline.count == 1)
    #expect(try verb("delete: {pod: x}") == .delete(.objects([pod])))
    #expect(
      try verb("label: {pod: x, labels: {a: b, c: null}}") == .label(pod, [.init("a", "b"), .init("c", nil)]))
    #expect(
      try verb("annotate: {po: shop/x, annotations: {a: 5}}")
        == .annotate(ObjectReference(.pod, namespace: "shop", name: "x"), [.init("a", "5")]))
    #expect(
      try verb("scale: {deployment: web, namespace: shop, replicas: 2}")
        == .scale(ObjectReference(.deployment, namespace: "shop", name: "web"), replicas: 2))
    guard case .patch(let reference, let merge) = try verb("patch: {deployment: web, replicas: 2}") else {
      return
    }
    #expect(reference.kind == .deployment && merge["spec"]?["replicas"]?.content == .integer(2))
    #expect(try verb("ready: {pod: x, ready: false}") == .ready(pod: pod.id, false))
    #expect(try verb("agent: {node: all, state: down}") == .component(.agent, on: .all, .down))
    #expect(try verb("envoy: {node: n1, state: up}") == .component(.envoy, on: .named("n1"), .up))
    #expect(try verb("operator: {state: down}") == .component(.operator, on: .all, .down))
    #expect(try verb("relay: {state: down}") == .component(.relay, on: .all, .down))
    #expect(try verb("node: {name: n1, state: removed}") == .node("n1", .removed))
    var link = LinkChange("a", "b")
    link.drops = [.init(transport: .udp, port: 8472)]
    link.loss = 100_000
    link.delay = VirtualDuration(nanoseconds: 5_000_000)
    #expect(try verb("link: {between: [a, b], drop: udp/8472, loss: 0.1, delay: 5ms}") == .link(link))
    guard case .dns(let dns) = try verb("dns: {example.com: [1.2.3.4]}") else { return }
    #expect(dns.records.map(\.name) == ["example.com"])
    #expect(try verb("time: {advance: 1m30s}") == .time(advance: .seconds(90)))
    guard case .config(let values) = try verb("config: {l7Proxy: false}") else { return }
    #expect(values.count == 1)
    #expect(try verb("view: identity list") == .view(ViewRequest(name: "identity list")))
    #expect(
      try verb("view: {name: bpf ct list, node: n1}") == .view(ViewRequest(name: "bpf ct list", node: "n1")))
    #expect(
      try verb("capture: {start: c, node: n1, interface: eth0}")
        == .capture(.start(name: "c", node: "n1", interface: "eth0")))
    #expect(try verb("capture: {stop: c}") == .capture(.stop(name: "c")))
    guard case .inject(let hex) = try verb("inject: {node: n, interface: eth0, frame: '00 01:fF'}") else {
      return
    }
    #expect(hex.frame == .octets([0, 1, 255]))
    guard case .matrix(let matrix) = try verb("matrix: {from: [a, b], to: c, port: [80/TCP, 53/UDP]}") else {
      return
    }
    #expect(matrix.from.count == 2 && matrix.to.count == 1 && matrix.ports.last == ProbePort(53, .udp))
  }

  @Test func injectedLayersKeepTheirOrder() throws {
    let verb = try step(
      "- inject: {node: n, interface: eth0, frame: {eth: {src: '02:00:00:00:00:01'}, ipv4: {ttl: 1}, udp: , payload: hi}}"
    ).verb
    guard case .inject(let injection) = verb, case .layers(let layers) = injection.frame else { return }
    #expect(layers.map(\.kind) == [.eth, .ipv4, .udp, .payload])
    #expect(layers[1]["ttl"]?.value == "1" && layers[3]["text"]?.value == "hi")
  }

  @Test func everyVerbIsKnownByItsName() throws {
    let verbs: [String] = try [
      "apply: a", "delete: a", "patch: {pod: x, labels: {a: b}}", "label: {pod: x, labels: {a: b}}",
      "annotate: {pod: x, annotations: {a: b}}", "scale: {deploy: x, replicas: 1}",
      "ready: {pod: x, ready: true}",
      "agent: {node: a, state: up}", "operator: {state: up}", "envoy: {node: a, state: up}",
      "relay: {state: up}",
      "node: {name: a, state: up}", "link: {between: [a, b]}", "dns: {}", "time: {advance: 0}", "config: {}",
      "probe: {from: a, to: b}", "matrix: {port: 80}", "inject: {node: a, interface: b, frame: ''}",
      "view: v",
      "capture: {stop: a}",
    ].map { try step("- " + $0).verb.name }
    #expect(verbs == Step.Verb.names)
  }

  @Test(arguments: [
    ("pod", "default/pod"), ("ns/pod", "ns/pod"), ("node/n1", "node/n1"), ("external/w", "external/w"),
    ("svc/ns/name", "svc/ns/name"), ("svc/name", "svc/default/name"), ("10.0.0.1", "10.0.0.1"),
    ("'fd00::1'", "fd00::1"), ("http://nginx-service/index.html", "http://nginx-service/index.html"),
    ("'https://[fd00::1]:8443'", "https://[fd00::1]:8443/"), ("{workload: shop/web}", "workload/shop/web"),
    ("{pod: x, namespace: y}", "y/x"), ("workload/web", "workload/default/web"),
    ("http://a?q=1#f", "http://a/?q=1"),
    ("node", "default/node"),
  ])
  func placesToGo(_ text: String, _ place: String) throws {
    guard case .probe(let probe) = try step("- probe: {from: a, to: \(text)}").verb else { return }
    #expect(probe.to?.description == place)
  }

  @Test func probesInFull() throws {
    let verb = try step(
      """
      - probe:
          from: {workload: web}
          to: http://api:8080/x
          port: 8080/tcp
          sport: 40000
          count: 10
          family: ipv6
          http: {method: POST, path: /y, host: h, headers: {X-A: 1}}
          size: 1400
          timeout: 1s
          keep: c
      """
    ).verb
    guard case .probe(let probe) = verb else { return }
    #expect(probe.port == ProbePort(8080) && probe.sourcePort == 40_000 && probe.count == 10)
    #expect(probe.family == .ipv6 && probe.http?.method == "POST" && probe.http?.headers["X-A"] == "1")
    #expect(probe.size == 1400 && probe.keep == "c")
    guard case .probe(let more) = try step("- probe: {continue: c}").verb else { return }
    #expect(more.continues == "c" && more.from == nil)
    guard case .probe(let dns) = try step("- probe: {from: a, dns: {name: x.y, type: AAAA}}").verb else {
      return
    }
    #expect(dns.dns?.type == .aaaa)
    guard case .probe(let icmp) = try step("- probe: {from: a, to: b, icmp: {type: 8}, port: ICMP}").verb
    else { return }
    #expect(icmp.icmp?.type == 8 && icmp.port == ProbePort(0, .icmp))
  }

  @Test func expectationsInFull() throws {
    let expect = try #require(
      try step(
        """
        - probe: {from: a, to: b}
          expect:
            outcome: dns-failure
            verdict: redirected
            verdicts: {egress: allowed, ingress: denied}
            exitCode: 28
            http: 403
            body: hello
            drop: {reason: 181, node: n1, direction: ingress, hook: from_overlay, stage: lxc_policy}
            rule: default/p
            match: L3-L4
            backend: web-*
            backendOf: svc/shop/web
            distribution: {web-1: 50%, web-2: 0.5, tolerance: 2.5%}
            path: ["kind-worker/lxc(default/client):from_container", "lxc", "eth0:to_netdev"]
            wire: {on: kind-worker2/eth0, encap: vxlan, port: 8472, vni: {identityOf: default/a}, overhead: 50}
            flows: ["*FORWARDED*"]
            objects: [{kind: Pod, name: nginx-*, phase: Running, podIPIn: 10.244.2.0/24}]
            map: {cilium_ipcache_v2: [{ip: 10.0.0.1, identity: 300}]}
            lint: [combined-peers]
            view: text
            matrix: |
              from/to  a  b
              a        .  X
              b        7  -
        """
      ).expect)
    #expect(expect.outcome?.value == .dnsFailure && expect.verdict?.value == .redirected)
    #expect(expect.egressVerdict?.value == .allowed && expect.ingressVerdict?.value == .denied)
    #expect(expect.exitCode?.value == 28 && expect.http?.value == 403)
    #expect(expect.drop?.reason?.value == .code(181) && expect.drop?.stage == "lxc_policy")
    #expect(expect.match?.value == .l3L4)
    #expect(expect.backendOf?.value.description == "shop/web")
    #expect(expect.distribution?.shares.map(\.share) == [500_000, 500_000])
    #expect(expect.distribution?.tolerance == 25_000)
    #expect(expect.path.map(\.value.device) == ["lxc(default/client)", "lxc", "eth0"])
    #expect(expect.path.map(\.value.node) == ["kind-worker", nil, nil])
    #expect(expect.path.map(\.value.hook) == ["from_container", nil, "to_netdev"])
    #expect(expect.wire.first?.node == "kind-worker2" && expect.wire.first?.device == "eth0")
    #expect(expect.wire.first?.vni == .identityOf(.pod(NamespacedName(namespace: "default", name: "a"))))
    #expect(expect.objects.first?.fields.map(\.key) == ["phase", "podIPIn"])
    #expect(expect.maps.first?.name == "cilium_ipcache_v2")
    #expect(expect.lint?.map(\.value) == ["combined-peers"])
    #expect(expect.matrix?.value.rows.map(\.cells) == [[.allowed, .denied], [.redirected, .ignored]])
    #expect(expect.matrix?.value.description == "from/to  a  b\na        .  X\nb        7  -\n")
  }
}
