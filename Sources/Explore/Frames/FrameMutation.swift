import Wire

extension FrameSource {
  /// Damages a frame in one of the ways that networks and attackers know.
  mutating func mutate(_ frame: inout [UInt8]) {
    guard !frame.isEmpty else { return }
    switch random.below(14) {
    case 0: flipBit(&frame)
    case 1, 2: overwriteHeader(&frame)
    case 3: frame.removeLast(random.below(frame.count + 1))
    // At the edges of headers, where checks are off by one.
    case 4:
      frame = Array(frame.prefix((random.pick([14, 15, 33, 34, 35, 37, 38, 42, 53, 54, 58, 62, 74]) ?? 14)))
    case 5: frame += random.octets(random.pick([1, 7, 46, 400, 1500, 4000]) ?? 1)
    case 6: breakLength(&frame)
    case 7: breakChecksum(&frame)
    case 8: addVLAN(&frame)
    case 9: spoof(&frame)
    case 10: addExtension(&frame)
    case 11: changeHeaderLength(&frame)
    case 12:
      set(
        &frame, at: 12,
        RawFrame.be(random.pick([0x0800, 0x86dd, 0x0806, 0x8100, 0x88a8, 0x88cc, 0x0022]) ?? 0))
    default: set(&frame, at: 0, random.chance(2) ? [UInt8](repeating: 0xff, count: 6) : random.octets(6))
    }
  }

  private func isIPv4(_ frame: [UInt8]) -> Bool { frame.count >= 34 && frame[12] == 8 && frame[13] == 0 }
  private func isIPv6(_ frame: [UInt8]) -> Bool {
    frame.count >= 54 && frame[12] == 0x86 && frame[13] == 0xdd
  }

  private func set(_ frame: inout [UInt8], at offset: Int, _ octets: [UInt8]) {
    guard offset >= 0, offset + octets.count <= frame.count else { return }
    frame.replaceSubrange(offset..<offset + octets.count, with: octets)
  }

  private mutating func flipBit(_ frame: inout [UInt8]) {
    frame[random.below(frame.count)] ^= 1 << UInt8(random.below(8))
  }

  private mutating func overwriteHeader(_ frame: inout [UInt8]) {
    let position = min(frame.count - 1, 12 + random.below(64))
    frame[position] = UInt8(truncatingIfNeeded: random.next())
  }

  /// The IP header's total or payload length: too small, too large, off by one.
  private mutating func breakLength(_ frame: inout [UInt8]) {
    let offset = isIPv4(frame) ? 16 : isIPv6(frame) ? 18 : 0
    guard offset > 0 else { return }
    let length = UInt16(frame[offset]) << 8 | UInt16(frame[offset + 1])
    set(
      &frame, at: offset,
      RawFrame.be(random.pick([0, 1, 19, 20, length &- 1, length &+ 1, length &- 20, 0xffff]) ?? 0))
  }

  private mutating func breakChecksum(_ frame: inout [UInt8]) {
    if isIPv4(frame), random.chance(2) { return set(&frame, at: 24, random.octets(2)) }
    guard let ends = FrameEnds(frame) else { return }
    let offset = random.pick([2, 6, 16]) ?? 2
    set(&frame, at: ends.transport + offset, random.chance(3) ? [0, 0] : random.octets(2))
  }

  private mutating func addVLAN(_ frame: inout [UInt8]) {
    guard frame.count >= 14 else { return }
    frame.insert(
      contentsOf: [random.chance(2) ? 0x81 : 0x88, 0] + RawFrame.be(UInt16(random.below(4096))), at: 12)
    if frame[12] == 0x88 { frame[13] = 0xa8 }
  }

  private mutating func spoof(_ frame: inout [UInt8]) {
    if isIPv4(frame) { return set(&frame, at: 26, random.octets(4)) }
    if isIPv6(frame) { set(&frame, at: 22, random.octets(16)) }
  }

  /// An IPv6 extension header, or IPv4 options, between the header and what follows it.
  private mutating func addExtension(_ frame: inout [UInt8]) {
    if isIPv6(frame) {
      let next = frame[20]
      let kind: UInt8 = random.pick([0, 43, 44, 51, 60, 135]) ?? 0
      let units = kind == 44 ? 0 : random.below(3)
      var header = [next, UInt8(units)] + random.octets(6 + 8 * units)
      if kind == 44 { set(&header, at: 2, RawFrame.be(random.pick([0, 1, 8, 9, 0x40]) ?? 0)) }
      frame[20] = kind
      frame.insert(contentsOf: header, at: 54)
      let length = UInt16(frame[18]) << 8 | UInt16(frame[19])
      set(&frame, at: 18, RawFrame.be(length &+ UInt16(header.count)))
    } else if isIPv4(frame), frame[14] & 15 < 15 {
      frame[14] += 1
      frame.insert(contentsOf: random.octets(4), at: 34)
    }
  }

  private mutating func changeHeaderLength(_ frame: inout [UInt8]) {
    if isIPv4(frame) {
      frame[14] = (random.chance(3) ? UInt8(random.below(16)) << 4 : 0x40) | UInt8(random.below(16))
    } else if isIPv6(frame) {
      frame[14] = UInt8(truncatingIfNeeded: random.next())
    }
  }
}
