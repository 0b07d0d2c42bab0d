import Cluster
import MapABI

/// Makes the map entries of an endpoint out of its identity's policy.
///
/// Source: Cilium `pkg/policy/l4.go` (`toMapState`), `pkg/policy/resolve.go` (`DistillPolicy`).
struct PolicyDistiller {
  let policy: ResolvedPolicy
  /// The endpoint's own ports by name, for ingress.
  let ownPorts: [NamedPort: UInt16]
  /// The ports by name of every identity, for egress.
  let peerPorts: [NamedPort: [UInt32: Set<UInt16>]]

  func render(_ cache: inout SelectorCache) -> PolicyRendering {
    var state = MapState()
    let plain = Precedence(priority: 0, verdict: .allow)
    for isIngress in [true, false] where !(isIngress ? policy.enforcesIngress : policy.enforcesEgress) {
      let name = isIngress ? PolicyOrigin.allowAnyIngress : PolicyOrigin.allowAnyEgress
      let key = MapState.PortKey(
        isEgress: !isIngress, transport: 0, prefix: PortPrefix(port: 0, length: 0))
      let entry = MapState.Entry(precedence: plain, origins: [PolicyOrigin(rule: name)])
      state.add(MapState.Key(port: key, identity: 0), entry)
    }
    for key in policy.filters.keys.sorted() {
      if let filter = policy.filters[key] { insert(filter, key, into: &state, &cache) }
    }
    let rendered = state.rendered()
    return PolicyRendering(
      table: rendered.table, origins: rendered.origins, enforcesIngress: policy.enforcesIngress,
      enforcesEgress: policy.enforcesEgress, proxyPolicy: proxyPolicy(&cache))
  }

  private func insert(
    _ filter: ResolvedPolicy.Filter, _ key: ResolvedPolicy.FilterKey, into state: inout MapState,
    _ cache: inout SelectorCache
  ) {
    let features = policy.features(isIngress: key.isIngress)
    let span = policy.span(key.tier, isIngress: key.isIngress)
    let tierMax = Precedence(priority: span.first, verdict: .deny).bits
    let wildcard = filter.policies[PeerSelector()]
    let isEveryPort = key.spec.port == .number(0, end: 0)
    for peer in filter.peers {
      guard let own = filter.policies[peer] else { continue }
      // An entry of the port alone says the same of everybody already.
      if !peer.isWildcard, !isEveryPort, let wildcard, wildcard.precedence == own.precedence,
        wildcard.auth == own.auth
      {
        continue
      }
      var entry = entry(own, span, tierMax: tierMax)
      if let redirect = own.redirect {
        entry.proxyPort = ProxyListener(redirect.parser, isIngress: key.isIngress).placeholder
      }
      for (identity, prefix) in targets(peer, key, &cache) {
        let portKey = MapState.PortKey(
          isEgress: !key.isIngress, transport: key.spec.transport, prefix: prefix)
        state.insert(MapState.Key(port: portKey, identity: identity), entry, tierMax: tierMax, features)
      }
    }
  }

  private func entry(
    _ policy: ResolvedPolicy.PeerPolicy, _ span: PriorityLevels.Span, tierMax: UInt32
  ) -> MapState.Entry {
    guard policy.verdict == .pass else {
      return MapState.Entry(precedence: policy.precedence, auth: policy.auth, origins: policy.origins)
    }
    // The tier ends right above the first precedence of the next one.
    let tierMin = Precedence(priority: span.next, verdict: .pass).bits &+ 0x100
    let mark = MapState.PassMark(precedence: policy.precedence.bits, tierMax: tierMax, tierMin: tierMin)
    return MapState.Entry(precedence: nil, origins: policy.origins, passes: [mark])
  }

  /// The identities and ports that a peer and a port stand for.
  func targets(
    _ peer: PeerSelector, _ key: ResolvedPolicy.FilterKey, _ cache: inout SelectorCache
  ) -> [(UInt32, PortPrefix)] {
    let prefixes: [PortPrefix]
    switch key.spec.port {
    case .number(let number, let end):
      // A range from 0 reads as every port.
      prefixes =
        number == 0 ? [PortPrefix(port: 0, length: 0)] : PortRange.prefixes(from: number, to: end)
    case .name(let name):
      guard let transport = NamedPort(name, transport: key.spec.transport) else { return [] }
      guard key.isIngress else { return named(transport, cache.selected(by: peer)) }
      guard let port = ownPorts[transport] else { return [] }
      prefixes = [PortPrefix(port: port, length: 16)]
    }
    let identities = peer.isWildcard ? [0] : cache.selected(by: peer)
    return identities.flatMap { identity in prefixes.map { (identity, $0) } }
  }

  /// The ports that a name has with each identity.
  private func named(_ port: NamedPort, _ identities: [UInt32]) -> [(UInt32, PortPrefix)] {
    guard let byIdentity = peerPorts[port] else { return [] }
    return identities.flatMap { identity in
      (byIdentity[identity] ?? []).sorted().map { (identity, PortPrefix(port: $0, length: 16)) }
    }
  }
}

extension NamedPort {
  /// nil for protocols without ports.
  fileprivate init?(_ name: String, transport number: UInt8) {
    switch number {
    case 6: self.init(name: name, transport: .tcp)
    case 17: self.init(name: name, transport: .udp)
    case 132: self.init(name: name, transport: .sctp)
    default: return nil
    }
  }
}
