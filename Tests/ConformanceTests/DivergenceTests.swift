import Datapath
import MapABI
import Testing
import Wire

@testable import Conformance

/// What a divergence says: hook, field, both values, and the header or entry fields that differ.
@Suite struct DivergenceTests {
  static let frame: [UInt8] = {
    let header = IPv4Header(
      source: IPv4Address(10, 244, 1, 10), destination: IPv4Address(10, 244, 1, 20), timeToLive: 63)
    let built = try? Frame.build([
      .ethernet(EthernetHeader(destination: MACAddress(bits: 2), source: MACAddress(bits: 1))),
      .ipv4(header), .tcp(TCPHeader(sourcePort: 40_000, destinationPort: 80, flags: .syn)),
    ])
    return built ?? []
  }()

  /// A hop of from_container on the model, and what the other side is said to have made of it.
  func compare(
    _ ours: HookResult, _ theirs: HookResult, foreign: Bool = false
  ) -> [Divergence] {
    var agreement = Agreement()
    Comparison(foreign: foreign).compare(Self.hop(ours), with: theirs, into: &agreement)
    #expect(agreement.compared == 1)
    #expect(agreement.agreeing == (agreement.divergences.isEmpty ? 1 : 0))
    return agreement.divergences
  }

  static func hop(_ result: HookResult) -> Hop {
    let attachment = MapABI.Attachment(
      hook: .fromContainer, ifindex: 11, device: "lxc1", config: DatapathConfig())
    return Hop(
      time: .start, node: "n1", attachment: attachment,
      input: HookInput(result.subject, environment: Environment(ktime: 0, random: 0)), result: result,
      position: 0)
  }

  func result(
    _ frame: [UInt8] = frame, _ verdict: Verdict = .pass, changes: [MapChange] = [], events: [Event] = []
  ) -> HookResult {
    HookResult(
      verdict: verdict, subject: .skb(SocketBuffer(frame: frame, ifindex: 11)), changes: changes,
      events: events)
  }

  @Test func equalResultsAgree() { #expect(compare(result(), result()).isEmpty) }

  @Test func framesByHeaderField() throws {
    var other = Self.frame
    try #require(other.count == 54)
    other[22] = 62
    other[36] = 0x1f
    other[37] = 0x90
    let divergence = try #require(compare(result(), result(other)).first)
    #expect(divergence.hook == "from_container" && divergence.field == .frame)
    #expect(divergence.details == ["ipv4.ttl: 63 vs 62", "tcp.dport: 80 vs 8080"])
    #expect(
      divergence.summary == "n1 from_container at lxc1: frame: model 54 octets, kernel 54 octets")
  }

  @Test func verdictsWithTheirReasons() throws {
    var notify = DropNotify()
    notify.header.type = UInt8(NOTIFY_DROP.rawValue)
    notify.header.subtype = 133
    let dropped = result(Self.frame, .drop, events: [.drop(notify, captured: [])])
    let divergence = try #require(compare(result(), dropped).first)
    #expect(divergence.expected == "pass" && divergence.found == "drop (133 Policy denied)")
  }

  @Test func eventsByOwnOctetsAndCapturedFields() throws {
    var (a, b) = (TraceNotify(), TraceNotify())
    a.src_label = 7
    b.src_label = 8
    // The flow hash is given, never compared.
    b.header.hash = 99
    var other = Self.frame
    other[22] = 62
    let divergence = try #require(
      compare(
        result(events: [.trace(a, captured: Self.frame)]), result(events: [.trace(b, captured: other)])
      ).first)
    #expect(divergence.field == .events)
    #expect(divergence.details == ["octets 16..<17: 07 vs 08", "captured ipv4.ttl: 63 vs 62"])
  }

  @Test func connectionsByField() throws {
    let key = CTTuple4(
      daddr: UInt32(0x0af4_0114).bigEndian, saddr: UInt32(0x0af4_010a).bigEndian,
      dport: UInt16(40_000).bigEndian, sport: UInt16(80).bigEndian, nexthdr: 6, flags: 1)
    var (a, b) = (CTEntry(), CTEntry())
    a.lifetime = 60
    b.lifetime = 61
    b.rev_nat_index = UInt16(5).bigEndian
    let divergences = compare(
      result(changes: [MapChange(put: a, at: key, in: .ct4TCP)]),
      result(changes: [MapChange(put: b, at: key, in: .ct4TCP)]))
    let divergence = try #require(divergences.first)
    #expect(divergences.count == 1 && divergence.field == .mapChanges)
    #expect(
      divergence.expected
        == "cilium_ct4_global[source 10.244.1.10 80, destination 10.244.1.20 40000, protocol 6, flags 1]: lifetime 60"
    )
    #expect(divergence.found == "lifetime 61, reverse NAT 5")
    #expect(divergence.details == ["lifetime: 60 vs 61", "reverse NAT: 0 vs 5"])
    let missing = compare(result(changes: [MapChange(put: a, at: key, in: .ct4TCP)]), result())
    #expect(missing.map(\.found) == ["no change"])
    let extra = compare(result(), result(changes: [MapChange(delete: key, in: .ct4TCP)]))
    #expect(extra.map(\.found) == ["no entry"])
  }

  @Test func mapsOfTheAgentByField() throws {
    let policyKey = PolicyKey(
      prefixlen: 64, sec_label: 10_001, egress: 0, protocol: 6, dport: UInt16(80).bigEndian)
    let serviceKey = ServiceKey4(
      address: UInt32(0x0a60_000a).bigEndian, dport: UInt16(80).bigEndian, backend_slot: 1, proto: 6,
      scope: 0, pad: 0)
    var image = MapImage(node: "n1")
    var table = EndpointPolicies.Table()
    table[exactly: policyKey] = PolicyEntry()
    image.maps.policies[101] = table
    let state = NodeState(image)
    var entry = PolicyEntry()
    entry.bits = 1
    entry.precedence = 0xff
    var service = ServiceEntry()
    service.backend_id = 3
    var agreement = Agreement()
    Comparison(foreign: false).compareMaps(
      [
        MapChange(put: entry, at: policyKey, in: .policy, endpoint: 101),
        MapChange(put: service, at: serviceKey, in: .services4),
      ], with: state, after: Self.hop(result()), into: &agreement)
    let (policy, added) = (
      try #require(agreement.divergences.first), try #require(agreement.divergences.last)
    )
    #expect(
      policy.expected == "cilium_policy_v2 of endpoint 101[ingress 10001 protocol 6 port 80/24]: all zero")
    #expect(policy.found == "deny 1, precedence 0xff")
    #expect(policy.details == ["deny: 0 vs 1", "precedence: 0x0 vs 0xff"])
    #expect(
      added.expected
        == "cilium_lb4_services_v2[10.96.0.10 port 80 protocol 6 scope 0 slot 1]: no entry")
    #expect(added.found == "backend 3")
  }

  @Test func countersAreSummedAndForeignPositionsForgotten() {
    func counted(_ line: UInt16, _ packets: UInt64) -> MapChange {
      var key = MetricsKey()
      key.reason = 3
      key.dir = 1
      key.line = line
      return MapChange(add: Counters(packets: packets, bytes: 10), to: key, in: .metrics)
    }
    let ours = result(changes: [counted(11, 1), counted(11, 1)])
    #expect(compare(ours, result(changes: [counted(11, 2)])).map(\.details) == [["bytes: 20 vs 10"]])
    let split = result(changes: [counted(400, 1), counted(900, 1)])
    #expect(compare(ours, split).count == 3)
    #expect(compare(ours, split, foreign: true).isEmpty)
  }
}
