import CBenchPeer
import Datapath
import MapABI
import Wire

/// The model's hops per second on large tables, beside four look-ups in C.
struct ModelBench: ~Copyable {
  static let entries: UInt32 = 100_000

  private let attachment: Attachment
  private let established: NodeState
  private let fresh: NodeState

  /// Endpoint 1 of a node speaks to a hundred thousand remote pods, each with an identity and a policy entry.
  init() {
    var config = DatapathConfig.benchmark
    config.endpoint_id = 1
    config.security_label = 10_001
    config.endpoint_ipv4 = UInt32(0x0a00_0001).bigEndian
    config.interface_ifindex = 9
    attachment = Attachment(hook: .fromContainer, ifindex: 9, device: "lxc", config: config)
    var image = MapImage(node: "n", endpointConfigs: [config])
    var policy = EndpointPolicies.Table()
    policy.reserveCapacity(Int(Self.entries))
    image.maps.ipcache.reserveCapacity(Int(Self.entries))
    for n in 0..<Self.entries {
      let address = IPAddress.v4(Self.address(n))
      var info = RemoteEndpointInfo()
      info.sec_identity = 1000 + n
      info.tunnel_endpoint = AddressWords(IPv4Address(192, 168, 0, 2))
      info.flags = 2
      image.maps.ipcache[exactly: IPCacheKey(address)] = info
      var key = PolicyKey(identity: 1000 + n, egress: true, protocol: 6, port: 80)
      key.prefixlen = 64
      policy[exactly: key] = PolicyEntry(proxy_port: 0, bits: 24 << 3, auth: 0, precedence: 1, cookie: 0)
      image.maps.services4[
        ServiceKey4(
          address: (0xac10_0000 &+ n).bigEndian, dport: UInt16(80).bigEndian, backend_slot: 0, proto: 6,
          scope: 0, pad: 0)] = ServiceEntry(
          backend_id: 0, count: 0, rev_nat_index: 1, flags: 0, flags2: 0, qcount: 0)
    }
    image.maps.policies[1] = policy
    var other = image
    for n in 0..<Self.entries {
      // As many connections of others, so that a SYN looks into a full table.
      image.maps.ct4TCP[Self.tuple(n, source: 41_000)] = Self.entry
      other.maps.ct4TCP[Self.tuple(n, source: 40_000)] = Self.entry
    }
    fresh = NodeState(image)
    established = NodeState(other)
  }

  private static func address(_ n: UInt32) -> IPv4Address { IPv4Address(bits: 0x0b00_0000 &+ n) }

  private static func tuple(_ n: UInt32, source: UInt16) -> CTTuple4 {
    CTTuple4(
      daddr: UInt32(0x0a00_0001).bigEndian, saddr: (0x0b00_0000 &+ n).bigEndian,
      dport: UInt16(80).bigEndian, sport: source.bigEndian, nexthdr: 6, flags: 0)
  }

  private static let entry: CTEntry = {
    var entry = CTEntry()
    entry.lifetime = 9000
    entry.flags = 1 << 4
    entry.tx_flags_seen = 0x12
    entry.last_tx_report = 999
    return entry
  }()

