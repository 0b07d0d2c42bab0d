import Cluster
import MapABI
import Wire

extension ControlPlane {
  /// Brings the nodes in line with a cluster of which only some objects changed since the last call.
  ///
  /// The same as `reconcile(_:)`, and much faster in a large cluster where the objects are pods that stand alone:
  /// it takes time in proportion to them and to the number of nodes, not to the cluster. `changed` names every
  /// object that was made, changed or deleted.
  public mutating func reconcile(_ state: ClusterState, changed: [ObjectReference]) -> [NodeUpdate] {
    reconcilePods(state, changed) ?? reconcile(state)
  }

  /// nil when all objects are to be looked at.
  mutating func reconcilePods(_ state: ClusterState, _ changed: [ObjectReference]) -> [NodeUpdate]? {
    let ids = Set(changed.map(\.id)).sorted()
    guard !needsAll, changed.allSatisfy({ $0.kind == .pod }), areAlone(ids, state) else { return nil }
    let old = ids.map { podEndpoints[$0] }
    for id in ids {
      let isDone = podController.replace(
        id, by: state.pods[id], state, settings, options, &nodeController)
      guard isDone else { return nil }
    }
    var touched = Set(old.compactMap { $0?.node })
    var changes: (added: [UInt32], removed: [UInt32]) = ([], [])
    var difference: (changed: [AddressFact], removed: [CIDR]) = ([], [])
    for (id, old) in zip(ids, old) {
      if let old { forget(old, id, &changes, &difference) }
      if let new = learn(id, &changes, &difference) { touched.insert(new.node) }
    }
    difference.removed.removeAll { facts[$0] != nil }
    // An identity that went with one pod and came with another has not changed.
    let both = Set(changes.added).intersection(changes.removed)
    changes.added.removeAll { both.contains($0) }
    changes.removed.removeAll { both.contains($0) }
    if !changes.added.isEmpty || !changes.removed.isEmpty {
      policies.updateIdentities(identityController.identities, changes)
    }
    let everyPolicy = !changes.added.isEmpty || !changes.removed.isEmpty
    return updateNodes(touched, difference, everyPolicy: everyPolicy)
  }

  /// Whether no service selects the pods, as they were or as they are, and no other object is about them.
  private func areAlone(_ ids: [NamespacedName], _ state: ClusterState) -> Bool {
    ids.allSatisfy { id in
      let labels = [podController.statuses[id]?.pod.labels, state.pods[id]?.labels].compactMap(\.self)
      return state.ciliumEndpoints[id] == nil
        && state.services.objects(in: id.namespace).allSatisfy { service in
          guard let selector = service.selector, !selector.isEmpty else { return true }
          return !labels.contains { labels in selector.allSatisfy { labels[$0.key] == $0.value } }
        }
    }
  }

  private mutating func forget(
    _ endpoint: Endpoint, _ id: NamespacedName, _ changes: inout (added: [UInt32], removed: [UInt32]),
    _ difference: inout (changed: [AddressFact], removed: [CIDR])
  ) {
    podEndpoints[id] = nil
    for address in endpoint.addresses where podAddresses[address] == id {
      podAddresses[address] = nil
      facts.remove(CIDR(address))
      difference.removed.append(CIDR(address))
      // A policy that names this very address has an identity for it.
      if let identity = policies.local.prefixes[CIDR(address)]?.number {
        let fact = AddressFact(
          prefix: CIDR(address), identityAtHome: identity, identityElsewhere: identity)
        facts.add(fact)
        difference.changed.append(fact)
      }
    }
    if identityController.remove(endpoint) { changes.removed.append(endpoint.identity) }
  }

  private mutating func learn(
    _ id: NamespacedName, _ changes: inout (added: [UInt32], removed: [UInt32]),
    _ difference: inout (changed: [AddressFact], removed: [CIDR])
  ) -> Endpoint? {
    guard var endpoint = podController.endpoint(id) else { return nil }
    if identityController.add(&endpoint, settings) { changes.added.append(endpoint.identity) }
    podEndpoints[id] = endpoint
    let tunnel = node(endpoint.node).flatMap { AddressFacts.tunnel(to: $0, options) }
    for fact in AddressFacts.facts(of: endpoint, tunnel: tunnel) {
      podAddresses[fact.prefix.network] = id
      // Pods win over prefixes of policies, and nodes over pods.
      if facts[fact.prefix]?.node.isEmpty == true { facts.remove(fact.prefix) }
      facts.add(fact)
      difference.changed.removeAll { $0.prefix == fact.prefix }
      if facts[fact.prefix] == fact { difference.changed.append(fact) }
    }
    return endpoint
  }

  private mutating func updateNodes(
    _ touched: Set<String>, _ difference: (changed: [AddressFact], removed: [CIDR]), everyPolicy: Bool
  ) -> [NodeUpdate] {
    let renderer = NodeRenderer(settings: settings, options: options, nodes: nodeController.infos)
    var updates: [NodeUpdate] = []
    for info in nodeController.infos.sorted(by: { $0.name < $1.name }) {
      guard info.agent == .up, memories[info.name]?.isCurrent == true else {
        memories[info.name]?.isCurrent = false
        continue
      }
      let update =
        touched.contains(info.name)
        ? update(info, renderer, difference, nodeTable: nil)
        : updateFromAfar(info, renderer, difference, withPolicies: everyPolicy)
      if !update.isEmpty { updates.append(update) }
    }
    return updates
  }

  /// A node that only hears of addresses, and of identities among its endpoints' peers.
  private mutating func updateFromAfar(
    _ node: NodeInfo, _ renderer: NodeRenderer, _ difference: (changed: [AddressFact], removed: [CIDR]),
    withPolicies: Bool
  ) -> NodeUpdate {
    var update = NodeUpdate(node: node.name, changes: [])
    guard var memory = memories.removeValue(forKey: node.name) else { return update }
    update.changes = renderer.update(
      &memory.image.maps.ipcache, node, changed: difference.changed, removed: difference.removed)
    if withPolicies { update.changes += updatePolicies(&memory, node, endpoints(on: node.name)) }
    update.changes += overlayNames(&memory, node)
    memories[node.name] = memory
    return update
  }
}
