import Datapath
import MapABI
import Wire

/// Frames for hooks, from a seed: most are of a conversation in the world, some answer or quote earlier ones, and
/// a part of them is damaged.
struct FrameSource {
  private let world: FuzzWorld
  var random: SplitMix64
  /// Frames that went in or came out lately, for answers, repetitions and ICMP errors.
  private var recent: [[UInt8]] = []
  private static let memory = 48

  init(_ world: FuzzWorld, seed: UInt64) {
    self.world = world
    random = SplitMix64(seed: seed)
  }

  mutating func remember(_ frame: [UInt8]) {
    guard frame.count >= 34 else { return }
    if recent.count < Self.memory {
      recent.append(frame)
    } else {
      recent[random.below(Self.memory)] = frame
    }
  }

  mutating func forget() { recent.removeAll() }

  /// A frame for the hook, damaged or whole.
  mutating func frame(for attachment: Attachment) -> [UInt8] {
    if random.chance(25) { return random.octets(random.below(120)) }
    var frame = whole(attachment)
    if random.chance(2) { for _ in 0...random.below(3) { mutate(&frame) } }
    return frame
  }

  private mutating func whole(_ attachment: Attachment) -> [UInt8] {
    let own = world.locals.first { $0.ifindex == attachment.ifindex }
    switch random.below(20) {
    case 0...3:
      if let earlier = random.pick(recent), let reply = Reply.to(earlier) { return reply }
    case 4: if let earlier = random.pick(recent) { return earlier }
    case 5: if let earlier = random.pick(recent), let error = quote(earlier) { return error }
    case 6: return neighbour(own)
    default: break
    }
    return conversation(attachment, own)
  }

  // MARK: - Conversations

  private mutating func conversation(_ attachment: Attachment, _ own: FuzzWorld.Station?) -> [UInt8] {
    let family: AddressFamily = random.chance(2) ? .ipv4 : .ipv6
    var source = random.pick(world.locals + world.others)
    if attachment.hook == .fromContainer, !random.chance(12) { source = own }
    var target = random.pick(world.locals + world.others)?.address(family)
    var port = random.pick(Self.ports) ?? 80
    if attachment.hook == .toContainer, !random.chance(12) {
      target = own?.address(family)
    } else if random.chance(3),
      let front = random.pick(world.frontends.filter { $0.address.family == family })
    {
      (target, port) = (front.address, front.port)
    }
    if random.chance(30) { target = random.pick(Self.oddTargets.filter { $0.family == family }) }
    guard let source, let from = source.address(family), let target,
      let packet = RawFrame.packet(from, target, payload(family, port), network(family))
    else { return random.octets(14 + random.below(60)) }
    return framed(packet, family, source, attachment)
  }

