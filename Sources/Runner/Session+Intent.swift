import Cluster
import ControlPlane
import Datapath
import Intent
import Scenario
import Simulator
import Wire

extension Session where Observer: ~Copyable {
  /// In what the packets' fate differs from what the manifests mean; empty when they agree, or when something
  /// outside of the manifests (a broken link, a stopped agent) decides.
  mutating func intentDifferences(
    _ probe: Probe, _ result: ProbeResult, _ got: Observation
  ) -> [String] {
    guard network.faults.isEmpty, envoysDown.isEmpty, controlPlane.nodes.allSatisfy({ $0.agent == .up }),
      let destination = result.destination, result.firstJourney != nil, let source = intentSource(probe),
      let transport = transport(probe, destination)
    else { return [] }
    let opinions = oracle(source).opinions(
      from: source, to: destination, transport, asking: question(probe, destination))
    guard !opinions.isEmpty else { return [] }
    // A service's traffic may end at any backend; it is enough that one opinion fits.
    var reasons: [String] = []
    for opinion in opinions {
      guard let reason = difference(opinion, probe, result, got) else { return [] }
      reasons.append(reason)
    }
    return Array(reasons.prefix(1))
  }

  /// What the probe asks of a proxy; nil where it asks nothing.
  private func question(_ probe: Probe, _ destination: IPAddress) -> L7Question? {
    if let query = probe.dns { return .query(query.name) }
    var request = probe.http
    var host = "\(destination)"
    if case .url(let url)? = probe.to {
      if url.scheme == .https { return .serverName(IPAddress(url.host) == nil ? url.host : nil) }
      host = url.host
      request = request ?? Probe.HTTPRequest()
      request?.path = url.path
    }
    return request.map { request in
      IntentOracle.request(request.method, request.path, host: request.host ?? host, request.headers)
    }
  }

  /// What policies say of a probe, whatever became of its packets.
  func explanations(_ probe: Probe, _ result: ProbeResult) -> [ProbeExplanation] {
    guard let destination = result.destination, let transport = transport(probe, destination),
      let source = intentSource(probe) ?? externalSource(probe, destination.family)
    else { return [] }
    let all = oracle(source).explanations(from: source, to: destination, transport)
    let reached = all.filter { $0.to == result.deliveredTo }
    return reached.isEmpty ? all : reached
  }

  private func externalSource(_ probe: Probe, _ family: AddressFamily) -> IntentSource? {
    guard case .external(let name)? = probe.from, let index = network.externalIndex(named: name) else {
      return nil
    }
    return network.addresses(of: .external(index)).first { $0.family == family }.map { .external($0) }
  }

  private func difference(
    _ opinion: IntentOpinion, _ probe: Probe, _ result: ProbeResult, _ got: Observation
  ) -> String? {
    let why = opinion.rule.map { " (\($0))" } ?? ""
    if let verdict = opinion.verdict, let seen = got.verdict, verdict != seen {
      return "the manifests mean \(verdict)\(why), the packets were \(seen)"
    }
    switch opinion.disposition {
    case "dropped" where opinion.egress == "redirected" && opinion.dropDirection == "ingress":
      // The proxy at the sender has taken the connection; what is behind it does not answer.
      guard result.httpStatus == 503 || result.httpStatus == nil else {
        return "the manifests mean a drop behind the proxy\(why), the status was \(result.httpStatus ?? 0)"
      }
    case "denied by proxy":
      let isDenied =
        probe.dns != nil
        ? result.outcome == .refused || result.outcome == .dnsFailure
        : result.httpStatus == 403 || result.outcome == .reset
      guard isDenied else {
        let seen = result.httpStatus.map { "HTTP \($0)" } ?? result.outcome.rawValue
        return "the manifests mean that the proxy denies it\(why), the outcome was \(seen)"
      }
    case "delivered" where opinion.l7Rule != nil && result.httpStatus == 403:
      return "the manifests allow the request (\(opinion.l7Rule ?? "")), the status was 403"
    case "dropped":
      guard let drop = got.drop else {
        return "the manifests mean a drop \(opinion.drop ?? 0)\(why), the packets were not dropped"
      }
      // Cilium counts what the host may not send through cilium_host as dropped on ingress: the verdict tells better.
      let direction =
        got.egress == "denied" ? "egress" : got.ingress == "denied" ? "ingress" : drop.direction
      guard drop.reason == opinion.drop, direction == opinion.dropDirection else {
        return "the manifests mean drop \(opinion.drop ?? 0) on \(opinion.dropDirection ?? "")\(why), "
          + "the packets were dropped by \(drop.reason) on \(direction)"
      }
    case "delivered":
      guard result.outcome == .ok else {
        return "the manifests mean delivery\(why), the outcome was \(result.outcome.rawValue)"
      }
    case "refused":
      guard result.outcome == .refused else {
        return "nobody listens there, the outcome was \(result.outcome.rawValue)"
      }
    case "no such port", "no backends":
      guard result.outcome != .ok else { return "the service has \(opinion.disposition), the outcome was ok" }
    default: break
    }
    return nil
  }

