import Cluster
import Wire

/// The host ports of pods, as services that only the pod's own node has.
///
/// Source: Cilium `pkg/loadbalancer/reflectors/k8s.go` (`upsertHostPort`).
struct HostPorts {
  let settings: Settings
  let options: DatapathOptions

  func services(_ pods: [PodStatus], _ findings: inout [Finding]) -> [ServiceStatus] {
    // Without kube-proxy replacement the portmap plug-in makes iptables rules of them.
    guard options.kubeProxyReplacement else { return [] }
    var services: [ServiceStatus] = []
    for status in pods where status.phase == .running && !status.pod.spec.hostNetwork {
      let ports = status.pod.spec.ports.filter { $0.hostPort != nil }
      for number in Set(ports.compactMap(\.hostPort)).sorted() where number > 0 {
        guard !settings.loadBalancer.nodePorts.contains(number) else {
          findings.append(
            Finding(
              "host-port-ignored", .warning,
              "hostPort \(number) is in the range of node ports: it is ignored",
              object: status.pod.reference, at: status.pod.location))
          continue
        }
        services.append(service(status, number, ports.filter { $0.hostPort == number }))
      }
    }
    return services
  }

  private func service(_ status: PodStatus, _ number: UInt16, _ ports: [ContainerPort]) -> ServiceStatus {
    let service = Service(
      metadata: Metadata(
        namespace: status.id.namespace, name: "\(status.id.name):host-port:\(number)",
        location: status.pod.location))
    let addresses = status.addresses.filter { options.families.contains($0.family) }
    var result = ServiceStatus(
      service: service, families: addresses.map(\.family), clusterIPs: [], frontends: [], backends: [],
      node: status.node)
    for port in ports {
      for address in addresses {
        result.backends.append(
          Backend(
            address: address, port: port.number, transport: port.transport, portNames: [], node: nil,
            zone: nil, pod: status.id, state: .active, id: 0))
      }
      for address in frontends(port, addresses, &result.isLoopback) {
        result.frontends.append(
          Frontend(
            kind: .hostPort, address: address, port: number, transport: port.transport,
            isInternalScope: false, portName: "", servicePort: number, id: 0))
      }
    }
    result.backends.sort(by: Backend.precedes)
    return result
  }

  /// All addresses of the node, unless one is asked for; a loopback address stands for all, from inside only.
  private func frontends(
    _ port: ContainerPort, _ addresses: [IPAddress], _ isLoopback: inout Bool
  ) -> [IPAddress] {
    guard let asked = port.hostIP else { return addresses.map { $0.family.unspecified } }
    // Cilium makes no frontend for an unspecified address that is asked for.
    if asked == asked.family.unspecified { return [] }
    guard asked.isLoopback else { return isLoopback ? [] : [asked] }
    isLoopback = true
    return [asked.family.unspecified]
  }
}

extension AddressFamily {
  /// 0.0.0.0 or ::.
  var unspecified: IPAddress { self == .ipv4 ? .v4(.unspecified) : .v6(.unspecified) }
}

extension IPAddress {
  fileprivate var isLoopback: Bool {
    switch self {
    case .v4(let address): address.bits >> 24 == 127
    case .v6(let address): address.high == 0 && address.low == 1
    }
  }
}
