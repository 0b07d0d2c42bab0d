import CDatapath
import MapABI
import TestSupport
import Testing
import Wire

@testable import Views

/// Views of octets that no agent and no program would write.
@Suite struct HostileMapsTests {
  static let views: [View] =
    LoadBalancerList.Part.allCases.map { .bpfLoadBalancerList($0) } + [
      .identityList(), .identityList(endpointsOnly: true), .endpointList(), .serviceList(meshAffinity: true),
      .nodeList,
      .nodeIDList, .addressList(), .addressList(numeric: true, verbose: true), .mapList,
      .bpfConntrackList(timeDifference: true), .bpfPolicyList(), .bpfPolicyList(numeric: true),
      .bpfIPCacheList,
      .bpfEndpointList, .bpfNATList, .bpfMetricsList, .bpfAuthList, .bpfNodeIDList, .bpfTunnelList,
    ]

  func random<Value: BitwiseCopyable>(_ generator: inout SplitMix64, as type: Value.Type) -> Value {
    // Extreme octets are as likely as others.
    let octets = generator.octets(MemoryLayout<Value>.size).map {
      $0 < 64 ? 0 : $0 < 128 ? 255 : $0 < 160 ? 1 : $0
    }
    return octets.withUnsafeBytes { $0.loadUnaligned(as: type) }
  }

  func fill<Key: MapKey & BitwiseCopyable, Value: MapValue & BitwiseCopyable>(
    _ table: inout FlatTable<Key, Value>, _ generator: inout SplitMix64
  ) {
    for _ in 0..<8 { table[random(&generator, as: Key.self)] = random(&generator, as: Value.self) }
  }

  func fill<Key: LPMKey & BitwiseCopyable, Value: MapValue & BitwiseCopyable>(
    _ table: inout LPMTable<Key, Value>, _ generator: inout SplitMix64
  ) {
    for round in 0..<8 {
      var key = random(&generator, as: Key.self)
      if round % 2 == 0 { key.prefixlen %= Key.maximumLength + 1 }
      table[exactly: key] = random(&generator, as: Value.self)
    }
  }

  func hostileMaps(_ generator: inout SplitMix64) -> NodeMaps {
    var maps = NodeMaps()
    fill(&maps.endpoints, &generator)
    fill(&maps.ipcache, &generator)
    for _ in 0..<3 {
      var table = EndpointPolicies.Table()
      fill(&table, &generator)
      maps.policies[random(&generator, as: UInt16.self)] = table
    }
    fill(&maps.policyStats, &generator)
    fill(&maps.ct4TCP, &generator)
    fill(&maps.ct4Any, &generator)
    fill(&maps.ct6TCP, &generator)
    fill(&maps.ct6Any, &generator)
    fill(&maps.services4, &generator)
    fill(&maps.services6, &generator)
    fill(&maps.backends4, &generator)
    fill(&maps.backends6, &generator)
    // Slots that follow a frontend, and backends that they find.
    for (key, entry) in zip(maps.services4.keys, maps.services4.values) {
      var slot = key
      slot.backend_slot = 1
      maps.services4[slot] = entry
      slot.backend_slot = 0
      maps.services4[slot] = entry
      maps.backends6[entry.backend_id] = random(&generator, as: Backend6.self)
    }
    fill(&maps.reverseNAT4, &generator)
    fill(&maps.reverseNAT6, &generator)
    fill(&maps.nat4, &generator)
    fill(&maps.nat6, &generator)
    fill(&maps.metrics, &generator)
    fill(&maps.auth, &generator)
    fill(&maps.nodes, &generator)
    return maps
  }

  func hostileText(_ generator: inout SplitMix64) -> String {
    let pieces = [
      "", "\t", "\n", "\u{0c}", "\u{0b}", "cidr:", "/", "-", ":", "=", "é", "e\u{301}", "🦆",
      "reserved:unknown", "\r\n", "9",
    ]
    return (0..<5).map { _ in pieces[Int.random(in: 0..<pieces.count, using: &generator)] }.joined()
  }

