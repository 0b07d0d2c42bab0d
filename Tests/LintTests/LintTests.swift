import Cluster
import Lint
import Manifests
import Testing

/// Each trap, from a manifest that has it, and beside it what is not one.
@Suite struct LintTests {
  private static let pods = """
    ---
    {apiVersion: v1, kind: Pod, metadata: {name: web, labels: {app: web}}, spec: {containers: [{name: c, ports: [{name: http, containerPort: 80}]}]}, status: {podIP: 10.244.0.10}}
    ---
    {apiVersion: v1, kind: Pod, metadata: {name: client, labels: {app: client}}, spec: {containers: [{name: c}]}, status: {podIP: 10.244.0.11}}
    """

  private func cnp(_ spec: String, name: String = "p") -> String {
    "---\n{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: \(name)}, "
      + "spec: {endpointSelector: {matchLabels: {app: web}}, \(spec)}}\n"
  }

  private func np(_ spec: String) -> String {
    "---\n{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: np}, "
      + "spec: {podSelector: {matchLabels: {app: web}}, \(spec)}}\n"
  }

  private func findings(_ yaml: String, pods: Bool = true, settings: Settings = Settings()) -> [Finding] {
    Linter.findings(
      in: ManifestReader().read((pods ? Self.pods : "") + "\n" + yaml, file: "p.yaml"), settings: settings)
  }

  private func ids(_ yaml: String, pods: Bool = true, settings: Settings = Settings()) -> [String] {
    findings(yaml, pods: pods, settings: settings).map(\.id)
  }

  @Test func emptyListsAndRules() {
    #expect(ids(cnp("ingress: [{}]")) == ["empty-rule"])
    #expect(ids(np("ingress: [{}]")).isEmpty)
    #expect(ids(cnp("ingress: [{fromEndpoints: []}]")) == ["empty-peer-list"])
    #expect(ids(cnp("ingress: [{fromEndpoints: [{}], toPorts: [{ports: []}]}]")) == ["empty-port-entry"])
    #expect(ids(cnp("ingress: [{fromEndpoints: [{matchLabels: {app: client}}]}]")).isEmpty)
  }

  @Test func denyAlone() {
    let deny = "ingressDeny: [{fromEndpoints: [{matchLabels: {app: client}}]}]"
    #expect(ids(cnp(deny)) == ["deny-turns-on-default-deny"])
    #expect(ids(cnp(deny + ", enableDefaultDeny: {ingress: false}")).isEmpty)
    #expect(ids(cnp(deny + ", ingress: [{fromEntities: [all]}]")).isEmpty)
  }

  @Test func prefixes() {
    let dns = "{toEntities: [all], toPorts: [{ports: [{port: '53'}]}]}"
    #expect(ids(cnp("egress: [\(dns), {toCIDR: [10.0.0.0/8]}]")) == ["cidr-covers-cluster"])
    #expect(ids(cnp("egress: [\(dns), {toCIDR: [203.0.113.0/24]}]")).isEmpty)
    #expect(ids(cnp("egress: [\(dns), {toCIDRSet: [{cidr: 0.0.0.0/0, except: [10.0.0.0/8]}]}]")).isEmpty)
    #expect(ids(np("ingress: [{from: [{ipBlock: {cidr: 10.244.0.0/16}}]}]")) == ["cidr-covers-cluster"])
    // Without any pod the addresses that pods will get count.
    #expect(ids(cnp("ingress: [{fromCIDR: [10.0.0.0/8]}]"), pods: false) == ["cidr-covers-cluster"])
  }

  @Test func headers() {
    func http(_ header: String) -> [String] {
      ids(
        cnp(
          "ingress: [{toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{headers: ['\(header)']}]}}]}]"
        ))
    }
    #expect(http("X-Request-ID: .*") == ["header-looks-like-expression"])
    #expect(http("X-Request-ID: 1").isEmpty)
    #expect(http("X-Request-ID").isEmpty)
    #expect(http("X-Request-ID:1") == ["header-without-blank"])
  }

  @Test func expressionsThatTheAgentRefuses() {
    let found = findings(
      cnp("ingress: [{toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{path: '/('}]}}]}]"))
    #expect(found.map(\.id) == ["bad-expression"])
    #expect(found.first?.severity == .error && found.first?.authority == .agent)
    #expect(found.first?.location.file == "p.yaml" && found.first?.location.line == 6)
    let http = cnp(
      "ingress: [{toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{path: '/'}]}}]}]")
    var settings = Settings()
    settings.policy.l7Proxy = false
    #expect(ids(http, settings: settings) == ["l7-disabled"])
    #expect(ids(http).isEmpty)
  }

