internal import MapABI

// ICMP errors that the program makes out of the packet that they are about. Source: Cilium's bpf/lib/icmp.h,
// icmp6.h, icmp_wsum.h; tail calls in lb.h and bpf_lxc.c.

/// Type and code of "destination unreachable" messages (RFC 792, RFC 4443).
private enum Unreachable {
  static func port<F: IPFamily>(_: F.Type) -> (UInt8, UInt8) { F.isIPv6 ? (1, 4) : (3, 3) }
  /// Administratively prohibited.
  static func filtered<F: IPFamily>(_: F.Type) -> (UInt8, UInt8) { F.isIPv6 ? (1, 1) : (3, 13) }
}

extension Run {
  /// `tail_no_service_ipv4`: tells the sender that the service has no backend.
  mutating func refuseService<F: IPFamily>(_ state: borrowing NodeState, _: F.Type) -> Outcome {
    extError = 0
    let source = cb[ControlSlot.sourceLabel]
    do throws(Drop) {
      guard mayAnswer(state, F.self) else { throw Drop(.rateLimited) }
      try makeError(F.self, Unreachable.port(F.self))
      return redirect(ifindex, .egress)
    } catch {
      return drop(error, at: .reply, source: source, .ingress)
    }
  }

  /// `tail_policy_denied_ipv4`: tells the pod that its packet is not allowed. Counted as the drop that it is.
  mutating func answerDenied<F: IPFamily>(
    _ state: borrowing NodeState, _: F.Type, _ denial: UInt8
  ) -> Outcome {
    extError = 0
    cb[ControlSlot.verdict] = UInt32(bitPattern: -Int32(denial))
    // The verdict comes out of the control block without its sign, so Cilium counts and reports the complement
    // of the reason: 123 for 133.
    let reported = 0 &- denial
    do throws(Drop) {
      guard mayAnswer(state, F.self) else { throw Drop(code: denial) }
      try makeError(F.self, Unreachable.filtered(F.self))
      count(reported, .egress, .reply)
      return .ended(redirect(ifindex, .egress).ending)
    } catch {
      return drop(Drop(code: reported), at: .reply, source: config.security_label, .egress)
    }
  }

  /// ICMPv6 errors are limited to 100 in a second, 1000 in a burst.
  private mutating func mayAnswer<F: IPFamily>(_ state: borrowing NodeState, _: F.Type) -> Bool {
    !F.isIPv6 || takeToken(.icmpv6, device: ifindex, added: 100, every: 1_000_000_000, burst: 1000, state)
  }

  /// `generate_icmp4_reply`, `generate_icmp6_reply`: headers of an error in front of the packet's beginning.
  private mutating func makeError<F: IPFamily>(_: F.Type, _ message: (type: UInt8, code: UInt8)) throws(Drop)
  {
    try requireHeader(F.self)
    let from = try source(F.self)
    let to = try destination(F.self)
    let tos = try packet.require(15, as: UInt8.self)
    guard let sender = packet.loadMAC(6), let receiver = packet.loadMAC(0) else { throw Drop(.invalid) }
    // The sample's length includes the Ethernet header, which is not in the sample: a short packet is padded.
    let sample = min(packet.count, F.isIPv6 ? 1280 - 40 - 8 : 64)
    guard packet.changeLength(to: 14 + sample, networkOffset: 14) else { throw Drop(.invalid) }
    var sum = Self.sampleSum(packet, from: 14, length: sample)
    let headers = F.headerLength + 8
    guard packet.insert(headers, at: 14) else { throw Drop(.invalid) }
    guard packet.storeMAC(sender, 0), packet.storeMAC(receiver, 6) else { throw Drop(.invalid) }
    let icmp = 14 + F.headerLength
    _ = packet.store(F.etherType.bigEndian, 12)
    _ = packet.store(from, 14 + F.destinationOffset)
    _ = packet.store(to, 14 + F.sourceOffset)
    if F.isIPv6 {
      writeIPv6Header(payload: 8 + sample)
      // The pseudo-header: addresses, length, next header.
      sum &+= Self.words(packet, 14 + F.sourceOffset, count: 16)
      sum &+= UInt32(UInt16(truncatingIfNeeded: 8 + sample).bigEndian)
      sum &+= UInt32(UInt16(IPProtocol.icmpv6).bigEndian)
    } else {
      writeIPv4Header(length: headers + sample, tos: tos)
    }
    _ = packet.store(message.type, icmp)
    _ = packet.store(message.code, icmp + 1)
    sum &+= UInt32(message.type) | UInt32(message.code) << 8
    _ = packet.store(InternetChecksum.fold(sum), icmp + 2)
    note(.answered(.icmpError))
  }

  private mutating func writeIPv4Header(length: Int, tos: UInt8) {
    _ = packet.store(UInt8(0x45), 14)
    _ = packet.store(tos, 15)
    _ = packet.store(UInt16(truncatingIfNeeded: length).bigEndian, 16)
    _ = packet.store(UInt8(64), 22)
    _ = packet.store(IPProtocol.icmp, 23)
    _ = packet.store(InternetChecksum.fold(Self.words(packet, 14, count: 10)), 24)
  }

  private func writeIPv6Header(payload: Int) {
    _ = packet.store(UInt8(0x60), 14)
    _ = packet.store(UInt16(truncatingIfNeeded: payload).bigEndian, 18)
    _ = packet.store(IPProtocol.icmpv6, 20)
    _ = packet.store(UInt8(64), 21)
  }

  private static func words(_ packet: PacketBuffer, _ offset: Int, count: Int) -> UInt32 {
    var sum: UInt32 = 0
    for index in 0..<count { sum &+= UInt32(packet.load(offset + 2 * index, as: UInt16.self) ?? 0) }
    return sum
  }

  /// `icmp_wsum_accumulate`: its unrolled loop sums every other 128 octets only, and so does this; longer errors
  /// leave Cilium with a checksum that receivers reject.
  private static func sampleSum(_ packet: PacketBuffer, from start: Int, length: Int) -> UInt32 {
    var sum: UInt32 = 0
    for block in stride(from: 0, through: 1024, by: 256) {
      for offset in stride(from: block, to: block + 128, by: 2) {
        if offset > length { return sum }
        guard let word = packet.load(start + offset, as: UInt16.self) else {
          return sum &+ UInt32(packet.load(start + offset, as: UInt8.self) ?? 0)
        }
        sum &+= UInt32(word)
      }
    }
    return sum
  }
}