  private func intentSource(_ probe: Probe) -> IntentSource? {
    switch probe.from {
    case .pod(let id):
      if let pod = controlPlane.pod(id), pod.pod.spec.hostNetwork { return pod.node.map { .node($0) } }
      return .pod(id)
    case .workload(let id): return pods(of: id).first { $0.phase == .running }.map { .pod($0.id) }
    case .node(let name): return .node(name)
    case .external, nil: return nil
    }
  }

  private func transport(_ probe: Probe, _ destination: IPAddress) -> Transport? {
    if probe.dns != nil { return .udp(probe.port?.number ?? 53) }
    if let message = probe.icmp { return .icmp(type: message.type, code: message.code) }
    if case .url(let url)? = probe.to { return .tcp(probe.port?.number ?? url.effectivePort) }
    guard let port = probe.port ?? onlyPort(of: probe) else { return nil }
    switch port.transport {
    case .tcp: return .tcp(port.number)
    case .udp: return .udp(port.number)
    // Without the option nothing of it passes, whatever policies say.
    case .sctp: return settings.features.sctp ? .sctp(port.number) : nil
    case .icmp, .icmpv6: return .icmp(type: destination.family == .ipv4 ? 8 : 128)
    }
  }

  /// The oracle for the cluster as it now is, seen from where a conversation begins.
  private func oracle(_ source: IntentSource) -> IntentOracle {
    var addresses: [IPAddress: NamespacedName] = [:]
    for service in controlPlane.services {
      for address in service.clusterIPs { addresses[address] = service.id }
    }
    var listening: [IPAddress: Set<String>] = [:]
    let topology = network.currentTopology
    func add(_ hosts: [IPAddress], _ listeners: [Listener]) {
      for address in hosts {
        for listener in listeners { listening[address, default: []].insert(Self.words(listener)) }
      }
    }
    for pod in topology.pods { add(pod.addresses, pod.listeners) }
    for node in topology.nodes { add(node.addresses + node.routerAddresses, node.listeners) }
    for host in topology.externals { add(host.addresses, host.listeners) }
    return IntentOracle(
      state, settings: settings,
      placements: controlPlane.pods.map { status in
        IntentOracle.Placement(
          pod: status.pod, node: status.node, addresses: status.addresses, isReady: status.isReady)
      },
      serviceAddresses: addresses, services: controlPlane.services.map(\.service), listening: listening,
      names: learntNames(source))
  }

  /// The names that the agent of a sender's node has learnt: a fact that no manifest tells.
  private func learntNames(_ source: IntentSource) -> [LearntName] {
    let node: String? =
      switch source {
      case .pod(let id): controlPlane.pod(id)?.node
      case .node(let name): name
      case .external: nil
      }
    return node.map { controlPlane.learntNames(on: $0).map { LearntName($0.name, $0.address) } } ?? []
  }

  private static func words(_ listener: Listener) -> String {
    switch listener.protocol {
    case .tcp: "\(listener.port)/TCP"
    case .udp: "\(listener.port)/UDP"
    default: "\(listener.port)/SCTP"
    }
  }
}