  private static let ports: [UInt16] = [80, 80, 8080, 8080, 81, 5353, 53, 30_080, 40_000, 40_001, 8472, 6081]
  private static let sourcePorts: [UInt16] = [40_000, 40_001, 20_000, 80, 8080, 30_080]
  private static let oddTargets = FuzzWorld.addresses(
    "0.0.0.0", "127.0.0.1", "169.254.42.1", "224.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "ff02::1")

  private mutating func payload(_ family: AddressFamily, _ port: UInt16) -> RawFrame.Payload {
    let source = random.pick(Self.sourcePorts) ?? 40_000
    switch random.below(10) {
    case 0...4:
      return .tcp(
        source: source, destination: port,
        flags: random.pick([2, 2, 0x12, 0x10, 0x11, 0x14, 4, 0x18, 0xc2]) ?? 2)
    case 5, 6:
      let size = random.pick([0, 1, 8, 33, 400]) ?? 0
      return .udp(source: source, destination: port, random.octets(size))
    case 7:
      let types: [UInt8] = family == .ipv4 ? [8, 8, 0, 3, 11, 12, 5, 13] : [128, 128, 129, 1, 2, 3, 4, 130]
      return .icmp(
        type: random.pick(types) ?? 8, code: random.pick([0, 0, 3, 4]) ?? 0,
        rest: random.octets(random.pick([4, 4, 20, 28, 60]) ?? 4))
    case 8: return .sctp(source: source, destination: port, chunk: random.pick([1, 2, 3, 10]) ?? 1)
    default:
      return .other(random.pick([2, 4, 41, 47, 50, 0, 44, 60, 51, 59]) ?? 0, random.octets(random.below(40)))
    }
  }

  private mutating func network(_ family: AddressFamily) -> RawFrame.Network {
    var network = RawFrame.Network()
    if random.chance(12) { network.ttl = random.pick([0, 1, 2, 255]) ?? 1 }
    if random.chance(8) { network.fragment = random.pick([0x2000, 0x2001, 1, 0x4000, 0x00b9]) ?? 0 }
    if random.chance(10) { network.options = [UInt8](repeating: 1, count: 4 * (1 + random.below(10))) }
    return network
  }

  private func framed(
    _ packet: [UInt8], _ family: AddressFamily, _ source: FuzzWorld.Station, _ attachment: Attachment
  ) -> [UInt8] {
    let type: UInt16 = family == .ipv4 ? 0x0800 : 0x86dd
    return RawFrame.ethernet(source.mac, attachment.config.interface_mac.mac, type, packet)
  }

  // MARK: - Neighbours, and errors about earlier frames

  /// An ARP request or a neighbour solicitation of a pod for its router, or for anybody.
  private mutating func neighbour(_ own: FuzzWorld.Station?) -> [UInt8] {
    let everybody = world.locals + world.others
    guard let asker = own ?? world.locals.first else { return [] }
    let broadcast = MACAddress(bits: 0xffff_ffff_ffff)
    if random.chance(2), let sender = asker.address(.ipv4),
      let target = random.pick(everybody)?.address(.ipv4)
    {
      let body: [UInt8] = [0, 1, 8, 0, 6, 4, 0, random.pick([1, 1, 1, 2]) ?? 1]
      return RawFrame.ethernet(
        asker.mac, random.chance(2) ? broadcast : asker.hostMAC, 0x0806,
        body + asker.mac.octets + sender.octets + [UInt8](repeating: 0, count: 6) + target.octets)
    }
    guard let sender = asker.address(.ipv6), let target = random.pick(everybody)?.address(.ipv6),
      let group = IPAddress("ff02::1:ff00:1"),
      let packet = RawFrame.packet(
        sender, random.chance(2) ? group : target,
        .icmp(
          type: random.pick([135, 135, 136, 133]) ?? 135, code: 0,
          rest: [0, 0, 0, 0] + target.octets + (random.chance(2) ? [1, 1] + asker.mac.octets : [])))
    else { return [] }
    return RawFrame.ethernet(asker.mac, asker.hostMAC, 0x86dd, packet)
  }

  /// An ICMP error from somewhere to an earlier frame's sender, quoting the frame.
  private mutating func quote(_ frame: [UInt8]) -> [UInt8]? {
    guard let ends = FrameEnds(frame), let router = random.pick(world.others)?.address(ends.family) else {
      return nil
    }
    let quoted = frame.dropFirst(14).prefix(random.pick([28, 48, 68, 200]) ?? 48)
    let type: UInt8 =
      ends.family == .ipv4 ? random.pick([3, 3, 11, 12]) ?? 3 : random.pick([1, 2, 3, 4]) ?? 1
    let code: UInt8 = random.pick([0, 1, 3, 4]) ?? 0
    guard
      let packet = RawFrame.packet(
        random.chance(3) ? ends.destination : router, ends.source,
        .icmp(type: type, code: code, rest: [0, 0, 5, 0xdc] + quoted))
    else { return nil }
    return frame[6..<12] + frame[0..<6] + frame[12..<14] + packet
  }
}

/// The two ends of an IP packet in an Ethernet frame.
struct FrameEnds {
  let source: IPAddress
  let destination: IPAddress
  /// Where the transport header starts, extension headers not being followed.
  let transport: Int
  var family: AddressFamily { source.family }

  init?(_ frame: [UInt8]) {
    switch frame.count >= 14 ? (frame[12], frame[13]) : (0, 0) {
    case (0x08, 0x00) where frame.count >= 34:
      transport = 14 + Int(frame[14] & 15) * 4
      source = .v4(IPv4Address(frame[26], frame[27], frame[28], frame[29]))
      destination = .v4(IPv4Address(frame[30], frame[31], frame[32], frame[33]))
    case (0x86, 0xdd) where frame.count >= 54:
      transport = 54
      func word(_ offset: Int) -> UInt64 { frame[offset..<offset + 8].reduce(0) { $0 << 8 | UInt64($1) } }
      source = .v6(IPv6Address(high: word(22), low: word(30)))
      destination = .v6(IPv6Address(high: word(38), low: word(46)))
    default: return nil
    }
  }
}

enum Reply {
  /// The frame with its ends exchanged: MACs, addresses, ports; echo requests become replies. Checksums of the
  /// Internet kind stay right, since sums do not see the order; an echo's does not, and is made new.
  static func to(_ frame: [UInt8]) -> [UInt8]? {
    guard let ends = FrameEnds(frame) else { return nil }
    var reply = frame
    func exchange(_ a: Int, _ b: Int, _ count: Int) {
      guard b + count <= reply.count else { return }
      for index in 0..<count { reply.swapAt(a + index, b + index) }
    }
    exchange(0, 6, 6)
    let isIPv4 = ends.family == .ipv4
    if isIPv4 { exchange(26, 30, 4) } else { exchange(22, 38, 16) }
    switch frame[isIPv4 ? 23 : 20] {
    case 6, 17, 132: exchange(ends.transport, ends.transport + 2, 2)
    case 1, 58: turn(&reply, ends.transport)
    default: break
    }
    return reply
  }

  private static func turn(_ reply: inout [UInt8], _ start: Int) {
    guard start + 4 <= reply.count else { return }
    let answers: [UInt8: UInt8] = [8: 0, 0: 8, 128: 129, 129: 128]
    guard let answer = answers[reply[start]] else { return }
    let difference = Int(answer) - Int(reply[start])
    reply[start] = answer
    // One's complement: the sum grew by the difference in the upper octet.
    var sum = Int(~(UInt16(reply[start + 2]) << 8 | UInt16(reply[start + 3]))) + (difference << 8)
    if sum < 0 { sum += 0xffff }
    let check = ~UInt16(truncatingIfNeeded: (sum & 0xffff) + (sum >> 16))
    reply.replaceSubrange(start + 2..<start + 4, with: RawFrame.be(check))
  }
}
