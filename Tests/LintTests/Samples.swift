/// For each id of the linter, a manifest that has it, and beside it the nearest one that has not.
struct Sample: Sendable {
  var id: String
  var bad: String
  var good: String

  init(_ id: String, _ bad: String, not good: String) {
    self.id = id
    self.bad = bad
    self.good = good
  }
}

// Manifests on one line each: only what a sample is about differs.

private func cnp(_ spec: String, selector: String = "endpointSelector: {matchLabels: {app: web}}") -> String {
  "{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: p}, spec: {\(selector), \(spec)}}\n"
}

private func clusterwide(_ spec: String) -> String {
  "{apiVersion: cilium.io/v2, kind: CiliumClusterwideNetworkPolicy, metadata: {name: p}, spec: {\(spec)}}\n"
}

private func http(_ rule: String, port: String = "'80'", transport: String = "TCP") -> String {
  "ingress: [{fromEntities: [all], toPorts: [{ports: [{port: \(port), protocol: \(transport)}], rules: {http: [\(rule)]}}]}]"
}

/// An egress rule beside one for DNS, so that nothing else is found.
private func egress(_ rule: String) -> String {
  cnp("egress: [\(rule), {toEntities: [all], toPorts: [{ports: [{port: '53'}]}]}]")
}

private func np(_ spec: String) -> String {
  "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: np}, spec: {podSelector: {matchLabels: {app: web}}, \(spec)}}\n"
}

private func pod(_ metadata: String, _ spec: String = "containers: [{name: c, image: i}]") -> String {
  "{apiVersion: v1, kind: Pod, metadata: {\(metadata)}, spec: {\(spec)}}\n"
}

private func service(_ spec: String) -> String {
  "{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {\(spec)}}\n"
}

private func deployment(_ app: String) -> String {
  "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: {selector: {matchLabels: {app: \(app)}}, "
    + "template: {metadata: {labels: {app: d}}, spec: {containers: [{name: c, image: i}]}}}}\n"
}

private let forty = (1...41).map { "{port: '\($0)', protocol: TCP}" }.joined(separator: ", ")
private let fewer = (1...40).map { "{port: '\($0)', protocol: TCP}" }.joined(separator: ", ")
private let fromClient = "fromEndpoints: [{matchLabels: {app: client}}]"
private let dns = "toPorts: [{ports: [{port: '53', protocol: ANY}], rules: {dns: [{matchPattern: '*'}]}}]"

extension Sample {
  /// What reading finds.
  static let reading: [Sample] = [
    Sample("yaml-syntax", "{a: [", not: pod("name: x")),
    Sample("wrong-type", cnp("ingress: {}"), not: cnp("ingress: [{fromEntities: [all]}]")),
    Sample(
      "unknown-kind", "{apiVersion: cilium.io/v2, kind: CiliumNetworkPolic, metadata: {name: p}}",
      not: cnp("ingress: [{fromEntities: [all]}]")),
    Sample("unknown-field", cnp("ingres: []"), not: cnp("ingress: [{fromEntities: [all]}]")),
    Sample(
      "missing-field", np("ingress: [{from: [{}]}]"), not: np("ingress: [{from: [{podSelector: {}}]}]")),
    Sample(
      "invalid-value", cnp("ingress: [{toPorts: [{ports: [{port: '70000', protocol: TCP}]}]}]"),
      not: cnp("ingress: [{toPorts: [{ports: [{port: '7000', protocol: TCP}]}]}]")),
    Sample(
      "conflict", egress("{toFQDNs: [{matchName: a.example, matchPattern: '*.example'}]}"),
      not: egress("{toFQDNs: [{matchName: a.example}, {matchPattern: '*.example'}]}")),
    Sample("boolean-letter", pod("name: x, labels: {a: y}"), not: pod("name: x, labels: {a: 'y'}")),
    Sample("duplicate-object", pod("name: x") + "---\n" + pod("name: x"), not: pod("name: x")),
    Sample(
      "duplicate-name", pod("name: x", "containers: [{name: c, image: i}, {name: c, image: i}]"),
      not: pod("name: x", "containers: [{name: c, image: i}, {name: d, image: i}]")),
    Sample(
      "duplicate-port", service("ports: [{name: a, port: 80}, {name: b, port: 80}]"),
      not: service("ports: [{name: a, port: 80}, {name: b, port: 80, protocol: UDP}]")),
    Sample(
      "ignored-namespace", "{apiVersion: v1, kind: Node, metadata: {name: n, namespace: a}}",
      not: "{apiVersion: v1, kind: Node, metadata: {name: n}}"),
    Sample("invalid-label", pod("name: x, labels: {a: '-'}"), not: pod("name: x, labels: {a: b}")),
    Sample(
      "invalid-selector",
      cnp("ingress: [{fromEndpoints: [{matchExpressions: [{key: app, operator: In}]}]}]"),
      not: cnp("ingress: [{fromEndpoints: [{matchExpressions: [{key: app, operator: Exists}]}]}]")),
    Sample("selector-mismatch", deployment("other"), not: deployment("d")),
    Sample(
      "preference-not-followed",
      pod(
        "name: x",
        "containers: [{name: c, image: i}], affinity: {podAffinity: {preferredDuringSchedulingIgnoredDuringExecution: []}}"
      ), not: pod("name: x", "containers: [{name: c, image: i}], affinity: {}")),
    Sample(
      "unmodelled-kind",
      "{apiVersion: cilium.io/v2, kind: CiliumEgressGatewayPolicy, metadata: {name: p}, spec: {}}",
      not: "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}"),
    Sample(
      "unmodelled-field",
      "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: e}, addressType: FQDN, endpoints: []}",
      not:
        "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: e}, addressType: IPv4, endpoints: []}"
    ),
  ]

