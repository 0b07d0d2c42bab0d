import Cluster
import Wire

/// What every cluster runs besides the user's objects: the kubernetes service, and CoreDNS with its service.
enum SystemObjects {
  static let namespace = "kube-system"
  static let dnsService = NamespacedName(namespace: namespace, name: "kube-dns")
  static let dnsDeployment = ObjectReference(.deployment, namespace: namespace, name: "coredns")
  static let kubernetesService = NamespacedName(namespace: "default", name: "kubernetes")
  /// Where the API server listens, on control-plane nodes.
  static let apiServerPort: UInt16 = 6443

  /// The objects with those of the system added, where the user's do not hold them already.
  static func complete(_ state: ClusterState, _ network: ClusterNetwork) -> ClusterState {
    var state = state
    let hasDNS =
      state.services[dnsService] != nil
      || state.pods.contains { $0.namespace == namespace && $0.labels["k8s-app"] == "kube-dns" }
      || state.deployments[dnsDeployment.id] != nil
    if !hasDNS {
      state.deployments[dnsDeployment.id] = coreDNS
    }
    if state.services[dnsService] == nil { state.services[dnsService] = kubeDNS(network) }
    if state.services[kubernetesService] == nil { state.services[kubernetesService] = kubernetes(network) }
    return state
  }

  private static var coreDNS: Workload {
    let labels: Labels = ["k8s-app": "kube-dns"]
    let container = Container(
      name: "coredns", image: "registry.k8s.io/coredns/coredns:v1.12.1",
      ports: [
        ContainerPort(name: "dns", 53, .udp), ContainerPort(name: "dns-tcp", 53, .tcp),
        ContainerPort(name: "metrics", 9153, .tcp), ContainerPort(name: "liveness-probe", 8080, .tcp),
        ContainerPort(name: "readiness-probe", 8181, .tcp),
      ])
    let spec = PodSpec(
      containers: [container], nodeSelector: ["kubernetes.io/os": "linux"],
      tolerations: [
        Toleration(key: "CriticalAddonsOnly", op: .exists),
        Toleration(key: Node.controlPlaneLabel, effect: .noSchedule),
      ], serviceAccount: "coredns", dnsPolicy: .default)
    return Workload(
      metadata: Metadata(namespace: namespace, name: "coredns", labels: labels), type: .deployment,
      replicas: 2, selector: LabelSelector(matchLabels: labels),
      template: PodTemplate(labels: labels, spec: spec))
  }

  /// At the tenth address of the first service prefix.
  private static func kubeDNS(_ network: ClusterNetwork) -> Service {
    Service(
      metadata: Metadata(
        namespace: dnsService.namespace, name: dnsService.name,
        labels: ["k8s-app": "kube-dns", "kubernetes.io/name": "CoreDNS"]),
      ports: [
        ServicePort(name: "dns", 53, .udp), ServicePort(name: "dns-tcp", 53, .tcp),
        ServicePort(name: "metrics", 9153, .tcp),
      ], selector: ["k8s-app": "kube-dns"],
      clusterIPs: network.serviceCIDRs.first?.address(at: 10).map { [$0] } ?? [])
  }

  /// At the first address of the first service prefix; its endpoints are the control-plane nodes.
  private static func kubernetes(_ network: ClusterNetwork) -> Service {
    Service(
      metadata: Metadata(
        namespace: kubernetesService.namespace, name: kubernetesService.name,
        labels: ["component": "apiserver", "provider": "kubernetes"]),
      ports: [ServicePort(name: "https", 443, target: .number(apiServerPort))], selector: nil,
      clusterIPs: network.serviceCIDRs.first?.address(at: 1).map { [$0] } ?? [])
  }
}
