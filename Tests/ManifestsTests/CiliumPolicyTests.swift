import Cluster
import Testing
import Wire

@testable import Manifests

@Suite("Cilium policies")
struct CiliumPolicyTests {
  func policy(_ spec: String, kind: String = "CiliumNetworkPolicy", profile: Profile = .latest) -> ManifestSet
  {
    let body = spec.split(separator: "\n", omittingEmptySubsequences: false).map { "  \($0)" }
    return read(
      "apiVersion: cilium.io/v2\nkind: \(kind)\nmetadata: {name: p}\nspec:\n"
        + body.joined(separator: "\n") + "\n", profile: profile)
  }

  func rule(_ spec: String) throws -> PolicyRule {
    let result = policy(spec)
    #expect(result.findings == [])
    guard case .ciliumPolicy(let policy)? = result.objects.first else { throw Missing() }
    return try #require(policy.rules.first)
  }

  struct Missing: Error {}

  @Test func listsKeepAbsentEmptyAndPresentApart() throws {
    let rule = try rule(
      """
      endpointSelector: {matchLabels: {"k8s:app": web}}
      ingress: []
      egress: [{}, {toEndpoints: []}, {toEndpoints: [{}]}]
      enableDefaultDeny: {egress: false}
      description: text
      log: {value: hello}
      labels: [{key: a, value: b, source: k8s}]
      """)
    #expect(rule.ingress == [])
    #expect(rule.ingressDeny == nil && rule.egressDeny == nil)
    #expect(rule.egress?.map { $0.peers.endpoints?.count } == [nil, 0, 1])
    #expect(rule.egress?.map(\.peers.areAbsent) == [true, false, false])
    #expect(rule.enableDefaultDeny == .init(ingress: nil, egress: false))
    #expect(rule.log == "hello")
    #expect(rule.endpointSelector?.matchLabels["k8s:app"] == "web")
    #expect(rule.location.description == "m.yaml:5:3")
  }

  @Test func everyPeerAndPort() throws {
    let rule = try rule(
      """
      endpointSelector: {}
      ingress:
      - fromEntities: [world, kube-apiserver]
        authentication: {mode: required}
      ingressDeny:
      - fromCIDRSet: [{cidr: 10.0.0.0/8, except: [10.1.0.0/16]}, {cidrGroupRef: g}]
        toPorts: [{ports: [{port: "80", protocol: TCP}]}]
      - icmps: [{fields: [{type: EchoRequest, family: IPv6}, {type: 8}]}]
      egress:
      - toFQDNs: [{matchName: example.com}, {matchPattern: "*.cilium.io"}]
        toPorts:
        - ports: [{port: "8000", endPort: 8100, protocol: TCP}, {port: HTTP, protocol: TCP}]
          rules: {http: [{method: GET, path: /api, headers: [X-A], headerMatches: [{name: B, mismatch: LOG}]}]}
          terminatingTLS: {secret: {namespace: ns, name: s}}
          serverNames: [a.example]
        - ports: [{port: "53", protocol: ANY}]
          rules: {dns: [{matchPattern: "*"}]}
      - toServices: [{k8sService: {serviceName: s, namespace: ns}}, {k8sServiceSelector: {selector: {}}}]
      - toNodes: [{matchLabels: {a: b}}]
      - toCIDR: [1.1.1.1/32]
      """)
    #expect(rule.ingress?.first?.peers.entities?.map(\.value) == [.world, .kubeAPIServer])
    #expect(rule.ingress?.first?.authentication?.value == .required)
    let sets = rule.ingressDeny?.first?.peers.cidrSets
    #expect(sets?.map(\.groupName) == [nil, "g"])
    #expect(sets?.first?.except.first?.value.description == "10.1.0.0/16")
    #expect(rule.ingressDeny?.last?.icmps?.first?.fields?.map(\.type) == [128, 8])
    let ports = rule.egress?.first?.toPorts
    #expect(ports?.first?.ports?.map(\.port) == [.number(8000), .name("http")])
    #expect(ports?.first?.ports?.first?.endPort == 8100)
    #expect(ports?.first?.rules?.http?.first?.headerMatches.first?.mismatch == .log)
    #expect(ports?.last?.ports?.first?.protocol == .any)
    #expect(ports?.last?.rules?.dns?.first?.matchPattern == "*")
    #expect(ports?.last?.ports?.first?.location.description == "m.yaml:20:15")
    #expect(rule.egress?[1].peers.services?.count == 2)
    #expect(rule.egress?.last?.peers.cidrs?.first?.value.description == "1.1.1.1/32")
  }

  @Test func specsComeAfterSpec() {
    let result = read(
      """
      apiVersion: cilium.io/v2
      kind: CiliumClusterwideNetworkPolicy
      metadata: {name: p}
      spec: {endpointSelector: {}, ingress: []}
      specs:
      - {nodeSelector: {}, egress: []}
      """)
    #expect(result.findings == [])
    guard case .ciliumPolicy(let policy)? = result.objects.first else { return }
    #expect(policy.scope == .clusterwide)
    #expect(policy.rules.map { $0.nodeSelector == nil } == [true, false])
  }

