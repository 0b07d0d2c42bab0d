import Datapath
import MapABI
import Testing
import Wire

/// Random and mutated frames: no hook may trap, and the verdict alone has to be that of the full run.
@Suite struct FuzzTests {
  struct Generator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var z = state
      z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
      z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
      return z ^ (z >> 31)
    }
    mutating func below(_ bound: Int) -> Int { bound <= 0 ? 0 : Int(next() % UInt64(bound)) }
  }

  /// Frames that get far into the hooks; mutation starts from them.
  static let seeds: [[UInt8]] = {
    let syn = Frames.Payload.tcp(source: 40_000, destination: 80, flags: 2)
    let solicitation = Frames.Payload.icmp(
      type: 135, code: 0, rest: [0, 0, 0, 0] + Frames.v6("fd00:1::1"))
    return [
      Frames.ipv4(Node.client.ipv4, Node.server.ipv4, syn),
      Frames.ipv4(Node.client.ipv4, "10.96.0.10", syn),
      Frames.ipv4(Node.client.ipv4, "10.96.0.11", syn),
      Frames.ipv4(Node.remote.ipv4, Node.client.ipv4, .udp(source: 53, destination: 40_000, data: [1])),
      Frames.ipv4("10.244.1.1", Node.remote.ipv4, syn),
      Frames.ipv4("192.0.2.7", "172.18.0.2", .tcp(source: 50_000, destination: 30_080, flags: 2)),
      Frames.ipv4(
        Node.client.ipv4, Node.remote.ipv4, .icmp(type: 3, code: 4, rest: Array(repeating: 1, count: 28))),
      Frames.ipv6(Node.client.ipv6, Node.server.ipv6, syn),
      Frames.ipv6(Node.client.ipv6, "fd00:96::10", syn, hopLimit: 1),
      Frames.ipv6(Node.client.ipv6, Node.server.ipv6, syn, extensions: (44, [6, 0, 0, 1, 0, 0, 0, 9])),
      Frames.ipv6(Node.client.ipv6, "ff02::1:ff00:1", solicitation),
      Array(repeating: 0xff, count: 6) + Frames.podMAC + [8, 6, 0, 1, 8, 0, 6, 4, 0, 1]
        + Array(repeating: 0, count: 20),
    ]
  }()

  static func mutated(_ random: inout Generator) -> [UInt8] {
    if random.below(20) == 0 {
      return (0..<random.below(200)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }
    var frame = seeds[random.below(seeds.count)]
    for _ in 0..<random.below(5) where !frame.isEmpty {
      let position =
        random.below(8) == 0 ? random.below(frame.count) : min(frame.count - 1, 12 + random.below(50))
      frame[position] = UInt8(truncatingIfNeeded: random.next())
    }
    switch random.below(6) {
    case 0: return Array(frame.prefix(random.below(frame.count + 1)))
    case 1: return frame + Array(repeating: 0xa5, count: random.below(1500))
    default: return frame
    }
  }

  @Test(arguments: [
    Hook.fromContainer, .toContainer, .fromOverlay, .toOverlay, .fromNetdev, .toNetdev, .fromHost, .toHost,
  ])
  func noFrameTrapsAHook(_ hook: Hook) throws {
    var node = Node()
    node.addService("10.96.0.10", port: 80, backends: [(Node.server.ipv4, 8080), (Node.client.ipv4, 80)])
    node.addService("10.96.0.11", port: 80, backends: [])
    node.addService("172.18.0.2", port: 30_080, backends: [(Node.remote.ipv4, 8080)], flags: 2 | 64)
    node.addService("fd00:96::10", port: 80, backends: [(Node.server.ipv6, 8080)], flags: 16)
    var random = Generator(state: UInt64(hook.rawValue.utf8.reduce(7) { $0 &* 31 &+ Int($1) }))
    var state = node.state()
    let marks: [UInt32] = [0, 0x0c00, 0x0a00, 0x0b00, 0x2711_0f00, 0x0400, 0x0300, 0x0200]
    for round in 0..<100_000 {
      if round % 997 == 0 {
        node.environment.ktime += 1_000_000_000
        node.config.eth_header_length = random.below(10) == 0 ? 0 : 14
        node.config.enable_ipv4_fragments = UInt8(random.below(2))
      }
      let tunnel =
        random.below(10) == 0
        ? nil : TunnelKey(id: UInt32(random.below(12_000)), remote: Node.ip(Node.remoteNode))
      var cb = ControlBlock()
      cb[0] = UInt32(truncatingIfNeeded: random.next())
      do {
        let result = try node.run(
          hook, Self.mutated(&random), mark: marks[random.below(marks.count)], tunnel: tunnel,
          tcIndex: UInt16(random.below(8)), cb: cb, in: state)
        if state.position < 3000 { state.apply(result.changes) }
      } catch let error as InterpreterError {
        guard case .unmodelled = error else {
          Issue.record("\(error)")
          return
        }
      }
    }
  }
}
