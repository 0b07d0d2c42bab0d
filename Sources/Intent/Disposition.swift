import Cluster
import Wire

/// What becomes of a probe that policies, services and listeners together decide.
public enum Disposition: Hashable, Sendable {
  /// Somebody answers at the destination.
  case delivered
  /// A proxy takes it, and lets pass what it is told to.
  case proxied(L7Permission)
  /// Nobody listens: a reset, or port unreachable.
  case refused
  case dropped(PolicyDrop, PolicyDirection)
  /// The service has the address and lists no such port.
  case noSuchPort(NamespacedName)
  /// Nothing ready stands behind the service's port.
  case noBackends(NamespacedName)
}

/// One place that a probe may end at, and what happens there.
public struct ProbeOutcome: Hashable, Sendable {
  /// Nil for a service without backends.
  public var backend: ServiceBackend?
  /// Nil where no policy was asked.
  public var policy: PolicyAnswer?
  public var disposition: Disposition
}

extension Intent {
  /// What to expect of a conversation with an endpoint.
  ///
  /// - Parameter listens: whether anything answers there; ICMP and protocols without ports are not asked about.
  public func outcome(_ traffic: Traffic, listens: (Subject, Transport) -> Bool) -> ProbeOutcome {
    let answer = answer(traffic)
    return ProbeOutcome(
      backend: nil, policy: answer, disposition: disposition(traffic, answer, listens: listens))
  }

  private func disposition(
    _ traffic: Traffic, _ answer: PolicyAnswer, listens: (Subject, Transport) -> Bool
  ) -> Disposition {
    if let dropping = answer.dropping, let drop = dropping.drop {
      return .dropped(drop, dropping.direction)
    }
    // A redirected conversation is opened by the proxy itself, whether or not the destination listens.
    for direction in [answer.egress, answer.ingress] where direction.verdict == .redirected {
      return .proxied(direction.permission ?? .everything)
    }
    if traffic.transport.named != nil, !listens(traffic.to, traffic.transport) { return .refused }
    return .delivered
  }

  /// What to expect of a probe to a service's address: an outcome for each backend that it may be sent to, or
  /// one for what stands in the way. Policy is asked about the backend and its port.
  ///
  /// - Returns: nil when no service has the address.
  public func outcomes(
    from: Subject, toService address: IPAddress, _ transport: Transport,
    isReady: (NamespacedName) -> Bool = { _ in true }, listens: (Subject, Transport) -> Bool
  ) -> [ProbeOutcome]? {
    switch service(at: address, transport, isReady: isReady) {
    case nil:
      return nil
    case .noSuchPort(let id):
      return [ProbeOutcome(backend: nil, policy: nil, disposition: .noSuchPort(id))]
    case .noBackends(let id):
      return [ProbeOutcome(backend: nil, policy: nil, disposition: .noBackends(id))]
    case .backends(let backends):
      return backends.map { backend in
        let traffic = Traffic(
          from: from, to: subject(at: backend.address), transport.to(backend.port), family: address.family)
        var outcome = outcome(traffic, listens: listens)
        outcome.backend = backend
        return outcome
      }
    }
  }

  /// Who has an address: a pod, a node, or somebody outside.
  public func subject(at address: IPAddress) -> Subject {
    if let pod = endpoints.first(where: { $0.addresses.contains(address) }) { return pod }
    for node in cluster.nodes where node.addresses.contains(address) { return .node(node) }
    return .world(address)
  }
}

extension Transport {
  /// The same protocol to another port.
  public func to(_ port: UInt16) -> Transport {
    switch self {
    case .tcp: .tcp(port)
    case .udp: .udp(port)
    case .sctp: .sctp(port)
    case .icmp, .other: self
    }
  }
}