  func hostileInput(_ generator: inout SplitMix64) throws -> ViewInput {
    var input = ViewInput(maps: hostileMaps(&generator), ipv4: true, ipv6: true)
    let labels = (0..<3).map { _ in hostileText(&generator) }
    let identity = random(&generator, as: UInt32.self)
    input.identities = [IdentityRow(number: identity, labels: labels, references: Int.max)]
    input.names = IdentityNames([0: labels, .max: []])
    input.names[identity] = labels
    input.endpoints = [
      EndpointRow(id: 0, ingress: .audited, egress: .enabled, identity: identity, labels: labels)
    ]
    input.addresses = [AddressRow(prefix: try #require(CIDR("::/0")), identity: 0, source: labels[0])]
    input.nodes = [NodeRow(name: labels[0], source: labels[1])]
    let now = random(&generator, as: UInt64.self)
    input.clock =
      [nil, .monotonic(seconds: now), .scaledJiffies(now, hertz: 0), .scaledJiffies(now, hertz: 1)]
      .randomElement(
        using: &generator) ?? nil
    return input
  }

  @Test func viewsOfAnythingAreTextsThatEndInANewline() throws {
    var generator = SplitMix64(seed: 1)
    for _ in 0..<40 {
      let input = try hostileInput(&generator)
      for view in Self.views {
        let output = view.output(of: input)
        #expect(output.text.isEmpty || output.text.utf8.last == UInt8(ascii: "\n"), "\(view)")
      }
      for endpoint in input.maps.policies.endpoints {
        #expect(View.bpfPolicyGet(endpoint: endpoint).output(of: input).notice.isEmpty)
      }
    }
  }

  /// The order of insertion does not show: keys differ in what is printed, so texts agree.
  @Test func orderOfInsertionDoesNotShow() {
    var generator = SplitMix64(seed: 2)
    for _ in 0..<15 {
      let maps = hostileMaps(&generator)
      var reversed = NodeMaps()
      func copy<Key: MapKey, Value: MapValue>(
        _ from: FlatTable<Key, Value>, _ to: inout FlatTable<Key, Value>
      ) {
        for (key, value) in zip(from.keys, from.values).reversed() { to[key] = value }
      }
      copy(maps.services4, &reversed.services4)
      copy(maps.services6, &reversed.services6)
      copy(maps.backends4, &reversed.backends4)
      copy(maps.backends6, &reversed.backends6)
      copy(maps.reverseNAT4, &reversed.reverseNAT4)
      copy(maps.reverseNAT6, &reversed.reverseNAT6)
      copy(maps.ct4TCP, &reversed.ct4TCP)
      copy(maps.ct6Any, &reversed.ct6Any)
      copy(maps.nat4, &reversed.nat4)
      copy(maps.nat6, &reversed.nat6)
      copy(maps.endpoints, &reversed.endpoints)
      copy(maps.nodes, &reversed.nodes)
      copy(maps.metrics, &reversed.metrics)
      for (key, value) in zip(maps.ipcache.entries.keys, maps.ipcache.entries.values).reversed() {
        reversed.ipcache[exactly: key] = value
      }
      var same = maps
      same.ct4Any = reversed.ct4Any
      same.ct6TCP = reversed.ct6TCP
      same.auth = reversed.auth
      same.policies = reversed.policies
      let views: [View] = [
        .bpfLoadBalancerList(), .bpfLoadBalancerList(.frontends), .bpfLoadBalancerList(.backends),
        .bpfLoadBalancerList(.reverseNAT), .serviceList(), .bpfConntrackList(), .bpfNATList, .bpfEndpointList,
        .bpfIPCacheList, .bpfNodeIDList, .bpfMetricsList, .bpfTunnelList,
      ]
      for view in views {
        #expect(
          view.text(of: ViewInput(maps: same, ipv6: true))
            == view.text(of: ViewInput(maps: reversed, ipv6: true)))
      }
    }
  }

  @Test func wordsOfAnyKindTrapNowhere() {
    var generator = SplitMix64(seed: 3)
    let pieces = [
      "bpf", "lb", "list", "ls", "-", "--", "-n", "--numeric", "cilium", "get", "policy", "\t", "é", "65535",
      "::",
    ]
    for _ in 0..<1000 {
      let words = (0..<Int.random(in: 0..<6, using: &generator)).map { _ in
        pieces[Int.random(in: 0..<pieces.count, using: &generator)]
      }
      let resolved = try? View.resolve(words)
      #expect(resolved == View(words))
    }
    #expect(View(String(repeating: "x", count: 100_000)) == nil)
  }
}
