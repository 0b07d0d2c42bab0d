import Cluster
import Wire

/// Who is behind a service: what kube-controller-manager writes into EndpointSlices, and those written by hand.
struct ServiceEndpoints {
  let state: ClusterState
  let pods: [PodStatus]
  let nodes: [NodeInfo]
  private let byNamespace: [String: [PodStatus]]

  init(state: ClusterState, pods: [PodStatus], nodes: [NodeInfo]) {
    self.state = state
    self.pods = pods
    self.nodes = nodes
    byNamespace = Dictionary(grouping: pods.filter { !$0.addresses.isEmpty }, by: \.id.namespace)
  }

  /// Backends without ids, one for each address and port, by address.
  func backends(of service: Service) -> [Backend] {
    let backends: [Backend]
    if let selector = service.selector {
      backends = selected(by: selector, service)
    } else if let written = written(for: service) {
      backends = written
    } else if service.id == SystemObjects.kubernetesService {
      backends = controlPlane(service)
    } else {
      backends = []
    }
    return merged(backends)
  }

  private func selected(by selector: Labels, _ service: Service) -> [Backend] {
    guard !selector.isEmpty else { return [] }
    var backends: [Backend] = []
    for status in byNamespace[service.namespace] ?? []
    where status.phase == .running && selector.allSatisfy({ status.pod.labels[$0.key] == $0.value }) {
      let isReady = status.isReady || service.publishNotReadyAddresses
      for port in service.ports {
        guard let number = target(port, status.pod) else { continue }
        for address in status.addresses {
          backends.append(
            Backend(
              address: address, port: number, transport: port.transport,
              portNames: port.name.isEmpty ? [] : [port.name], node: status.node,
              zone: nodes.first { $0.name == status.node }?.zone, pod: status.id,
              state: isReady ? .active : .maintenance, id: 0))
        }
      }
    }
    return backends
  }

  /// A port by name is each pod's own; a pod without it is no endpoint of that port.
  private func target(_ port: ServicePort, _ pod: Pod) -> UInt16? {
    switch port.target {
    case .number(let number): number
    case .name(let name): pod.spec.port(named: name, port.transport)?.number
    }
  }

  /// nil when nobody wrote any.
  private func written(for service: Service) -> [Backend]? {
    let slices = state.endpointSlices.objects(in: service.namespace).filter {
      $0.serviceName == service.name && $0.addressType != .fqdn
    }
    var backends: [Backend] = []
    for slice in slices {
      for endpoint in slice.endpoints { backends += self.backends(endpoint, slice.ports) }
    }
    guard slices.isEmpty else { return backends }
    guard let object = state.endpoints[service.id] else { return nil }
    for subset in object.subsets {
      for endpoint in subset.addresses { backends += self.backends(endpoint, subset.ports) }
    }
    return backends
  }

  private func backends(_ endpoint: SliceEndpoint, _ ports: [EndpointPort]) -> [Backend] {
    let state: Backend.State =
      if endpoint.isReady {
        .active
      } else if endpoint.isTerminating {
        endpoint.isServing ? .terminating : .terminatingNotServing
      } else {
        .maintenance
      }
    return ports.flatMap { port -> [Backend] in
      guard let number = port.port else { return [] }
      return endpoint.addresses.map { address in
        Backend(
          address: address, port: number, transport: port.transport,
          portNames: port.name.isEmpty ? [] : [port.name], node: endpoint.nodeName, zone: endpoint.zone,
          pod: endpoint.target, state: state, id: 0)
      }
    }
  }

  /// The API server answers at the control planes' addresses of the service's own family.
  private func controlPlane(_ service: Service) -> [Backend] {
    let family = service.clusterIPs.first?.family ?? .ipv4
    return nodes.filter(\.isControlPlane).compactMap { node in
      node.address(family).map { address in
        Backend(
          address: address, port: SystemObjects.apiServerPort, transport: .tcp, portNames: ["https"],
          node: nil, zone: nil, pod: nil, state: .active, id: 0)
      }
    }
  }

  /// One backend for each address, port and protocol, with the names of all its ports.
  private func merged(_ backends: [Backend]) -> [Backend] {
    var result: [Backend] = []
    var positions: [String: Int] = [:]
    for backend in backends {
      if let position = positions[backend.name] {
        result[position].portNames += backend.portNames
      } else {
        positions[backend.name] = result.count
        result.append(backend)
      }
    }
    for index in result.indices { result[index].portNames = Array(Set(result[index].portNames)).sorted() }
    return result.sorted(by: Backend.precedes)
  }
}
