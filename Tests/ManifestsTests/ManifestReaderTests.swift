import Cluster
import Testing
import Wire

@testable import Manifests

/// Reads one text as the file `m.yaml`.
func read(_ text: String, profile: Profile = .latest) -> ManifestSet {
  ManifestReader(profile: profile).read(text, file: "m.yaml")
}

/// The findings of a reading, as they are printed.
func findings(_ text: String, profile: Profile = .latest) -> [String] {
  read(text, profile: profile).findings.map(\.description)
}

@Suite("Kubernetes objects")
struct ManifestReaderTests {
  @Test func podsAreReadAsWritten() throws {
    let result = read(
      """
      apiVersion: v1
      kind: Pod
      metadata:
        name: web
        labels: {app: web}
        annotations: {ciliate.dev/listen: "80/TCP"}
        uid: 1-2
      spec:
        nodeName: n1
        hostNetwork: true
        serviceAccountName: sa
        nodeSelector: {kubernetes.io/hostname: n1}
        containers:
        - name: c
          image: nginx
          ports:
          - {containerPort: 80, name: http}
          - {containerPort: 53, protocol: UDP, hostPort: 5353}
        initContainers:
        - {name: side, restartPolicy: Always, ports: [{containerPort: 15001}]}
        - {name: once, ports: [{containerPort: 1}]}
      status:
        phase: Running
        podIPs: [{ip: 10.0.0.5}, {ip: "fd00::5"}]
        conditions: [{type: Ready, status: "False"}]
        whatever: 1
      """)
    #expect(result.findings == [])
    guard case .pod(let pod)? = result.objects.first else {
      Issue.record("a pod")
      return
    }
    #expect(pod.reference.description == "Pod default/web")
    #expect(pod.location.description == "m.yaml:1:1")
    #expect(pod.spec.ports.map(\.number) == [80, 53, 15001])
    #expect(pod.spec.ports.map(\.hostPort) == [nil, 5353, nil])
    #expect(pod.spec.port(named: "http", .tcp)?.location.description == "m.yaml:17:7")
    #expect(pod.podIPs.map(\.description) == ["10.0.0.5", "fd00::5"])
    #expect(pod.isReady == false && pod.phase == .running && pod.spec.hostNetwork)
    #expect(pod.spec.serviceAccount == "sa")
  }

  @Test func listsAreOpened() {
    let result = read(
      """
      apiVersion: v1
      kind: List
      metadata: {resourceVersion: ""}
      items:
      - {apiVersion: v1, kind: Namespace, metadata: {name: a}}
      - {apiVersion: v1, kind: ServiceAccount, metadata: {name: s, namespace: a}}
      - {apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {x: y}}
      """)
    #expect(result.findings == [])
    #expect(result.objects.map(\.reference.description) == ["Namespace a", "ServiceAccount a/s"])
  }

  @Test func workloadsAndTheirTemplates() {
    let result = read(
      """
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: web, namespace: shop}
      spec:
        replicas: 3
        selector: {matchLabels: {app: web}}
        template:
          metadata: {labels: {app: web, v: "1"}}
          spec:
            containers: [{name: c, image: httpd}]
            affinity:
              podAntiAffinity:
                requiredDuringSchedulingIgnoredDuringExecution:
                - {labelSelector: {matchLabels: {app: web}}, topologyKey: kubernetes.io/hostname}
            topologySpreadConstraints:
            - {maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}
      """)
    #expect(result.findings == [])
    guard case .workload(let workload)? = result.objects.first else {
      Issue.record("a workload")
      return
    }
    #expect(workload.replicas == 3)
    #expect(workload.template.labels.description == "app=web,v=1")
    #expect(workload.template.spec.antiAffinity.first?.topologyKey == "kubernetes.io/hostname")
    #expect(workload.template.spec.topologySpread.first?.isRequired == true)
  }

  @Test func servicesAreReadAsWritten() {
    let result = read(
      """
      apiVersion: v1
      kind: Service
      metadata: {name: web}
      spec:
        type: NodePort
        clusterIP: 10.96.0.9
        clusterIPs: [10.96.0.9, "fd00::9"]
        ipFamilies: [IPv4, IPv6]
        ipFamilyPolicy: RequireDualStack
        selector: {app: web}
        sessionAffinity: ClientIP
        sessionAffinityConfig: {clientIP: {timeoutSeconds: 30}}
        externalTrafficPolicy: Local
        ports:
        - {name: http, port: 80, targetPort: http, nodePort: 30080}
        - {name: dns, port: 53, protocol: UDP, targetPort: 0}
      status: {loadBalancer: {ingress: [{ip: 172.18.0.200}]}}
      ---
      apiVersion: v1
      kind: Service
      metadata: {name: none}
      spec: {clusterIP: None, ports: [{port: 1}]}
      """)
    #expect(result.findings == [])
    guard case .service(let service)? = result.objects.first, case .service(let none)? = result.objects.last
    else {
      Issue.record("two services")
      return
    }
    #expect(service.type == .nodePort && service.externalTrafficPolicy == .local)
    #expect(service.clusterIPs.map(\.description) == ["10.96.0.9", "fd00::9"])
    #expect(service.ports.map(\.target) == [.name("http"), .number(53)])
    #expect(service.ports.map(\.transport) == [.tcp, .udp])
    #expect(service.ports[0].nodePort == 30080)
    #expect(service.sessionAffinity?.timeoutSeconds == 30)
    #expect(service.loadBalancerIngress.map(\.description) == ["172.18.0.200"])
    #expect(none.isHeadless && none.clusterIPs.isEmpty && none.selector == nil)
  }

