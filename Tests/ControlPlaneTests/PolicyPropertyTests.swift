import Cluster
import MapABI
import Testing
import Wire

@testable import ControlPlane

/// A generator with a seed, so that a failure can be seen again.
struct Seeded: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }
}

@Suite("Policy maps, at random") struct PolicyPropertyTests {
  static let ports: [UInt16] = [0, 1, 53, 79, 80, 81, 443, 8080, 8085, 8090, 65_535]

  /// Every range is covered exactly, by prefixes that do not overlap.
  @Test func rangesAreCoveredExactly() {
    var random = Seeded(state: 1)
    for _ in 0..<400 {
      let a = UInt16.random(in: 1...65_535, using: &random)
      let b = UInt16.random(in: 1...65_535, using: &random)
      let (start, end) = (min(a, b), max(a, b))
      var covered: UInt32 = 0
      var next = UInt32(start)
      for prefix in PortRange.prefixes(from: start, to: end) {
        #expect(UInt32(prefix.port) == next)
        let size = UInt32(1) << UInt32(16 - prefix.length)
        #expect(UInt32(prefix.port) % size == 0)
        covered += size
        next += size
      }
      #expect(covered == UInt32(end) - UInt32(start) + 1)
    }
    #expect(PortRange.prefixes(from: 16, to: 31).count == 1)
    #expect(PortRange.prefixes(from: 1, to: 65_535).count == 16)
    #expect(PortRange.prefixes(from: 80, to: 0) == [PortPrefix(port: 80, length: 16)])
  }

  private struct Rule {
    var statement: PolicyStatement
    var identities: [UInt32]
  }

  /// Statements that select among identities 100…105 by a label of that value.
  ///
  /// - Parameter hasTiers: whether they stand in tiers with priorities, and pass decisions on.
  private func statement(_ random: inout Seeded, hasTiers: Bool = false) -> PolicyStatement {
    let isDeny = UInt8.random(in: 0..<4, using: &random) == 0
    let tier: PolicyTier =
      hasTiers ? [.admin, .normal, .baseline].randomElement(using: &random) ?? .admin : .normal
    let passes = tier != .normal && UInt8.random(in: 0..<3, using: &random) == 0
    let priority = tier == .normal ? 0 : Int.random(in: 0...3, using: &random)
    let values = (100...105).filter { _ in Bool.random(using: &random) }.map { "\($0)" }
    let peers: [PeerSelector]? =
      switch UInt8.random(in: 0..<6, using: &random) {
      case 0: [PeerSelector()]
      case 1: []
      case 2: nil
      default:
        [
          PeerSelector([
            PeerSelector.Requirement(source: "k8s", key: "id", cidr: nil, op: .in, values: values)
          ])
        ]
      }
    var specs: [PolicyStatement.PortSpec]?
    if Bool.random(using: &random) {
      specs = (0..<Int.random(in: 0...2, using: &random)).map { _ in
        let start = PolicyPropertyTests.ports.randomElement(using: &random) ?? 80
        let end = PolicyPropertyTests.ports.randomElement(using: &random) ?? 80
        return PolicyStatement.PortSpec(
          port: .number(start, end: Bool.random(using: &random) ? end : 0),
          transport: [6, 17].randomElement(using: &random) ?? 6)
      }
    }
    return PolicyStatement(
      subject: PeerSelector(), namespace: "", isIngress: Bool.random(using: &random),
      verdict: passes ? .pass : isDeny ? .deny : .allow, tier: tier, priority: priority,
      defaultDeny: tier == .normal && Bool.random(using: &random), peers: peers, ports: specs,
      origin: PolicyOrigin(rule: "r\(UInt8.random(in: 0...255, using: &random))"))
  }

  private func cache() -> SelectorCache {
    var cache = SelectorCache()
    _ = cache.update(
      added: (100...105).map {
        (number: UInt32($0), labels: IdentityLabels([IdentityLabel("k8s", "id", "\($0)")]))
      } + ReservedIdentity.all.map { (number: $0.number, labels: $0.labels) }, removed: [])
    return cache
  }

  /// Whether a statement speaks of a packet, read straight from its meaning.
  private func covers(
    _ statement: PolicyStatement, identity: UInt32, _ transport: UInt8, _ port: UInt16, _ cache: SelectorCache
  ) -> Bool {
    guard let peers = statement.peers else { return false }
    if peers.isEmpty, statement.ports == nil { return false }
    let labels = cache.labels(identity)
    let meant = peers.isEmpty || peers.contains { $0.isWildcard || labels.map($0.matches) == true }
    guard meant else { return false }
    guard let specs = statement.ports else { return true }
    return specs.contains { spec in
      guard spec.transport == transport, case .number(let start, let end) = spec.port else { return false }
      if start == 0 { return true }
      return end > start ? (start...end).contains(port) : port == start
    }
  }

  private func expected(
    _ statements: [PolicyStatement], isIngress: Bool, identity: UInt32, _ transport: UInt8, _ port: UInt16,
    _ cache: SelectorCache
  ) -> Bool {
    let own = statements.filter { $0.isIngress == isIngress }
    guard !own.isEmpty else { return true }
    let hits = own.filter { covers($0, identity: identity, transport, port, cache) }
    for tier in PolicyTier.allCases {
      let here = hits.filter { $0.tier == tier }
      guard let first = here.map(\.priority).min() else { continue }
      // Only the first level that speaks counts; a pass there goes to the next tier.
      let level = here.filter { $0.priority == first }
      if level.contains(where: { $0.verdict == .deny }) { return false }
      if level.contains(where: { $0.verdict == .allow }) { return true }
    }
    if !own.contains(where: \.defaultDeny) { return true }
    return isIngress && identity == 1
  }