  /// What the API server or the agent refuses of a Cilium policy.
  static let refused: [Sample] = [
    Sample(
      "missing-selector", clusterwide("ingress: [{fromEntities: [all]}]"),
      not: clusterwide("endpointSelector: {}, ingress: [{fromEntities: [all]}]")),
    Sample(
      "two-selectors",
      clusterwide("endpointSelector: {}, nodeSelector: {}, ingress: [{fromEntities: [all]}]"),
      not: clusterwide("nodeSelector: {}, ingress: [{fromEntities: [all]}]")),
    Sample(
      "node-selector-in-namespace", cnp("ingress: [{fromEntities: [all]}]", selector: "nodeSelector: {}"),
      not: clusterwide("nodeSelector: {}, ingress: [{fromEntities: [all]}]")),
    Sample("no-direction", cnp("description: x"), not: cnp("ingress: [{fromEntities: [all]}]")),
    Sample(
      "combined-peers", cnp("ingress: [{\(fromClient), fromEntities: [world]}]"),
      not: cnp("ingress: [{\(fromClient)}, {fromEntities: [world]}]")),
    Sample(
      "except-outside", cnp("ingress: [{fromCIDRSet: [{cidr: 192.0.2.0/24, except: [198.51.100.0/28]}]}]"),
      not: cnp("ingress: [{fromCIDRSet: [{cidr: 192.0.2.0/24, except: [192.0.2.0/28]}]}]")),
    Sample(
      "gone-field", cnp("ingress: [{fromRequires: [{matchLabels: {app: client}}]}]"),
      not: cnp("ingress: [{\(fromClient)}]")),
    Sample(
      "icmps-with-ports",
      cnp("ingress: [{icmps: [{fields: [{type: 8}]}], toPorts: [{ports: [{port: '80', protocol: TCP}]}]}]"),
      not: cnp(
        "ingress: [{icmps: [{fields: [{type: 8}]}]}, {toPorts: [{ports: [{port: '80', protocol: TCP}]}]}]")),
    Sample(
      "too-many", cnp("ingress: [{toPorts: [{ports: [\(forty)]}]}]"),
      not: cnp("ingress: [{toPorts: [{ports: [\(fewer)]}]}]")),
    Sample(
      "empty-port", cnp("ingress: [{toPorts: [{ports: [{protocol: TCP}]}]}]"),
      not: cnp("ingress: [{toPorts: [{ports: [{port: '0', protocol: TCP}]}]}]")),
    Sample("empty-name", egress("{toFQDNs: [{}]}"), not: egress("{toFQDNs: [{matchName: a.example}]}")),
    Sample(
      "empty-list", egress("{toPorts: [{ports: [{port: '443', protocol: TCP}], serverNames: []}]}"),
      not: egress("{toPorts: [{ports: [{port: '443', protocol: TCP}], serverNames: [a.example]}]}")),
    Sample(
      "listener-on-ingress",
      cnp(
        "ingress: [{toPorts: [{ports: [{port: '80', protocol: TCP}], listener: {envoyConfig: {name: e}, name: l}}]}]"
      ),
      not: egress(
        "{toPorts: [{ports: [{port: '80', protocol: TCP}], listener: {envoyConfig: {name: e}, name: l}}]}")),
    Sample(
      "listener-with-l7",
      egress(
        "{toPorts: [{ports: [{port: '80', protocol: TCP}], listener: {envoyConfig: {name: e}, name: l}, rules: {http: [{}]}}]}"
      ),
      not: egress("{toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{}]}}]}")),
    Sample(
      "no-l7-kind", cnp("ingress: [{toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {}}]}]"),
      not: cnp("ingress: [{toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{}]}}]}]")),
    Sample(
      "two-l7-kinds",
      egress("{toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [], dns: []}}]}"),
      not: egress("{toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: []}}]}")),
    Sample("dns-on-ingress", cnp("ingress: [{\(dns)}]"), not: egress("{\(dns)}")),
    Sample(
      "dns-without-port", egress("{toPorts: [{rules: {dns: [{matchName: a.example}]}}]}"),
      not: egress("{\(dns)}")),
    Sample(
      "dns-port-range",
      egress(
        "{toPorts: [{ports: [{port: '53', endPort: 54, protocol: UDP}, {port: '53', protocol: TCP}], rules: {dns: [{matchName: a.example}]}}]}"
      ), not: egress("{\(dns)}")),
    Sample(
      "l7-on-host", clusterwide("nodeSelector: {}, \(http("{}"))"),
      not: clusterwide("endpointSelector: {}, \(http("{}"))")),
    Sample("l7-not-tcp", cnp(http("{}", transport: "UDP")), not: cnp(http("{}"))),
    Sample("l7-on-port-zero", cnp(http("{}", port: "'0'")), not: cnp(http("{}"))),
    Sample(
      "sni-with-l7",
      egress(
        "{toPorts: [{ports: [{port: '443', protocol: TCP}], serverNames: [a.example], rules: {http: [{}]}}]}"
      ),
      not: egress(
        "{toPorts: [{ports: [{port: '443', protocol: TCP}], serverNames: [a.example], terminatingTLS: {secret: {name: s}}, rules: {http: [{}]}}]}"
      )),
    Sample("bad-expression", cnp(http("{path: '/('}")), not: cnp(http("{path: '/.*'}"))),
    Sample(
      "node-peers-disabled", cnp("ingress: [{fromNodes: [{}]}]"),
      not: cnp("ingress: [{fromEntities: [remote-node]}]")),
    Sample("refused-by-agent", cnp("ingress: []"), not: cnp("ingress: [{fromEntities: [all]}]")),
  ]

