import Cluster
import Wire

/// A place that a service's traffic is sent to.
public struct ServiceBackend: Hashable, Sendable, Comparable {
  public var address: IPAddress
  public var port: UInt16
  /// The pod behind it, where it is known.
  public var pod: NamespacedName?

  public init(address: IPAddress, port: UInt16, pod: NamespacedName? = nil) {
    self.address = address
    self.port = port
    self.pod = pod
  }

  public static func < (a: Self, b: Self) -> Bool { (a.address, a.port) < (b.address, b.port) }
}

/// What becomes of traffic to a service's address and port.
public enum ServiceAnswer: Hashable, Sendable {
  /// One of these, in order of address.
  case backends([ServiceBackend])
  /// The service has the address and lists no such port: Cilium drops it.
  case noSuchPort(NamespacedName)
  /// Nothing ready stands behind the port.
  case noBackends(NamespacedName)
}

extension Intent {
  /// The ready pods behind each service: `endpoints` with a place and addresses are asked, so that it needs no
  /// rendering.
  ///
  /// - Parameters:
  ///   - address: a cluster, external or load balancer address.
  ///   - isReady: whether a pod is ready; a service that publishes unready addresses does not ask.
  /// - Returns: nil when no service has the address.
  public func service(
    at address: IPAddress, _ transport: Transport, isReady: (NamespacedName) -> Bool = { _ in true }
  ) -> ServiceAnswer? {
    for service in cluster.services where service.frontends.contains(address) {
      return answer(service, transport, family: address.family, isReady: isReady)
    }
    return nil
  }

  /// The same for a service by its name, whose addresses need not be known.
  public func service(
    _ id: NamespacedName, _ transport: Transport, family: AddressFamily = .ipv4,
    isReady: (NamespacedName) -> Bool = { _ in true }
  ) -> ServiceAnswer? {
    guard let service = cluster.services[id] else { return nil }
    return answer(service, transport, family: family, isReady: isReady)
  }

  private func answer(
    _ service: Service, _ transport: Transport, family: AddressFamily, isReady: (NamespacedName) -> Bool
  ) -> ServiceAnswer {
    let asked = transport.named.map { (transport: $0, port: transport.port) }
    guard let asked,
      let port = service.ports.first(where: { $0.port == asked.port && $0.transport == asked.transport })
    else { return .noSuchPort(service.id) }
    var backends =
      service.selector.map { selected(by: $0, service, port, family, isReady) }
      ?? cluster.handWrittenBackends(of: service, port, family)
    backends.sort()
    var unique: [ServiceBackend] = []
    for backend in backends where unique.last != backend { unique.append(backend) }
    return unique.isEmpty ? .noBackends(service.id) : .backends(unique)
  }

  /// An empty selector selects nothing here, unlike in policies.
  private func selected(
    by selector: Labels, _ service: Service, _ port: ServicePort, _ family: AddressFamily,
    _ isReady: (NamespacedName) -> Bool
  ) -> [ServiceBackend] {
    if selector.isEmpty { return [] }
    let hosts = hostNetworkBackends(selector, service, port, family, isReady)
    return hosts
      + endpoints.compactMap { subject in
        guard subject.kind == .pod, subject.id.namespace == service.namespace,
          selector.allSatisfy({ subject.labels[$0.key] == $0.value }),
          service.publishNotReadyAddresses || isReady(subject.id), let address = subject.address(family)
        else { return nil }
        return port.number(among: subject.ports).map {
          ServiceBackend(address: address, port: $0, pod: subject.id)
        }
      }
  }

  /// Pods in the host's network stand behind services as any others do, with their node's address.
  private func hostNetworkBackends(
    _ selector: Labels, _ service: Service, _ port: ServicePort, _ family: AddressFamily,
    _ isReady: (NamespacedName) -> Bool
  ) -> [ServiceBackend] {
    cluster.pods.objects(in: service.namespace).compactMap { pod in
      guard pod.spec.hostNetwork, !pod.isFinished,
        selector.allSatisfy({ pod.labels[$0.key] == $0.value }),
        service.publishNotReadyAddresses || isReady(pod.id), let node = pod.spec.nodeName,
        let host = endpoints.first(where: { $0.kind == .node && $0.node == node })
          ?? cluster.nodes["", node].map(Subject.node),
        let address = host.address(family), let number = port.number(among: pod.spec.ports)
      else { return nil }
      return ServiceBackend(address: address, port: number, pod: pod.id)
    }
  }
}

extension ServicePort {
  /// The port on a pod with these ports; nil when none has the name.
  fileprivate func number(among ports: [ContainerPort]) -> UInt16? {
    switch target {
    case .number(let number): number
    case .name(let name): ports.first { $0.name == name && $0.transport == transport }?.number
    }
  }
}

extension Service {
  /// Every address that the manifest gives it.
  var frontends: [IPAddress] { clusterIPs + externalIPs + loadBalancerIngress }
}

extension ClusterState {
  /// The ready endpoints that were written by hand for one port of a service.
  func handWrittenBackends(
    of service: Service, _ port: ServicePort, _ family: AddressFamily
  ) -> [ServiceBackend] {
    var result: [ServiceBackend] = []
    func add(_ endpoint: SliceEndpoint, _ ports: [EndpointPort]) {
      guard endpoint.isReady || service.publishNotReadyAddresses else { return }
      for candidate in ports where candidate.name == port.name && candidate.transport == port.transport {
        guard let number = candidate.port else { continue }
        for address in endpoint.addresses where address.family == family {
          result.append(ServiceBackend(address: address, port: number, pod: endpoint.target))
        }
      }
    }
    for slice in endpointSlices.objects(in: service.namespace) where slice.serviceName == service.name {
      for endpoint in slice.endpoints { add(endpoint, slice.ports) }
    }
    for subset in endpoints[service.id]?.subsets ?? [] {
      for endpoint in subset.addresses { add(endpoint, subset.ports) }
    }
    return result
  }

  /// Every address that was written by hand for a service, ready or not, in order.
  func handWrittenAddresses(of service: Service) -> [IPAddress] {
    let slices = endpointSlices.objects(in: service.namespace).filter { $0.serviceName == service.name }
    let fromSlices = slices.flatMap { $0.endpoints.flatMap(\.addresses) }
    let subsets = endpoints[service.id]?.subsets ?? []
    return Set(fromSlices + subsets.flatMap { $0.addresses.flatMap(\.addresses) }).sorted()
  }
}