  @Test func nodesEndpointsAndPins() {
    let result = read(
      """
      apiVersion: v1
      kind: Node
      metadata: {name: n1, labels: {node-role.kubernetes.io/control-plane: ""}}
      spec: {podCIDR: 10.244.0.0/24, podCIDRs: [10.244.0.0/24], taints: [{key: k, effect: NoSchedule}]}
      status:
        addresses: [{type: Hostname, address: n1}, {type: InternalIP, address: 172.18.0.2}]
        allocatable: {pods: "64"}
      ---
      apiVersion: discovery.k8s.io/v1
      kind: EndpointSlice
      metadata: {name: s-1, labels: {kubernetes.io/service-name: s}}
      addressType: IPv4
      endpoints:
      - {addresses: [10.0.0.1], conditions: {ready: false, serving: true, terminating: true}, zone: a}
      ports: [{name: "", port: 80, protocol: TCP}]
      ---
      apiVersion: v1
      kind: Endpoints
      metadata: {name: s}
      subsets:
      - {addresses: [{ip: 10.0.0.1}], notReadyAddresses: [{ip: 10.0.0.2}], ports: [{port: 80}]}
      ---
      apiVersion: cilium.io/v2
      kind: CiliumIdentity
      metadata: {name: "4711"}
      security-labels: {"k8s:app": web}
      ---
      apiVersion: cilium.io/v2
      kind: CiliumEndpoint
      metadata: {name: web}
      status: {id: 77, identity: {id: 4711}, networking: {addressing: [{ipv4: 10.0.0.9}]}}
      ---
      apiVersion: cilium.io/v2alpha1
      kind: CiliumCIDRGroup
      metadata: {name: g}
      spec: {externalCIDRs: [10.0.0.0/8]}
      """)
    #expect(result.findings == [])
    let state = ClusterState(result.objects)
    let node = state.nodes["", "n1"]
    #expect(node?.addresses.map(\.description) == ["172.18.0.2"])
    #expect(node?.podLimit == 64)
    #expect(node?.isControlPlane == true)
    #expect(node?.taints.map(\.key) == ["k"])
    let slice = state.endpointSlices["default", "s-1"]
    #expect(slice?.serviceName == "s")
    #expect(slice?.endpoints.first?.isServing == true && slice?.endpoints.first?.isReady == false)
    #expect(state.endpoints["default", "s"]?.subsets.first?.addresses.map(\.isReady) == [true, false])
    #expect(state.identities["", "4711"]?.number == 4711)
    #expect(state.ciliumEndpoints["default", "web"]?.identity == 4711)
    #expect(state.cidrGroups["", "g"]?.externalCIDRs.first?.value.description == "10.0.0.0/8")
  }

  @Test func networkPoliciesKeepAbsentEmptyAndPresentApart() {
    let result = read(
      """
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {name: p}
      spec:
        podSelector: {}
        policyTypes: [Ingress, Egress]
        ingress: [{}]
        egress:
        - to:
          - {namespaceSelector: {matchLabels: {a: b}}, podSelector: {}}
          - ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}
          ports: [{port: 53, protocol: UDP}, {port: http}, {port: 1000, endPort: 2000}]
      ---
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {name: q}
      spec: {podSelector: {matchLabels: {a: b}}, ingress: [], egress: null}
      """)
    #expect(result.findings == [])
    let state = ClusterState(result.objects)
    let p = state.networkPolicies["default", "p"]
    #expect(p?.ingress?.count == 1 && p?.ingress?.first?.peers == nil && p?.ingress?.first?.ports == nil)
    let rule = p?.egress?.first
    #expect(rule?.peers?.first?.podSelector?.isEmpty == true)
    #expect(rule?.peers?.last?.ipBlock?.except.map(\.description) == ["10.1.0.0/16"])
    #expect(rule?.ports?.map(\.transport) == [.udp, .tcp, .tcp])
    #expect(rule?.ports?.last?.endPort == 2000)
    let q = state.networkPolicies["default", "q"]
    #expect(q?.ingress == [] && q?.egress == nil && q?.policyTypes == nil)
  }

  @Test func kindConfigurations() {
    let result = read(
      """
      kind: Cluster
      apiVersion: kind.x-k8s.io/v1alpha4
      nodes:
      - {role: control-plane, image: x}
      - {role: worker, labels: {topology.kubernetes.io/zone: z}}
      networking:
        ipFamily: dual
        disableDefaultCNI: true
        kubeProxyMode: none
        podSubnet: "10.244.0.0/16,fd00:10:244::/56"
        serviceSubnet: 10.96.0.0/12
      """)
    #expect(result.findings == [])
    let kind = result.kindConfigurations.first
    #expect(kind?.nodes.map(\.name) == ["kind-control-plane", "kind-worker"])
    #expect(kind?.kubeProxy == false)
    #expect(kind?.podSubnets.map(\.description) == ["10.244.0.0/16", "fd00:10:244::/56"])
    #expect(kind?.network.serviceCIDRs.map(\.description) == ["10.96.0.0/12"])
  }
}
