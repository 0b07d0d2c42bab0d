import TestSupport
import Testing
import Wire

@Suite struct FieldDiffTests {
  let frame: [UInt8]

  init() throws {
    frame = try Frame.build(FrameTests.outer + FrameTests.inner, payload: Array("hello, world".utf8))
  }

  func differences(_ changes: [Int: UInt8]) -> [String] {
    var other = frame
    for (place, value) in changes { other[place] = value }
    return FieldDiff.between(frame, other).map(\.description)
  }

  @Test func fieldsByName() {
    #expect(differences([:]).isEmpty)
    #expect(differences([22: 63]) == ["ipv4.ttl: 64 vs 63"])
    #expect(differences([0: 2]) == ["ethernet.dst: 0a:58:0a:f4:02:14 vs 02:58:0a:f4:02:14"])
    #expect(differences([48: 0xbc]) == ["vxlan.vni: 62651 vs 62652"])
    #expect(
      differences([50 + 22: 63, 50 + 37: 81]) == ["inner.ipv4.ttl: 64 vs 63", "inner.tcp.dport: 80 vs 81"])
    #expect(differences([50 + 47: 0x12]) == ["inner.tcp.flags: SYN vs SYN, ACK"])
    #expect(
      differences([50 + 57: 0xb5]) == ["inner.tcp.options: mss 1460, sackOK, end vs mss 1461, sackOK, end"])
  }

  @Test func octetsOfWhatIsNoField() {
    // Behind the end of TCP's option list, and in the payload: near ones are one range, far ones two.
    #expect(differences([50 + 61: 1]) == ["inner.tcp[27..<28]: 00 vs 01"])
    let start = frame.count - 12
    #expect(
      differences([start: 0x48, start + 2: 0x4c, start + 11: 0x21]) == [
        "inner.payload[0..<3]: 68 65 6c vs 48 65 4c", "inner.payload[11..<12]: 64 vs 21",
      ])
  }

  @Test func lengthAndLayers() throws {
    let shorter = Array(frame.dropLast(2))
    #expect(
      FieldDiff.between(frame, shorter).map(\.description) == [
        "frame.length: 124 vs 122", "inner.payload.length: 12 vs 10",
      ])
    let bare = Array(frame[50...])
    #expect(
      FieldDiff.between(frame, bare).map(\.path)
        == [
          "frame.length", "ethernet.dst", "ipv4.totalLength", "ipv4.protocol", "ipv4.checksum", "ipv4.src",
          "ipv4.dst",
          "layers",
        ].filter { $0 != "ethernet.dst" })
    #expect(
      FieldDiff.between(frame, bare).last?.description
        == "layers: ethernet / ipv4 / udp / vxlan / inner.ethernet / inner.ipv4 / inner.tcp / inner.payload"
        + " vs ethernet / ipv4 / tcp / payload")
    // Another protocol at equal length: the layers, then the octets from where they part.
    #expect(differences([23: 6]).first == "ipv4.protocol: udp vs tcp")
    #expect(differences([23: 6]).dropFirst().first?.hasPrefix("layers: ") == true)
    #expect(differences([23: 6, 40: 9]).last == "frame[40..<41]: 00 vs 09")
  }

  @Test func everyHeaderHasNamedFields() throws {
    // One layer of each kind; its fields all have a name of their own and a value.
    let layers: [Layer] = [
      .ethernet(EthernetHeader(destination: server, source: client)),
      .linuxCooked(LinuxCookedHeader(interfaceIndex: 1)), .vlan(VLANHeader(id: 1)),
      .arp(ARPHeader(operation: .request, senderMAC: client, sender: .unspecified, target: .unspecified)),
      .ipv4(IPv4Header(source: .unspecified, destination: .unspecified)),
      .ipv6(IPv6Header(source: pod6, destination: peer6)),
      .ipv6Extension(.hopByHop(IPv6OptionsHeader([]))),
      .ipv6Extension(.destinationOptions(IPv6OptionsHeader([]))),
      .ipv6Extension(.routing(IPv6RoutingHeader(type: 4, segmentsLeft: 0, data: [0, 0, 0, 0]))),
      .ipv6Extension(
        .fragment(IPv6FragmentHeader(fragmentOffset: 0, moreFragments: true, identification: 1))),
      .ipv6Extension(.authentication(AuthenticationHeader(spi: 1, sequence: 1, integrityCheckValue: []))),
      .icmpv4(.timeExceeded()), .icmpv4(.echoReply(identifier: 1, sequence: 2)),
      .icmpv6(.packetTooBig(mtu: 1280)),
      .neighbor(NeighborBody(target: pod6)), .routerSolicitation(RouterSolicitationBody()),
      .routerAdvertisement(RouterAdvertisementBody()),
      .tcp(TCPHeader(sourcePort: 1, destinationPort: 2, flags: [])),
      .udp(UDPHeader(sourcePort: 1, destinationPort: 2)),
      .ports(PortsHeader(sourcePort: 1, destinationPort: 2)),
      .sctp(SCTPHeader(sourcePort: 1, destinationPort: 2, verificationTag: 3)), .vxlan(VXLANHeader(vni: 1)),
      .geneve(GeneveHeader(vni: 1)),
    ]
    for layer in layers {
      #expect(!layer.fields.isEmpty, "\(layer.name)")
      #expect(Set(layer.fields.map(\.name)).count == layer.fields.count, "\(layer.name)")
      #expect(layer.fields.allSatisfy { !$0.value.isEmpty }, "\(layer.name)")
    }
    #expect(Set(layers.map(\.name)).count == WireProtocol.allCases.count - 2)
  }
}
