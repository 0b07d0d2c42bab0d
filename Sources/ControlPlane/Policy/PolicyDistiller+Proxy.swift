extension PolicyDistiller {
  /// What the proxies of the endpoint's node are told; nothing unless something is redirected to them.
  ///
  /// Filters without rules of layer 7 are told as well: what they allow passes the proxy whole.
  /// Source: Cilium `pkg/envoy/xds_server.go` (`getDirectionNetworkPolicy`).
  func proxyPolicy(_ cache: inout SelectorCache) -> ProxyPolicy {
    var result = ProxyPolicy()
    guard policy.hasRedirects else { return result }
    for key in policy.filters.keys.sorted() {
      guard let filter = policy.filters[key] else { continue }
      for peer in filter.peers {
        guard let own = filter.policies[peer] else { continue }
        for (ports, identities) in spans(peer, key, &cache) {
          result.entries.append(
            ProxyPolicy.Entry(
              isIngress: key.isIngress, transport: key.spec.transport, ports: ports, identities: identities,
              level: own.precedence.level, isDeny: own.precedence.isDeny, permission: own.permission))
        }
      }
    }
    return result
  }

  /// The ports of a filter with the peers that they are about; a name may stand for another port with each.
  private func spans(
    _ peer: PeerSelector, _ key: ResolvedPolicy.FilterKey, _ cache: inout SelectorCache
  ) -> [(ClosedRange<UInt16>?, Set<UInt32>?)] {
    let everyone = peer.isWildcard ? nil : Set(cache.selected(by: peer))
    switch key.spec.port {
    case .number(0, _): return [(nil, everyone)]
    case .number(let first, let last): return [(first...max(first, last), everyone)]
    case .name:
      var byPort: [UInt16: Set<UInt32>] = [:]
      for (identity, prefix) in targets(peer, key, &cache) {
        byPort[prefix.port, default: []].insert(identity)
      }
      return byPort.sorted { $0.key < $1.key }.map { port, identities in
        (port...port, identities.contains(0) ? nil : identities)
      }
    }
  }
}

extension ResolvedPolicy.PeerPolicy {
  fileprivate var permission: ProxyPermission {
    ProxyPermission(
      http: redirect?.http, dns: redirect?.dns, serverNames: redirect?.serverNames ?? [],
      origin: origins.map(\.description).joined(separator: "; "))
  }
}
