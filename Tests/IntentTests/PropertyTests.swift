import Cluster
import Intent
import Testing
import Wire

/// What must hold whatever the policies are.
@Suite struct PropertyTests {
  private let names = ["web", "client", "other", "ops/monitor", "node/n1", "node/n2", "203.0.113.7"]
  private let transports: [Transport] = [.tcp(80), .tcp(443), .udp(53), .icmp(type: 8)]

  private func matrix(_ town: Town) -> Matrix {
    let subjects = names.map(town.subject)
    return town.intent.matrix(from: subjects, to: subjects, on: transports)
  }

  /// Positions that are denied.
  private func denied(_ matrix: Matrix) -> Set<String> {
    var result: Set<String> = []
    for transport in transports.indices {
      for (row, line) in matrix.lines(transport).enumerated() {
        for (column, cell) in line.enumerated() where cell == "X" {
          result.insert("\(transport) \(row) \(column)")
        }
      }
    }
    return result
  }

  @Test func aDenyNeverAllowsMore() {
    for seed in 0..<150 {
      var random = Random(state: UInt64(seed))
      var town = Town()
      for index in 0..<random.number(4) { town.apply(random.policy("p\(index)")) }
      let before = denied(matrix(town))
      let entry = random.entry(isDeny: true)
      let deny = policy(
        "zz", on: random.labels(), ingressDeny: [entry], egressDeny: [random.entry(isDeny: true)],
        defaultDeny: .init(ingress: random.flip(), egress: random.flip()))
      town.apply(deny)
      #expect(before.isSubset(of: denied(matrix(town))), "seed \(seed)")
    }
  }

  @Test func moreAllowRulesOfASelectedPodDenyNothingMore() {
    for seed in 200..<350 {
      var random = Random(state: UInt64(seed))
      var town = Town()
      // Default deny is on everywhere before, so that another policy can only add.
      town.apply(policy("closed", in: "", on: [:], ingress: [TrafficRule()], egress: [TrafficRule()]))
      for index in 0..<random.number(3) { town.apply(random.policy("p\(index)")) }
      let before = denied(matrix(town))
      town.apply(
        policy(
          "zz", on: random.labels(), ingress: [random.entry(isDeny: false)],
          egress: [random.entry(isDeny: false)]))
      #expect(denied(matrix(town)).isSubset(of: before), "seed \(seed)")
    }
  }

  @Test func theOrderOfPoliciesDoesNotCount() {
    for seed in 400..<450 {
      var random = Random(state: UInt64(seed))
      let policies = (0..<4).map { random.policy("p\($0)") }
      var (forth, back) = (Town(), Town())
      for policy in policies { forth.apply(policy) }
      for policy in policies.reversed() { back.apply(policy) }
      #expect(matrix(forth) == matrix(back))
    }
  }

  /// The matrix finds out about many peers at once; each cell is what asking about it alone gives, the rule included.
  @Test func everyCellOfTheMatrixIsTheAnswer() {
    for seed in 600..<660 {
      var random = Random(state: UInt64(seed))
      var town = Town()
      for index in 0..<4 { town.apply(random.policy("p\(index)")) }
      let intent = town.intent
      let subjects = names.map(town.subject)
      let matrix = intent.matrix(from: subjects, to: subjects, on: transports)
      for (t, transport) in transports.enumerated() {
        for (row, from) in subjects.enumerated() {
          for (column, to) in subjects.enumerated() {
            let answer = intent.answer(Traffic(from: from, to: to, transport))
            let cell = matrix[t, row, column]
            let deciding = cell.direction == .egress ? answer.egress : answer.ingress
            #expect(cell.verdict == answer.verdict && cell.reason == deciding.reason, "seed \(seed)")
            #expect(matrix.site(cell) == deciding.rule, "seed \(seed)")
          }
        }
      }
    }
  }

  @Test func explanationsFitTheAnswers() {
    for seed in 500..<540 {
      var random = Random(state: UInt64(seed))
      var town = Town()
      for index in 0..<3 { town.apply(random.policy("p\(index)")) }
      for from in names {
        let traffic = Traffic(from: town.subject(from), to: town.subject("web"), .tcp(80))
        let explanation = town.intent.explain(traffic).ingress
        let answer = town.intent.answer(traffic).ingress
        #expect(explanation.answer == answer)
        #expect((answer.drop == .noRule) == (answer.reason == .defaultDeny))
        #expect((answer.rule != nil) == (answer.reason == .rule))
        if answer.verdict != .denied { #expect(explanation.nearMisses.isEmpty) }
      }
    }
  }
}

private struct Random: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  mutating func number(_ limit: Int) -> Int { Int.random(in: 0...limit, using: &self) }
  mutating func flip() -> Bool { Bool.random(using: &self) }
  mutating func one<Item>(_ items: [Item]) -> Item { items[Int.random(in: 0..<items.count, using: &self)] }

  mutating func labels() -> Labels { one([[:], ["app": "web"], ["app": "client"], ["role": "monitor"]]) }

  mutating func entry(isDeny: Bool) -> TrafficRule {
    let peers: PolicyPeers = one([
      PolicyPeers(), PolicyPeers(endpoints: []),
      PolicyPeers(endpoints: [LabelSelector(matchLabels: labels())]),
      PolicyPeers(entities: [Located(one(Entity.allCases))]), PolicyPeers(cidrs: [cidr("203.0.113.0/24")]),
    ])
    let ports: [PortProtocol] = one([
      [], [tcp(80)], [tcp(1, to: 500)], [PortProtocol(.number(0))], [PortProtocol(.name("http"), .tcp)],
      [PortProtocol(.number(53))],
    ])
    let isHTTP = !isDeny && ports == [tcp(80)] && flip()
    return rule(peers, ports, http: isHTTP ? [HTTPRule(method: "GET")] : nil)
  }

  mutating func policy(_ name: String) -> ClusterObject {
    let direction: (Bool, Bool) = one([(true, false), (false, true), (true, true)])
    return IntentTests.policy(
      name, in: one(["default", "ops", ""]), on: labels(),
      ingress: direction.0 ? [entry(isDeny: false), entry(isDeny: false)] : nil,
      ingressDeny: flip() ? [entry(isDeny: true)] : nil, egress: direction.1 ? [entry(isDeny: false)] : nil,
      egressDeny: flip() ? [entry(isDeny: true)] : nil)
  }
}
