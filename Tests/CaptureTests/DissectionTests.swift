import Testing
import Wire

@testable import Capture

@Test func `every link type, outer header, tunnel and content`() throws {
  for frame in TunnelFrame.allKinds() {
    let bytes = frame.bytes()
    guard case .tunnel(let tunnel) = dissect(bytes, frame.link.type) else {
      Issue.record("\(frame): \(dissect(bytes, frame.link.type))")
      continue
    }
    let isOuterIPv6 = frame.outer == .ipv6 || frame.outer == .ipv6Extensions
    #expect(tunnel.tunnel == (frame.port == 6081 ? .geneve : .vxlan))
    #expect(tunnel.vni == frame.vni)
    #expect(tunnel.destinationPort == frame.port && tunnel.sourcePort == 50123)
    #expect(tunnel.source == (isOuterIPv6 ? .v6(TunnelFrame.six(5)) : .v4(TunnelFrame.node1)))
    #expect(tunnel.destination == (isOuterIPv6 ? .v6(TunnelFrame.six(3)) : .v4(TunnelFrame.node2)))
    #expect(tunnel.innerOffset + tunnel.innerLength == bytes.count)
    let inner = try tunnel.inner.get()
    if InnerPacket.hasPorts(inner.transport) {
      #expect(inner.sourcePort == frame.sourcePort && inner.destinationPort == frame.destinationPort)
    }
    let expected: (InnerPacket.Kind, UInt8) =
      switch frame.inner {
      case .tcp4, .taggedTCP4: (.ipv4, 6)
      case .udp4: (.ipv4, 17)
      case .icmp4: (.ipv4, 1)
      case .sctp4: (.ipv4, 132)
      case .tcp6: (.ipv6, 6)
      case .udp6: (.ipv6, 17)
      case .icmp6: (.ipv6, 58)
      case .arp: (.arp, 0)
      case .lldp: (.other(0x88cc), 0)
      }
    #expect(inner.kind == expected.0 && inner.transport == expected.1)
    let source: InnerPacket.Address =
      frame.inner == .lldp
      ? .mac(MACAddress("0a:00:00:00:00:01")!)
      : frame.isIPv6Inside ? .ip(.v6(TunnelFrame.six(0x60))) : .ip(.v4(frame.client))
    #expect(inner.source == source)
    if inner.transport == 6 { #expect(inner.tcpFlags == 0x12) }
  }
}

@Test func `direct server return: Geneve option, IPv4 option, IPv6 option`() throws {
  let address: [UInt8] = [10, 96, 0, 1]
  var geneve = TunnelFrame(port: 6081)
  geneve.geneveOptions = [0x01, 0x4b, 0x81, 2] + address + [0x1f, 0x90, 0, 0]
  guard case .tunnel(let tunnel) = dissect(geneve.bytes()) else { return #expect(Bool(false)) }
  #expect(
    tunnel.dsr == DSROption(carrier: .geneve, address: IPAddress("10.96.0.1")!, port: 8080))
  // Cilium writes both fields least octet first.
  var option = TunnelFrame()
  option.innerOptions = [0x9a, 8, 0x90, 0x1f, 1, 0, 96, 10]
  guard case .tunnel(let inside) = dissect(option.bytes()) else { return #expect(Bool(false)) }
  #expect(
    try inside.inner.get().dsr == DSROption(carrier: .ipv4, address: IPAddress("10.96.0.1")!, port: 8080))
  // Native routing: no tunnel at all.
  let native = Array(option.bytes()[50...])
  #expect(dissect(native) == .plain(DSROption(carrier: .ipv4, address: IPAddress("10.96.0.1")!, port: 8080)))
  let service = IPv6Address("fd00::1")!
  let extensionHeader: [UInt8] = [6, 2, 0x1b, 20] + service.octets + [0x1f, 0x90, 0, 0]
  var packet: [UInt8] = [0x60, 0, 0, 0, 0, UInt8(extensionHeader.count + 20), 60, 64]
  packet += TunnelFrame.six(1).octets + TunnelFrame.six(2).octets + extensionHeader
  packet += [UInt8](repeating: 0, count: 20)
  #expect(dissect(packet, .ipv6) == .plain(DSROption(carrier: .ipv6, address: .v6(service), port: 8080)))
}

@Test func `fragments, opaque tunnels and other traffic`() throws {
  var frame = TunnelFrame(payload: 100)
  frame.outerFragment = 0x2000
  guard case .tunnel(let first) = dissect(frame.bytes()) else { return #expect(Bool(false)) }
  #expect(first.vni == 62651 && first.innerLength == frame.bytes().count - 50)
  // A first fragment states more than it holds.
  let whole = frame.bytes()
  var cut = Array(whole[..<(whole.count - 60)])
  cut.replaceSubrange(16..<18, with: [0, UInt8(cut.count - 14)])
  guard case .tunnel(let partial) = dissect(cut) else { return #expect(Bool(false)) }
  #expect(partial.innerLength == first.innerLength)
  frame.outerFragment = 0x0010
  #expect(dissect(frame.bytes()) == .laterFragment)
  frame.outerFragment = 0
  frame.port = 51871
  #expect(dissect(frame.bytes()) == .wireguard)
  frame.port = 53
  #expect(dissect(frame.bytes()) == .plain(nil))
  var esp = frame.bytes()
  esp[23] = 50
  #expect(dissect(esp) == .ipsec)
  #expect(dissect(esp, LinkType(rawValue: 105)) == .unknownLinkType)
  let other = DecodingPorts(vxlan: [53], geneve: [])
  guard case .tunnel(let custom) = dissect(frame.bytes(), ports: other) else { return #expect(Bool(false)) }
  #expect(custom.vni == 62651)
}

/// A change to a good frame, and what is wrong with it then.
private let broken: [(String, @Sendable (inout [UInt8]) -> Void, Int, Fault.Reason)] = [
  ("version", { $0[14] = 0x55 }, 14, .version(.ipv4, 5)),
  ("header length", { $0[14] = 0x44 }, 14, .headerLength(.ipv4, 16)),
  ("total length", { $0[16] = 0xff }, 16, .length(.ipv4, 0xff00 + 104 - 14)),
  ("total length below the header", { $0.replaceSubrange(16..<18, with: [0, 19]) }, 16, .length(.ipv4, 19)),
  ("UDP length", { $0[38] = 0xff }, 38, .length(.udp, 0xff00 + 70)),
  ("UDP length 7", { $0.replaceSubrange(38..<40, with: [0, 7]) }, 38, .length(.udp, 7)),
  ("flags", { $0[42] = 0x40 }, 42, .noVNI(0x40)),
  ("UDP without room", { $0.replaceSubrange(38..<40, with: [0, 9]) }, 43, .short(.vxlan)),
]

@Test func `malformed outer headers are told with their offset`() {
  for (name, change, offset, reason) in broken {
    var bytes = TunnelFrame().bytes()
    change(&bytes)
    #expect(
      dissect(bytes) == .broken(Fault(kind: .malformed, offset: offset, reason: reason)), "\(name)")
  }
  var geneve = TunnelFrame(port: 6081, geneveOptions: [1, 2, 3, 1, 0, 0, 0, 0]).bytes()
  geneve[42] = 0x3f
  #expect(
    dissect(geneve) == .broken(Fault(kind: .malformed, offset: geneve.count, reason: .short(.geneve))))
  geneve[42] = 2
  geneve[53] = 31
  #expect(
    dissect(geneve) == .broken(Fault(kind: .malformed, offset: 53, reason: .optionLength(.geneve, 128))))
}

@Test func `malformed inner packets keep their identity`() {
  let changes: [(Int, [UInt8], Fault.Reason, Int)] = [
    (64, [0x65], .version(.ipv4, 6), 64), (64, [0x43], .headerLength(.ipv4, 12), 64),
    (66, [9, 9], .length(.ipv4, 0x909), 66), (96, [0x40], .headerLength(.tcp, 16), 96),
    (96, [0xf0], .headerLength(.tcp, 60), 96),
  ]
  for (offset, octets, reason, at) in changes {
    var bytes = TunnelFrame().bytes()
    bytes.replaceSubrange(offset..<(offset + octets.count), with: octets)
    guard case .tunnel(let tunnel) = dissect(bytes) else { return #expect(Bool(false)) }
    #expect(tunnel.vni == 62651)
    #expect(tunnel.inner == .failure(Fault(kind: .malformed, offset: at, reason: reason)))
  }
}

@Test func `a snap length is no fault of the packet`() {
  let bytes = TunnelFrame().bytes()
  for length in 0..<bytes.count {
    switch dissect(Array(bytes[..<length]), original: bytes.count) {
    case .broken(let fault):
      #expect(fault.kind == .truncated)
      #expect(length < 50)
    case .tunnel(let tunnel):
      #expect(tunnel.vni == 62651 && tunnel.innerLength == bytes.count - 50)
      if case .failure(let fault) = tunnel.inner { #expect(fault.kind == .truncated) }
      #expect((try? tunnel.inner.get()) != nil || length < 88)
    default: Issue.record("cut at \(length)")
    }
  }
}