  /// The datapath's two look-ups, and how it picks between them.
  private func verdict(
    _ table: LPMTable<PolicyKey, PolicyEntry>, isIngress: Bool, identity: UInt32, _ transport: UInt8,
    _ port: UInt16
  ) -> Bool {
    let key = PolicyKey(identity: identity, egress: !isIngress, protocol: transport, port: port)
    let wildcard = PolicyKey(identity: 0, egress: !isIngress, protocol: transport, port: port)
    func isAllowed(_ entry: PolicyEntry) -> Bool { entry.bits & 1 == 0 }
    switch (table[matching: key], table[matching: wildcard]) {
    case (nil, nil): return false
    case (let entry?, nil), (nil, let entry?): return isAllowed(entry)
    case (let own?, let all?):
      if own.precedence != all.precedence { return isAllowed(own.precedence > all.precedence ? own : all) }
      return isAllowed(all.bits >> 3 > own.bits >> 3 ? all : own)
    }
  }

  @Test(arguments: [(7, false), (8, true), (9, true)]) func mapsSayWhatTheStatementsMean(
    seed: UInt64, hasTiers: Bool
  ) {
    var random = Seeded(state: seed)
    for round in 0..<300 {
      let statements = (0..<Int.random(in: 1...7, using: &random)).map { _ in
        statement(&random, hasTiers: hasTiers)
      }
      var cache = cache()
      let policy = ResolvedPolicy(statements, isInit: false, mode: .default)
      let table = PolicyDistiller(policy: policy, ownPorts: [:], peerPorts: [:]).render(&cache).table
      for identity in [UInt32(1), 2, 100, 101, 102, 103, 104, 105, 9999] {
        for transport in [UInt8(6), 17, 1] {
          for port in PolicyPropertyTests.ports where port > 0 {
            for isIngress in [true, false] {
              let got = verdict(table, isIngress: isIngress, identity: identity, transport, port)
              let wanted = expected(
                statements, isIngress: isIngress, identity: identity, transport, port, cache)
              guard got == wanted else {
                Issue.record(
                  "round \(round): identity \(identity), \(transport)/\(port): got \(got)\n\(statements)")
                return
              }
            }
          }
        }
      }
    }
  }

  /// One more deny never opens anything.
  @Test func aDenyNeverAllowsMore() {
    var random = Seeded(state: 23)
    for round in 0..<200 {
      let statements = (0..<5).map { _ in statement(&random, hasTiers: round % 2 == 1) }
      var deny = statement(&random)
      (deny.verdict, deny.defaultDeny) = (.deny, true)
      var tables: [LPMTable<PolicyKey, PolicyEntry>] = []
      for all in [statements, statements + [deny]] {
        var cache = cache()
        let policy = ResolvedPolicy(all, isInit: false, mode: .default)
        tables.append(PolicyDistiller(policy: policy, ownPorts: [:], peerPorts: [:]).render(&cache).table)
      }
      for identity in [UInt32(2), 100, 101, 102, 103, 104, 105, 9999] {
        for port in PolicyPropertyTests.ports where port > 0 {
          let verdicts = tables.map {
            verdict($0, isIngress: deny.isIngress, identity: identity, 6, port)
          }
          #expect(verdicts[0] || !verdicts[1], "round \(round): identity \(identity), port \(port)")
        }
      }
    }
  }

  /// The order of the statements is not seen in the map.
  @Test func orderDoesNotMatter() {
    var random = Seeded(state: 99)
    for round in 0..<300 {
      let statements = (0..<6).map { _ in statement(&random, hasTiers: round % 2 == 1) }
      var renderings: [[String]] = []
      for order in [statements, statements.reversed(), statements.shuffled(using: &random)] {
        var cache = cache()
        let policy = ResolvedPolicy(order, isInit: false, mode: .default)
        let rendering = PolicyDistiller(policy: policy, ownPorts: [:], peerPorts: [:]).render(&cache)
        var image = MapImage(node: "n")
        image.maps.policies[1] = rendering.table
        renderings.append(image.policyLines(1))
      }
      #expect(renderings[0] == renderings[1] && renderings[1] == renderings[2])
    }
  }

  /// Entries go in one by one in any order, and the result is the same.
  @Test func insertionsInAnyOrder() {
    var random = Seeded(state: 4)
    for _ in 0..<200 {
      let entries: [(MapState.Key, MapState.Entry)] = (0..<12).map { _ in
        let transport: UInt8 = [0, 6, 17].randomElement(using: &random) ?? 6
        let length: UInt8 = transport == 0 ? 0 : [0, 8, 14, 16].randomElement(using: &random) ?? 16
        let port = length == 0 ? 0 : UInt16(0xffff) << UInt16(16 - length) & 8080
        return (
          MapState.Key(
            port: MapState.PortKey(
              isEgress: false, transport: transport, prefix: PortPrefix(port: port, length: length)),
            identity: [0, 5, 6].randomElement(using: &random) ?? 0),
          MapState.Entry(
            precedence: Precedence(
              priority: [0, 10].randomElement(using: &random) ?? 0,
              verdict: Bool.random(using: &random) ? .deny : .allow),
            origins: [])
        )
      }
      var results: [[String]] = []
      for order in [entries, entries.shuffled(using: &random)] {
        var state = MapState()
        for (key, entry) in order {
          state.insert(key, entry, tierMax: .max, ResolvedPolicy.Features(precedences: true))
        }
        var image = MapImage(node: "n")
        image.maps.policies[1] = state.rendered().table
        results.append(image.policyLines(1))
      }
      #expect(results[0] == results[1])
    }
  }
}
