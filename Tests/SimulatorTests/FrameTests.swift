import Datapath
import TestSupport
import Testing
import Wire

@testable import Simulator

struct FrameTests {
  static func packet(_ body: Packet.Body, isIPv6: Bool = false) -> Packet {
    isIPv6
      ? Packet(from: .v6(IPv6Address("fd00::1")!), to: .v6(IPv6Address("fd00::2")!), body)
      : Packet(from: .v4(IPv4Address(bits: 0x0a00_0001)), to: .v4(IPv4Address(bits: 0x0a00_0002)), body)
  }

  @Test("A hop takes one off the TTL and keeps the header's checksum right", arguments: [false, true])
  func ttl(_ isIPv6: Bool) throws {
    let packet = Self.packet(.udp(source: 1, destination: 2, [1, 2, 3]), isIPv6: isIPv6)
    var frame = try #require(packet.frame(from: MACAddress(bits: 1), to: MACAddress(bits: 2)))
    for ttl in stride(from: UInt8(63), through: 1, by: -1) {
      #expect(FrameEdit.decrementTTL(&frame))
      let read = try #require(Packet(frame: frame))
      #expect(read.ttl == ttl)
      // The dissector checks what it reads; a wrong checksum would show as an error.
      #expect(Frame.dissect(frame).error == nil)
      if !isIPv6 { #expect(Self.headerSum(frame) == 0xffff) }
    }
    #expect(!FrameEdit.decrementTTL(&frame))
  }

  private static func headerSum(_ frame: [UInt8]) -> UInt32 {
    var sum: UInt32 = 0
    for index in stride(from: 14, to: 34, by: 2) {
      sum += UInt32(frame[index]) << 8 | UInt32(frame[index + 1])
    }
    while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
    return sum
  }

  @Test("What a tunnel wraps, it unwraps; the outer headers cost 50 octets", arguments: [false, true])
  func tunnel(_ isGeneve: Bool) throws {
    let inner = try #require(
      Self.packet(.udp(source: 1, destination: 2, [])).frame(
        from: MACAddress(bits: 1), to: MACAddress(bits: 2)))
    let remote = IPAddress.v4(IPv4Address(bits: 0xac12_0003))
    let source = IPAddress.v4(IPv4Address(bits: 0xac12_0002))
    let tunnel = NodeSpec.Tunnel(encapsulation: isGeneve ? .geneve : .vxlan, port: isGeneve ? 6081 : 8472)
    let key = TunnelKey(id: 62651, remote: remote, tos: 0, ttl: 0, options: [])
    let outer = try #require(
      Tunnel.encapsulate(inner, key: key, tunnel: tunnel, from: source, identification: 7))
    #expect(outer.count == inner.count + 50)
    // Geneve: version 0, no options, protocol type Ethernet; VXLAN: the I flag alone.
    #expect(Array(outer[42..<46]) == (isGeneve ? [0, 0, 0x65, 0x58] : [8, 0, 0, 0]))
    #expect(Array(outer[46..<50]) == [0, 0xf4, 0xbb, 0])
    #expect(Array(outer[40..<42]) == [0, 0], "no UDP checksum")
    let back = try #require(Tunnel.decapsulate(outer))
    #expect(back.frame == inner)
    #expect(back.key.id == 62651)
    #expect(back.key.remote == source)
  }

  @Test("A tunnel's source port is of the kernel's local range, and one for all packets of a flow")
  func sourcePort() throws {
    var ports: Set<UInt16> = []
    for port in UInt16(1)...200 {
      let frame = try #require(
        Self.packet(.udp(source: port, destination: 2, [])).frame(
          from: MACAddress(bits: 1), to: MACAddress(bits: 2)))
      let more = try #require(
        Self.packet(.udp(source: port, destination: 2, [9])).frame(
          from: MACAddress(bits: 1), to: MACAddress(bits: 2)))
      #expect(Tunnel.sourcePort(frame) == Tunnel.sourcePort(more))
      #expect((32768..<60999).contains(Tunnel.sourcePort(frame)))
      ports.insert(Tunnel.sourcePort(frame))
    }
    #expect(ports.count > 150)
  }

  @Test("Truncated and mutated frames are passed over, whatever reads them")
  func hostile() throws {
    var random = SplitMix64(seed: 3)
    let whole = try #require(
      Self.packet(.tcp(TCPHeader(sourcePort: 1, destinationPort: 2, flags: .syn), []))
        .frame(from: MACAddress(bits: 1), to: MACAddress(bits: 2)))
    for length in 0...whole.count {
      for _ in 0..<50 {
        var frame = Array(whole.prefix(length))
        if !frame.isEmpty {
          frame[Int(random.next() % UInt64(length))] = UInt8(truncatingIfNeeded: random.next())
        }
        _ = Packet(frame: frame)
        _ = FrameEdit.addresses(frame)
        _ = FrameEdit.flowHash(frame)
        _ = Tunnel.decapsulate(frame)
        _ = FrameEdit.decrementTTL(&frame)
      }
    }
  }
}