  /// What is legal, and seldom meant.
  static let traps: [Sample] = [
    Sample("empty-rule", cnp("ingress: [{}]"), not: np("ingress: [{}]")),
    Sample(
      "empty-peer-list", cnp("ingress: [{fromEndpoints: []}]"), not: cnp("ingress: [{fromEndpoints: [{}]}]")),
    Sample(
      "empty-port-entry", cnp("ingress: [{fromEndpoints: [{}], toPorts: [{ports: []}]}]"),
      not: cnp("ingress: [{fromEndpoints: [{}]}]")),
    Sample(
      "deny-turns-on-default-deny", cnp("ingressDeny: [{\(fromClient)}]"),
      not: cnp("ingressDeny: [{\(fromClient)}], enableDefaultDeny: {ingress: false}")),
    Sample(
      "cidr-covers-cluster", egress("{toCIDR: [10.0.0.0/8]}"), not: egress("{toCIDR: [203.0.113.0/24]}")),
    Sample(
      "header-looks-like-expression", cnp(http("{headers: ['X-A: .*']}")),
      not: cnp(http("{headers: ['X-A: 1']}"))),
    Sample(
      "header-without-blank", cnp(http("{headers: ['X-A:1']}")), not: cnp(http("{headers: ['X-A: 1']}"))),
    Sample(
      "l4-shadows-l7",
      cnp(
        "ingress: [{\(fromClient), toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{path: /x}]}}]}, {\(fromClient)}]"
      ),
      not: cnp(
        "ingress: [{\(fromClient), toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{path: /x}]}}]}, {\(fromClient), toPorts: [{ports: [{port: '81', protocol: TCP}]}]}]"
      )),
    Sample(
      "dns-udp-only", cnp("egress: [{toEntities: [all], toPorts: [{ports: [{port: '53', protocol: UDP}]}]}]"),
      not: cnp("egress: [{toEntities: [all], toPorts: [{ports: [{port: '53', protocol: ANY}]}]}]")),
    Sample(
      "egress-without-dns", cnp("egress: [{toEndpoints: [{matchLabels: {app: client}}]}]"),
      not: egress("{toEndpoints: [{matchLabels: {app: client}}]}")),
    Sample(
      "selects-nothing",
      cnp("ingress: [{fromEntities: [cluster]}]", selector: "endpointSelector: {matchLabels: {app: none}}"),
      not: cnp("ingress: [{fromEntities: [cluster]}]")),
    Sample(
      "peer-selects-nothing", cnp("ingress: [{fromEndpoints: [{matchLabels: {app: none}}]}]"),
      not: cnp("ingress: [{\(fromClient)}]")),
    Sample(
      "unknown-port-name", cnp("ingress: [{toPorts: [{ports: [{port: grpc, protocol: TCP}]}]}]"),
      not: cnp("ingress: [{toPorts: [{ports: [{port: http, protocol: TCP}]}]}]")),
    Sample(
      "missing-service",
      egress("{toServices: [{k8sService: {serviceName: gone, namespace: default}}]}"),
      not: egress("{toServices: [{k8sService: {serviceName: there, namespace: default}}]}")),
    Sample(
      "missing-cidr-group", cnp("ingress: [{fromCIDRSet: [{cidrGroupRef: gone}]}]"),
      not: cnp("ingress: [{fromCIDRSet: [{cidrGroupRef: there}]}]")),
    Sample(
      "negative-group-selector",
      cnp(
        "ingress: [{fromCIDRSet: [{cidrGroupSelector: {matchExpressions: [{key: a, operator: DoesNotExist}]}}]}]"
      ),
      not: cnp(
        "ingress: [{fromCIDRSet: [{cidrGroupSelector: {matchExpressions: [{key: a, operator: Exists}]}}]}]")),
    Sample(
      "icmp-type-zero", cnp("ingress: [{icmps: [{fields: [{type: 0}]}]}]"),
      not: cnp("ingress: [{icmps: [{fields: [{type: 8}]}]}]")),
    Sample(
      "label-not-in-identity", cnp("ingress: [{fromEndpoints: [{matchLabels: {pod-template-hash: a}}]}]"),
      not: cnp("ingress: [{\(fromClient)}]")),
    Sample(
      "foreign-namespace",
      cnp(
        "ingress: [{fromEntities: [all]}]",
        selector: "endpointSelector: {matchLabels: {'k8s:io.kubernetes.pod.namespace': other}}"),
      not: cnp(
        "ingress: [{fromEntities: [all]}]",
        selector: "endpointSelector: {matchLabels: {'k8s:io.kubernetes.pod.namespace': default}}")),
    Sample(
      "policy-types-disagree", np("policyTypes: [Ingress], egress: [{}]"),
      not: np("policyTypes: [Ingress, Egress], egress: [{}]")),
    Sample(
      "authentication-off", cnp("ingress: [{fromEntities: [all], authentication: {mode: required}}]"),
      not: cnp("ingress: [{fromEntities: [all]}]")),
  ]

  static let all = reading + refused + traps
}