  /// Packets of the first `flows` flows in random order.
  private func inputs(flags: UInt8, flows: UInt32, count: Int) -> [HookInput] {
    var state: UInt64 = 1
    return (0..<count).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let n = UInt32(truncatingIfNeeded: state >> 33) % flows
      let buffer = SocketBuffer(frame: Self.frame(n, flags), ifindex: 9, ingressIfindex: 9)
      return HookInput(.skb(buffer), environment: Environment(ktime: 1_000_000_000_000, random: 1))
    }
  }

  private static func frame(_ n: UInt32, _ flags: UInt8) -> [UInt8] {
    let to = 0x0b00_0000 &+ n
    var frame: [UInt8] = Array(repeating: 2, count: 12) + [8, 0, 0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6, 0, 0]
    frame += [10, 0, 0, 1]
    frame += [UInt8(to >> 24), UInt8(to >> 16 & 255), UInt8(to >> 8 & 255), UInt8(to & 255)]
    frame += [0x9c, 0x40, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0]
    return frame
  }

  func run(packets: Int) throws {
    print("model, from_container to a remote pod, \(Self.entries) entries in each table, one core")
    var claims: [Claim] = []
    // Far: every packet is of another of all flows, and nothing that it looks up is in a cache. Near: a busy node's
    // traffic, many packets of few flows, in the same tables.
    for (place, flows) in [("far", Self.entries), ("near", 1000)] {
      print("\(place): packets of \(flows) flows in random order")
      let peer = measurePeer(flows)
      print(row("C, the same look-ups", peer.one, peer.one))
      print(row("C, looking ahead", peer.ahead, peer.one))
      for (name, flags) in [("established", UInt8(0x10)), ("SYN", 2)] {
        let inputs = inputs(flags: flags, flows: flows, count: packets)
        let figures =
          flags == 2 ? try measure(inputs, on: fresh) : try measure(inputs, on: established)
        print(row("\(name), verdict, one by one", figures.verdict, peer.one))
        print(row("\(name), verdict, in a batch", figures.batch, peer.one))
        print(row("\(name), full steps, one by one", figures.full, peer.one))
        print(row("\(name), full steps, in a batch", figures.fullBatch, peer.one))
        let name = "\(place), \(name)"
        claims += [
          Claim("\(name), verdict, one by one: M hops/s", 1000 / figures.verdict, atLeast: 4),
          Claim("\(name), verdict, in a batch: M hops/s", 1000 / figures.batch, atLeast: 4),
          Claim("\(name), full steps, one by one: M hops/s", 1000 / figures.full, atLeast: 1),
          Claim("\(name), full steps, in a batch: M hops/s", 1000 / figures.fullBatch, atLeast: 1),
          Claim("\(name), verdict, one by one: to C", figures.verdict / peer.one, atMost: 3),
          Claim("\(name), verdict, in a batch: to C ahead", figures.batch / peer.ahead, atMost: 3),
        ]
      }
    }
    for claim in claims { print(claim) }
  }

  /// Nanoseconds for each packet.
  private func measure(
    _ inputs: [HookInput], on state: borrowing NodeState
  ) throws -> (verdict: Double, batch: Double, full: Double, fullBatch: Double) {
    var best = (
      verdict: Double.infinity, batch: Double.infinity, full: Double.infinity, fullBatch: Double.infinity
    )
    var dropped = 0
    for _ in 0..<5 {
      var start = Stopwatch.processorTime()
      for index in inputs.indices {
        if try Model().verdict(attachment, on: inputs[index], state: state) == .drop { dropped += 1 }
      }
      best.verdict = min(best.verdict, Stopwatch.processorTime() - start)
      start = Stopwatch.processorTime()
      for verdict in try Model().verdicts(attachment, on: inputs, state: state) where verdict == .drop {
        dropped += 1
      }
      best.batch = min(best.batch, Stopwatch.processorTime() - start)
      start = Stopwatch.processorTime()
      for index in inputs.indices {
        let result = try Model().run(attachment, on: inputs[index], state: state)
        if result.verdict == .drop || result.steps.isEmpty { dropped += 1 }
      }
      best.full = min(best.full, Stopwatch.processorTime() - start)
      start = Stopwatch.processorTime()
      try Model().runs(attachment, on: inputs, state: state) { _, result in
        if result.verdict == .drop || result.steps.isEmpty { dropped += 1 }
      }
      best.fullBatch = min(best.fullBatch, Stopwatch.processorTime() - start)
    }
    if dropped > 0 { print("  \(dropped) packets were dropped: the benchmark is broken") }
    let count = Double(inputs.count)
    return (best.verdict / count, best.batch / count, best.full / count, best.fullBatch / count)
  }

  private func row(_ name: String, _ nanoseconds: Double, _ peer: Double) -> String {
    let million = hundredths(1000 / nanoseconds)
    let ratio = hundredths(nanoseconds / peer)
    let padding = String(repeating: " ", count: max(1, 36 - name.count))
    return "  \(name)\(padding)\(Int(nanoseconds + 0.5)) ns  \(million) M/s  \(ratio) x C"
  }

  /// With two decimals.
  private func hundredths(_ value: Double) -> String {
    guard value.isFinite else { return "?" }
    let number = Int(value * 100 + 0.5)
    let fraction = number % 100
    return "\(number / 100).\(fraction < 10 ? "0" : "")\(fraction)"
  }

  /// Nanoseconds for the look-ups of each packet, one by one and with those of the next ones fetched meanwhile.
  private func measurePeer(_ flows: UInt32) -> (one: Double, ahead: Double) {
    guard let tables = bench_tables_make(Self.entries) else { return (.nan, .nan) }
    defer { bench_tables_free(tables) }
    var best = (one: Double.infinity, ahead: Double.infinity)
    let count: UInt64 = 1_000_000
    for _ in 0..<5 {
      var start = Stopwatch.processorTime()
      let sum = bench_packets(tables, flows, count)
      best.one = min(best.one, (Stopwatch.processorTime() - start) / Double(count))
      start = Stopwatch.processorTime()
      let other = bench_packets_ahead(tables, flows, count)
      best.ahead = min(best.ahead, (Stopwatch.processorTime() - start) / Double(count))
      if sum != other { return (.nan, .nan) }
    }
    return best
  }
}

extension DatapathConfig {
  /// Cilium's defaults, as far as the benchmark's packets meet them.
  static var benchmark: DatapathConfig {
    var config = DatapathConfig()
    config.eth_header_length = 14
    config.encap_ifindex = 5
    config.trace_payload_len = 128
    config.trace_payload_len_overlay = 192
    config.cluster_id_bits = 8
    config.tunnel_port = 8472
    config.tunnel_protocol = 1
    config.nodeport_port_min = 30_000
    config.nodeport_port_max = 32_767
    config.monitor_aggregation = 3
    config.ct_report_flags = 0xff
    config.lb_selection = 1
    config.ct_connection_lifetime_tcp = 8000
    config.ct_connection_lifetime_nontcp = 60
    config.ct_syn_timeout = 60
    config.ct_close_timeout = 10
    config.ct_report_interval = 5
    config.policy_verdict_log_filter = 3
    config.enable_ipv4 = 1
    config.enable_ipv6 = 1
    config.enable_nodeport = 1
    config.enable_routing = 1
    config.tunnel_mode = 1
    config.have_encap = 1
    config.enable_per_packet_lb = 1
    config.enable_identity_mark = 1
    config.enable_ipv4_fragments = 1
    config.allow_icmp_frag_needed = 1
    config.enable_icmp_rule = 1
    config.enable_policy_accounting = 1
    config.drop_notify = 1
    config.trace_notify = 1
    config.policy_verdict_notify = 1
    return config
  }
}
