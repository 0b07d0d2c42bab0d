import Cluster
import Wire

/// The policies as objects, each with the statements that it makes.
struct PolicySources: Sendable {
  private enum Object: Equatable, Sendable {
    case cilium(CiliumNetworkPolicy)
    case kubernetes(NetworkPolicy)
    case cluster(ClusterNetworkPolicy)
  }

  private struct Source: Sendable {
    var object: Object
    /// Whether it names services, so that it changes with them.
    var usesServices = false
    var statements: [PolicyStatement]
    var findings: [Finding] = []
  }

  private var sources: [ObjectReference: Source] = [:]
  private var services = ServicePeers()

  /// By namespace; those of the cluster under the empty one.
  private(set) var statements: [String: [PolicyStatement]] = [:]

  var all: some Sequence<PolicyStatement> { statements.values.joined() }
  var findings: [Finding] { sources.keys.sorted().flatMap { sources[$0]?.findings ?? [] } }

  /// Reads the policies that are new or changed, and those whose services did.
  ///
  /// - Returns: the statements that came and those that went.
  mutating func read(
    _ state: ClusterState, _ settings: Settings, _ options: DatapathOptions, _ services: ServicePeers
  ) -> [PolicyStatement] {
    let servicesChanged = services != self.services
    self.services = services
    var changed: [PolicyStatement] = []
    var seen: Set<ObjectReference> = []
    func isKnown(_ reference: ObjectReference, _ object: Object) -> Bool {
      seen.insert(reference)
      guard let known = sources[reference], known.object == object else { return false }
      return !(known.usesServices && servicesChanged)
    }
    var new: [(ObjectReference, Source)] = []
    for policy in Array(state.ciliumPolicies) + Array(state.ciliumClusterwidePolicies) {
      guard !isKnown(policy.reference, .cilium(policy)) else { continue }
      let reader = CiliumPolicyReader(policy, settings, options, services)
      new.append(
        (
          policy.reference,
          Source(
            object: .cilium(policy), usesServices: policy.namesServices, statements: reader.statements,
            findings: reader.findings)
        ))
    }
    for policy in state.networkPolicies where settings.policy.kubernetesPolicies {
      guard !isKnown(policy.reference, .kubernetes(policy)) else { continue }
      let reader = NetworkPolicyReader(settings: settings, options: options, policy: policy)
      new.append((policy.reference, Source(object: .kubernetes(policy), statements: reader.statements)))
    }
    for policy in state.clusterPolicies {
      guard !isKnown(policy.reference, .cluster(policy)) else { continue }
      new.append((policy.reference, Self.read(policy, settings, options)))
    }
    for (reference, source) in new {
      changed += (sources[reference]?.statements ?? []) + source.statements
      sources[reference] = source
    }
    for (reference, source) in sources where !seen.contains(reference) {
      changed += source.statements
      sources[reference] = nil
    }
    if !changed.isEmpty { arrange() }
    return changed
  }

  /// Nothing without the flag, as in a cluster whose agents do not watch the kind.
  private static func read(
    _ policy: ClusterNetworkPolicy, _ settings: Settings, _ options: DatapathOptions
  ) -> Source {
    guard settings.policy.clusterNetworkPolicies else {
      let finding = Finding(
        "policy-without-effect", .warning,
        "a ClusterNetworkPolicy does nothing without k8sClusterNetworkPolicy.enabled",
        object: policy.reference, at: policy.location)
      return Source(object: .cluster(policy), statements: [], findings: [finding])
    }
    let reader = ClusterPolicyReader(policy, settings, options)
    return Source(object: .cluster(policy), statements: reader.statements, findings: reader.findings)
  }

  private mutating func arrange() {
    statements.removeAll(keepingCapacity: true)
    for reference in sources.keys.sorted() {
      for statement in sources[reference]?.statements ?? [] {
        statements[statement.namespace, default: []].append(statement)
      }
    }
  }
}

extension CiliumNetworkPolicy {
  fileprivate var namesServices: Bool {
    rules.contains { rule in
      (rule.egress ?? []).contains { $0.peers.services?.isEmpty == false }
        || (rule.egressDeny ?? []).contains { $0.peers.services?.isEmpty == false }
    }
  }
}
