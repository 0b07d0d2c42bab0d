import TestSupport
import Testing
import Wire

@Suite struct ChecksumTests {
  /// RFC 1071 as it is written: word after word, the carry added at once.
  static func reference(_ octets: [UInt8]) -> UInt16 {
    var sum: UInt32 = 0
    var index = 0
    while index < octets.count {
      sum += UInt32(octets[index]) << 8 | (index + 1 < octets.count ? UInt32(octets[index + 1]) : 0)
      if sum > 0xffff { sum -= 0xffff }
      index += 2
    }
    return UInt16(sum)
  }

  @Test func exampleOfRFC1071() {
    #expect(Checksum(hex("00 01 f2 03 f4 f5 f6 f7")).folded == 0xddf2)
    #expect(Checksum([]).complement == 0xffff)
    #expect(Checksum([0x12]).folded == 0x1200)
  }

  @Test func everyLengthAgreesWithTheReference() {
    var random = SplitMix64(seed: 1)
    for length in 0..<200 {
      let octets = random.octets(length)
      let start = length / 3
      #expect(Checksum(octets).folded == Self.reference(octets))
      let part = Array(octets[start...])
      #expect(Checksum(octets.span.bytes.dropping(start)).folded == Self.reference(part))
      // In two pieces, the first of even length.
      let cut = start & ~1
      var sum = Checksum(octets.span.bytes.window(0..<cut))
      sum.add(octets.span.bytes.dropping(cut))
      #expect(sum.folded == Self.reference(octets))
    }
    #expect(Checksum([UInt8](repeating: 0xff, count: 65535)).folded == 0xff00)
  }

  @Test func incrementalEqualsRecomputed() {
    var random = SplitMix64(seed: 2)
    for _ in 0..<2000 {
      var octets = random.octets(40)
      let before = Checksum(octets).complement
      let (old16, new16) = (octets.load(UInt16.self, at: 6)!, UInt16.random(in: 0 ... .max, using: &random))
      octets.store(new16, at: 6)
      let middle = Checksum(octets).complement
      #expect(Checksum.update(before, from: old16, to: new16) == middle)

      let (old32, new32) = (octets.load(UInt32.self, at: 12)!, UInt32.random(in: 0 ... .max, using: &random))
      octets.store(new32, at: 12)
      let after = Checksum(octets).complement
      #expect(Checksum.update(middle, from: IPv4Address(bits: old32), to: IPv4Address(bits: new32)) == after)

      let old = IPv6Address(octets: octets[16..<32])!
      let new = IPv6Address(octets: random.octets(16))!
      octets.replaceSubrange(16..<32, with: new.octets)
      #expect(Checksum.update(after, from: old, to: new) == Checksum(octets).complement)
    }
  }

  @Test func exampleOfRFC1624() {
    // Section 4: the older equation 2 gives 0xffff here.
    #expect(Checksum.update(0xdd2f, from: UInt16(0x5555), to: UInt16(0x3285)) == 0x0000)
  }

  @Test func pseudoHeaders() {
    let sum4 = Checksum.pseudoHeader(
      source: IPv4Address(192, 168, 0, 1), destination: IPv4Address(192, 168, 0, 199), protocol: .udp,
      length: 95)
    #expect(sum4.folded == Self.reference(hex("c0 a8 00 01 c0 a8 00 c7 00 11 00 5f")))
    let sum6 = Checksum.pseudoHeader(source: pod6, destination: peer6, protocol: .icmpv6, length: 0x1_2345)
    #expect(sum6.folded == Self.reference(pod6.octets + peer6.octets + hex("00 01 23 45 00 00 00 3a")))
  }

  @Test func partialChecksumIsCompletedByTheSum() throws {
    let layers: [Layer] = Array(FrameTests.inner.dropFirst())
    let complete = try Frame.build(layers, payload: [1, 2, 3])
    let partial = try Frame.build(layers, payload: [1, 2, 3], fill: [.all, .partial])
    let place = 20 + TCPHeader.Offset.checksum
    #expect(Array(complete[..<place]) == Array(partial[..<place]))
    let pseudo = Checksum.pseudoHeader(
      source: IPv4Address(10, 244, 1, 10), destination: IPv4Address(10, 244, 2, 20), protocol: .tcp,
      length: partial.count - 20)
    #expect(partial.load(UInt16.self, at: place) == pseudo.folded)
    // What the device does: sum from the transport header on, the field included.
    #expect(Checksum(partial.span.bytes.dropping(20)).complement == complete.load(UInt16.self, at: place))

    let moved = Checksum.updatePartial(
      pseudo.folded, from: IPv4Address(10, 244, 2, 20), to: IPv4Address(10, 96, 0, 1))
    let expected = Checksum.pseudoHeader(
      source: IPv4Address(10, 244, 1, 10), destination: IPv4Address(10, 96, 0, 1), protocol: .tcp,
      length: partial.count - 20)
    #expect(moved == expected.folded)
    let moved6 = Checksum.updatePartial(
      Checksum.pseudoHeader(source: pod6, destination: pod6, protocol: .tcp, length: 20).folded, from: pod6,
      to: peer6)
    #expect(
      moved6 == Checksum.pseudoHeader(source: pod6, destination: peer6, protocol: .tcp, length: 20).folded)
  }

  @Test func udpNeverSendsAZeroThatWasComputed() {
    #expect(Checksum([0xff, 0xff]).complement == 0)
    #expect(Checksum([0xff, 0xff]).udpComplement == 0xffff)
    #expect(Checksum([0x12, 0x34]).udpComplement == 0xedcb)
  }

  @Test func crc32c() {
    #expect(CRC32C.of(Array("123456789".utf8).span.bytes) == 0xe306_9283)
    // RFC 3720, appendix B.4.
    #expect(CRC32C.of([UInt8](repeating: 0, count: 32).span.bytes) == 0x8a91_36aa)
    #expect(CRC32C.of([UInt8](repeating: 0xff, count: 32).span.bytes) == 0x62a8_ab43)
    #expect(CRC32C.of([UInt8](0..<32).span.bytes) == 0x46dd_794e)
  }
}