  /// Each is refused; the message names place, cause and who refuses it.
  @Test(arguments: [
    ("endpointSelector: {}", "no-direction", "API server"),
    ("ingress: []", "missing-selector", "API server"),
    ("endpointSelector: {}\nnodeSelector: {}\ningress: []", "two-selectors", "API server"),
    ("nodeSelector: {}\ningress: []", "node-selector-in-namespace", "Cilium agent"),
    (
      "endpointSelector: {}\negress: [{toEndpoints: [{}], toEntities: [world]}]", "combined-peers",
      "Cilium agent"
    ),
    (
      "endpointSelector: {}\negress: [{toCIDRSet: [{cidr: 10.0.0.0/8, except: [11.0.0.0/8]}]}]",
      "except-outside", "Cilium agent"
    ),
    (
      "endpointSelector: {}\ningress: [{icmps: [{fields: [{type: 8}]}], toPorts: [{ports: [{port: '1'}]}]}]",
      "icmps-with-ports", "Cilium agent"
    ),
    (
      "endpointSelector: {}\ningress: [{toPorts: [{ports: [{port: '80', protocol: UDP}], rules: {http: [{}]}}]}]",
      "l7-not-tcp", "Cilium agent"
    ),
    (
      "endpointSelector: {}\ningress: [{toPorts: [{ports: [{port: '53'}], rules: {dns: [{matchName: a}]}}]}]",
      "dns-on-ingress", "Cilium agent"
    ),
    (
      "endpointSelector: {}\ningress: [{toPorts: [{ports: [{port: '0', protocol: TCP}], rules: {http: [{}]}}]}]",
      "l7-on-port-zero", "Cilium agent"
    ),
    ("endpointSelector: {}\ningress: [{toPorts: [{ports: [{port: ''}]}]}]", "empty-port", "Cilium agent"),
    (
      "endpointSelector: {}\ningress: [{toPorts: [{ports: [{port: '70000'}]}]}]", "invalid-value",
      "Cilium agent"
    ),
    ("endpointSelector: {}\ningress: [{toPorts: [{ports: [{port: 80}]}]}]", "wrong-type", "API server"),
    (
      "endpointSelector: {}\ningress: [{toPorts: [{ports: [{port: '80', protocol: tcp}]}]}]",
      "invalid-value", "API server"
    ),
    ("endpointSelector: {}\ningress: [{fromEntities: [wrold]}]", "invalid-value", "API server"),
    ("endpointSelector: {}\ningress: [{fromCIDR: [1.1.1.1]}]", "invalid-value", "API server"),
    ("endpointSelector: {}\ningress: [{fromRequires: [{}]}]", "gone-field", "API server"),
    (
      "endpointSelector: {}\ningressDeny: [{authentication: {mode: required}}]", "unknown-field", "API server"
    ),
    ("endpointSelector: {}\negress: [{toFQDNs: [{matchName: a..b}]}]", "invalid-value", "API server"),
    ("endpointSelector: {}\negress: [{toFQDNs: [{matchName: '*.a'}]}]", "invalid-value", "API server"),
    (
      "endpointSelector: {}\negress: [{toFQDNs: [{matchName: a, matchPattern: b}]}]", "conflict",
      "API server"
    ),
    ("endpointSelector: {}\negress: [{toCIDRSet: [{}]}]", "conflict", "API server"),
    ("endpointSelector: {}\negress: [{toFQDNs: [{}]}]", "empty-name", "API server"),
    ("endpointSelector: {matchLabels: {'a b': c}}\ningress: []", "invalid-selector", "API server"),
    (
      "endpointSelector: {matchExpressions: [{key: a, operator: In}]}\ningress: []", "invalid-selector",
      "API server"
    ),
    (
      "endpointSelector: {}\ningress: [{toPorts: [{ports: [{port: '1', protocol: TCP}], serverNames: [a],"
        + " rules: {http: [{}]}}]}]", "sni-with-l7", "Cilium agent"
    ),
    (
      "endpointSelector: {}\ningress: [{toPorts: [{listener: {envoyConfig: {name: e}, name: l}}]}]",
      "listener-on-ingress", "Cilium agent"
    ),
    (
      "endpointSelector: {}\negress: [{toPorts: [{ports: [{port: '9092', protocol: TCP}],"
        + " rules: {kafka: [{role: produce}]}}]}]", "unknown-field", "API server"
    ),
    (
      "endpointSelector: {}\ningress: [{icmps: [{fields: [{type: EchoRequst}]}]}]", "invalid-value",
      "API server"
    ),
  ])
  func whatIsRefused(_ spec: String, _ id: String, _ authority: String) {
    let result = policy(spec)
    #expect(result.objects.isEmpty)
    let matching = result.findings.filter { $0.id == id && $0.authority?.rawValue == authority }
    #expect(!matching.isEmpty, "\(result.findings.map(\.description))")
    #expect(result.findings.allSatisfy { $0.location.isKnown })
  }

  @Test func oldReleasesKnowMoreL7AndLessL4() {
    let kafka =
      "endpointSelector: {}\ningress: [{toPorts: [{ports: [{port: '9092', protocol: TCP}],"
      + " rules: {kafka: [{role: produce}]}}]}]"
    #expect(policy(kafka, profile: .v119).findings == [])
    let gre = "endpointSelector: {}\ningress: [{toPorts: [{ports: [{port: '0', protocol: GRE}]}]}]"
    #expect(policy(gre).findings == [])
    #expect(policy(gre, profile: .v119).findings.map(\.id) == ["invalid-value"])
  }
}
