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
    guard network.faults.isEmpty, controlPlane.nodes.allSatisfy({ $0.agent == .up }),
      let destination = result.destination, result.firstJourney != nil, let source = intentSource(probe),
      let transport = transport(probe, destination)
    else { return [] }
    let opinions = oracle().opinions(from: source, to: destination, transport)
    guard !opinions.isEmpty else { return [] }
    // A service's traffic may end at any backend; it is enough that one opinion fits.
    var reasons: [String] = []
    for opinion in opinions {
      guard let reason = difference(opinion, result, got) else { return [] }
      reasons.append(reason)
    }
    return Array(reasons.prefix(1))
  }

  private func difference(_ opinion: IntentOpinion, _ result: ProbeResult, _ got: Observation) -> String? {
    let why = opinion.rule.map { " (\($0))" } ?? ""
    if let verdict = opinion.verdict, let seen = got.verdict, verdict != seen {
      return "the manifests mean \(verdict)\(why), the packets were \(seen)"
    }
    switch opinion.disposition {
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
    guard let port = probe.port else { return nil }
    switch port.transport {
    case .tcp: return .tcp(port.number)
    case .udp: return .udp(port.number)
    case .sctp: return nil
    case .icmp, .icmpv6: return .icmp(type: destination.family == .ipv4 ? 8 : 128)
    }
  }

  /// The oracle for the cluster as it now is.
  private func oracle() -> IntentOracle {
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
      serviceAddresses: addresses, services: controlPlane.services.map(\.service), listening: listening)
  }

  private static func words(_ listener: Listener) -> String {
    switch listener.protocol {
    case .tcp: "\(listener.port)/TCP"
    case .udp: "\(listener.port)/UDP"
    default: "\(listener.port)/SCTP"
    }
  }
}