  @Test func shadows() {
    let l7 =
      "{fromEndpoints: [{matchLabels: {app: client}}], toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{path: /x}]}}]}"
    #expect(ids(cnp("ingress: [\(l7)]")).isEmpty)
    let same = "{fromEndpoints: [{matchLabels: {app: client}}], toPorts: [{ports: [{port: '80'}]}]}"
    #expect(ids(cnp("ingress: [\(l7), \(same)]")) == ["l4-shadows-l7"])
    #expect(ids(cnp("ingress: [\(l7)]") + cnp("ingress: [\(same)]", name: "q")) == ["l4-shadows-l7"])
    #expect(
      ids(cnp("ingress: [\(l7), {fromEndpoints: [{matchLabels: {app: client}}]}]")) == ["l4-shadows-l7"])
    #expect(ids(cnp("ingress: [\(l7), {fromEndpoints: [{matchLabels: {app: web}}]}]")).isEmpty)
    #expect(ids(cnp("ingress: [\(l7), {toPorts: [{ports: [{port: '81'}]}]}]")).isEmpty)
  }

  @Test func dns() {
    let udp = "egress: [{toEntities: [all], toPorts: [{ports: [{port: '53', protocol: UDP}]}]}]"
    #expect(ids(cnp(udp)) == ["dns-udp-only"])
    #expect(ids(cnp(udp.replacing("protocol: UDP", with: "protocol: ANY"))).isEmpty)
    #expect(
      ids(np("policyTypes: [Egress], egress: [{ports: [{port: 53, protocol: UDP}]}]")) == ["dns-udp-only"])
    #expect(ids(cnp("egress: [{toEndpoints: [{matchLabels: {app: client}}]}]")) == ["egress-without-dns"])
    #expect(
      ids(cnp("egress: [{toEndpoints: [{matchLabels: {app: client}}]}]"), pods: false) == [
        "egress-without-dns"
      ])
    #expect(ids(np("policyTypes: [Egress], egress: [{to: [{podSelector: {}}]}]")) == ["egress-without-dns"])
    let server = cnp("egress: [{toCIDR: [203.0.113.1/32]}]").replacing("app: web", with: "k8s-app: kube-dns")
    #expect(ids(server, pods: false).isEmpty)
    // One that lets nothing out is meant so.
    #expect(ids(np("policyTypes: [Egress]")).isEmpty)
  }

  @Test func selectorsAndNames() {
    #expect(
      ids(cnp("ingress: [{fromEndpoints: [{matchLabels: {app: nobody}}]}]")) == ["peer-selects-nothing"])
    #expect(ids(cnp("ingress: [{fromEndpoints: [{matchLabels: {app: nobody}}]}]"), pods: false).isEmpty)
    #expect(
      ids(cnp("ingress: [{fromEntities: [cluster]}]").replacing("app: web", with: "app: none")) == [
        "selects-nothing"
      ])
    #expect(ids(cnp("ingress: [{toPorts: [{ports: [{port: http}]}]}]")).isEmpty)
    #expect(ids(cnp("ingress: [{toPorts: [{ports: [{port: grpc}]}]}]")) == ["unknown-port-name"])
    #expect(
      ids(cnp("ingress: [{fromEndpoints: [{matchLabels: {pod-template-hash: a}}]}]"), pods: false)
        == ["label-not-in-identity"])
    #expect(
      ids(
        cnp("ingress: [{fromEntities: [all]}]").replacing(
          "app: web", with: "'k8s:io.kubernetes.pod.namespace': x"), pods: false)
        == ["foreign-namespace"])
  }

  @Test func servicesAndGroups() {
    let service =
      "{toServices: [{k8sService: {serviceName: gone, namespace: default}}], toPorts: [{ports: [{port: '53'}]}]}"
    let found = findings(cnp("egress: [\(service)]"))
    #expect(found.map(\.id) == ["missing-service"])
    #expect(found.first?.message.hasSuffix("its ports are open to everyone") == true)
    #expect(ids(cnp("ingress: [{fromCIDRSet: [{cidrGroupRef: gone}]}]")) == ["missing-cidr-group"])
    #expect(
      ids(
        cnp(
          "ingress: [{fromCIDRSet: [{cidrGroupSelector: {matchExpressions: [{key: a, operator: DoesNotExist}]}}]}]"
        ))
        == ["negative-group-selector"])
  }

  @Test func others() {
    #expect(ids(cnp("ingress: [{icmps: [{fields: [{type: 0}]}]}]")) == ["icmp-type-zero"])
    #expect(
      ids(cnp("ingress: [{fromEntities: [all], authentication: {mode: required}}]")) == ["authentication-off"]
    )
    #expect(ids(np("policyTypes: [Ingress], egress: [{}]")) == ["policy-types-disagree"])
  }

  @Test func whatReadingFindsComesFirst() {
    let found = findings(cnp("ingress: [{fromEndpoints: [{}], fromEntities: [world]}]"))
    #expect(found.map(\.id) == ["combined-peers"])
  }

  @Test func everyRuleHasASummary() {
    let ids = LintRule.allCases.map(\.rawValue)
    #expect(Set(ids).count == ids.count)
    #expect(LintRule.allCases.allSatisfy { !$0.summary.isEmpty && !$0.summary.hasSuffix(".") })
  }
}
