import Cluster
import Wire

/// The oracle: what the manifests mean, asked of the manifests themselves.
///
/// It knows nothing of maps and packets and shares nothing with the rendering but the parsed objects. The same
/// objects and options give the same answers.
public struct Intent: Sendable {
  public let cluster: ClusterState
  public let settings: Settings
  public let options: IntentOptions
  /// The pods whose declared ports give names their meaning.
  public let endpoints: [Subject]
  /// Policies that the agent refuses as a whole; they have no effect.
  public let refused: [RefusedPolicy]

  let identities: IdentityRules
  private let rules: [Rule]
  private let clusterwide: [Int]
  private let namespaced: [String: [Int]]
  private let namedPorts: [Identity: NamedPorts]

  /// - Parameter endpoints: the cluster's pods with where they are; nil takes the pods of the manifests and, for
  ///   each workload, one pod as its template makes it.
  public init(
    _ cluster: ClusterState, settings: Settings = Settings(), options: IntentOptions = IntentOptions(),
    endpoints: [Subject]? = nil
  ) {
    self.cluster = cluster
    self.settings = settings
    self.options = options
    let endpoints = endpoints ?? Subject.all(in: cluster)
    self.endpoints = endpoints
    let identities = IdentityRules(settings: settings, follow: options.follow)
    self.identities = identities

    let compiler = Compiler(cluster, settings, options.follow)
    var rules: [Rule] = []
    var refused: [RefusedPolicy] = []
    if settings.policy.kubernetesPolicies {
      for policy in cluster.networkPolicies { rules += compiler.rules(policy) }
    }
    for policies in [cluster.ciliumPolicies, cluster.ciliumClusterwidePolicies] {
      for policy in policies {
        let problems = AgentCheck(settings).problems(policy)
        if problems.isEmpty {
          rules += compiler.rules(policy)
        } else {
          refused.append(RefusedPolicy(policy: policy.reference, problems: problems))
        }
      }
    }
    if settings.policy.clusterNetworkPolicies {
      for policy in cluster.clusterPolicies {
        let problems = AgentCheck(settings).problems(policy)
        if problems.isEmpty {
          rules += compiler.rules(policy)
        } else {
          refused.append(RefusedPolicy(policy: policy.reference, problems: problems))
        }
      }
    }
    for index in rules.indices { rules[index].id = index }
    self.rules = rules
    self.refused = refused
    clusterwide = rules.indices.filter { rules[$0].namespace == nil }
    namespaced = Dictionary(
      grouping: rules.indices.filter { rules[$0].namespace != nil }, by: { rules[$0].namespace ?? "" })
    namedPorts = NamedPorts.byIdentity(endpoints, identities)
  }

  /// The policy of one endpoint, to ask more than one question of.
  public func policy(of subject: Subject) -> EndpointPolicy {
    let isNode = subject.kind == .node
    let hasEndpoint =
      switch subject.kind {
      case .world, .unmanaged: false
      case .node: settings.policy.hostFirewall
      case .pod, .ingress, .health, .initializing: true
      }
    let identity =
      isNode
      ? identities.host(subject) : identities.identity(of: subject, seenFrom: subject.node, .ipv4)
    let enforcement: Enforcement? =
      !hasEndpoint ? .noEndpoint : settings.policy.enforcement == .never ? .never : nil
    let selecting = enforcement == nil ? self.selecting(identity, isNode: isNode, subject.id.namespace) : []
    func direction(_ direction: PolicyDirection) -> DirectionPolicy {
      let rules = selecting.filter { $0.direction == direction }
      return DirectionPolicy(
        direction: direction, rules: rules,
        enforcement: enforcement ?? self.enforcement(rules, isInit: subject.kind == .initializing),
        // Cilium 1.20 adds the exception beside rules: with none, `always` shuts the node out as well.
        allowsLocalHost: !isNode && (!rules.isEmpty || settings.profile < .v120))
    }
    let own = NamedPorts(subject.ports)
    return EndpointPolicy(
      subject: subject, identity: identity, ingress: direction(.ingress), egress: direction(.egress),
      ownPorts: own, identityPorts: namedPorts[identity] ?? own)
  }

  private func selecting(_ identity: Identity, isNode: Bool, _ namespace: String) -> [Rule] {
    let indices = ((namespaced[namespace] ?? []) + clusterwide).sorted()
    return indices.compactMap { index in
      let rule = rules[index]
      return rule.subject.selects(identity, isNode: isNode) ? rule : nil
    }
  }

  private func enforcement(_ rules: [Rule], isInit: Bool) -> Enforcement {
    if settings.policy.enforcement == .always || isInit { return .always }
    if rules.isEmpty { return .unselected }
    let denying = rules.filter(\.turnsOnDefaultDeny)
    return denying.isEmpty
      ? .defaultAllow(by: rules.policies) : .defaultDeny(by: denying.policies)
  }

}

extension [Rule] {
  /// The policies of these rules, each once, in order.
  var policies: [ObjectReference] {
    var result: [ObjectReference] = []
    for rule in self where result.last != rule.policy { result.append(rule.policy) }
    return result
  }
}

/// The policy of one endpoint in both directions.
public struct EndpointPolicy: Sendable {
  public let subject: Subject
  let identity: Identity
  let ingress: DirectionPolicy
  let egress: DirectionPolicy
  /// What its own containers call their ports: what names in its ingress rules mean.
  let ownPorts: NamedPorts
  /// What all pods of its identity do: what names in others' egress rules mean.
  let identityPorts: NamedPorts

  public func enforcement(_ direction: PolicyDirection) -> Enforcement { self[direction].enforcement }

  /// The policies that select it in a direction, in the order of the cluster's.
  public func policies(_ direction: PolicyDirection) -> [ObjectReference] { self[direction].rules.policies }

  subscript(direction: PolicyDirection) -> DirectionPolicy { direction == .ingress ? ingress : egress }
}
