import TestSupport
import Testing
import Wire

/// Random and damaged octets: no parser traps, and what was read is written back as it was.
@Suite struct FuzzTests {
  static func roundTrip<Header: WireHeader>(_: Header.Type, _ octets: [UInt8]) -> Bool {
    guard let header = try? Header(parsing: octets) else { return true }
    guard let written = try? header.octets() else { return false }
    return written == Array(octets.prefix(header.byteCount))
  }

  @Test func everyHeaderIsWrittenAsRead() {
    var random = SplitMix64(seed: 5)
    for round in 0..<20_000 {
      var octets = random.octets(Int.random(in: 0...90, using: &random))
      // Most random octets are refused at once; a plausible first one goes deeper.
      if round % 2 == 0, !octets.isEmpty { octets[0] = [0x45, 0x4f, 0x60, 0x06, 0x00][round / 2 % 5] }
      if round % 4 == 1, octets.count > 12 { octets[12] = 0x50 | octets[12] & 0x5f }
      if round % 7 == 0, octets.count >= 6 { octets.replaceSubrange(0..<6, with: [0, 1, 8, 0, 6, 4]) }
      #expect(Self.roundTrip(EthernetHeader.self, octets))
      #expect(Self.roundTrip(LinuxCookedHeader.self, octets))
      #expect(Self.roundTrip(VLANHeader.self, octets))
      #expect(Self.roundTrip(ARPHeader.self, octets))
      #expect(Self.roundTrip(IPv4Header.self, octets))
      #expect(Self.roundTrip(IPv6Header.self, octets))
      #expect(Self.roundTrip(IPv6OptionsHeader.self, octets))
      #expect(Self.roundTrip(IPv6RoutingHeader.self, octets))
      #expect(Self.roundTrip(IPv6FragmentHeader.self, octets))
      #expect(Self.roundTrip(AuthenticationHeader.self, octets))
      #expect(Self.roundTrip(ICMPv4Header.self, octets))
      #expect(Self.roundTrip(ICMPv6Header.self, octets))
      #expect(Self.roundTrip(NeighborBody.self, octets))
      #expect(Self.roundTrip(RouterSolicitationBody.self, octets))
      #expect(Self.roundTrip(RouterAdvertisementBody.self, octets))
      #expect(Self.roundTrip(TCPHeader.self, octets))
      #expect(Self.roundTrip(UDPHeader.self, octets))
      #expect(Self.roundTrip(PortsHeader.self, octets))
      #expect(Self.roundTrip(SCTPHeader.self, octets))
      #expect(Self.roundTrip(VXLANHeader.self, octets))
      #expect(Self.roundTrip(GeneveHeader.self, octets))
    }
  }

  @Test func optionListsOfAnyOctets() {
    var random = SplitMix64(seed: 6)
    for _ in 0..<20_000 {
      var octets = random.octets(Int.random(in: 0...40, using: &random))
      // Small numbers make lengths plausible.
      for index in octets.indices where random.next() % 2 == 0 { octets[index] &= 7 }
      let lengths = [
        TCPOptions(octets: octets).list.count, IPv4Options(octets: octets).list.count,
        IPv6Options(octets: octets).list.count, NDPOptions(octets: octets).list.count,
        GeneveOptions(octets: octets).list.count,
      ]
      #expect(lengths.allSatisfy { $0 <= octets.count })
      // Without lossy padding, list and octets are inverse to each other.
      #expect(NDPOptions(NDPOptions(octets: octets).list).octets == octets)
      #expect(GeneveOptions(GeneveOptions(octets: octets).list).octets == octets)
      #expect(IPv6Options(IPv6Options(octets: octets).list).octets.starts(with: octets))
    }
  }

  /// A frame of any kind, valid or damaged.
  static func frame(_ random: inout SplitMix64) -> [UInt8] {
    let network: [Layer] = [
      .ipv4(
        IPv4Header(
          source: IPv4Address(10, 0, 0, 1), destination: IPv4Address(10, 0, 0, 2), options: [.routerAlert])),
      .ipv6(IPv6Header(source: pod6, destination: peer6)),
    ]
    let transport: [[Layer]] = [
      [.tcp(TCPHeader(sourcePort: 1, destinationPort: 2, flags: .syn, options: [.maximumSegmentSize(9)]))],
      [.udp(UDPHeader(sourcePort: 1, destinationPort: 8472)), .vxlan(VXLANHeader(vni: 7))] + FrameTests.inner,
      [
        .udp(UDPHeader(sourcePort: 1, destinationPort: 6081)),
        .geneve(GeneveHeader(vni: 7, options: [.option(class: 1, type: 2, data: [3])])),
      ] + FrameTests.inner,
      [.icmpv4(.timeExceeded())] + FrameTests.inner.dropFirst(),
      [.icmpv6(.neighborSolicitation), .neighbor(NeighborBody(target: pod6, options: [.mtu(9)]))],
      [.sctp(SCTPHeader(sourcePort: 1, destinationPort: 2, verificationTag: 3))],
      [
        .ipv6Extension(.hopByHop(IPv6OptionsHeader([.routerAlert(0)]))),
        .udp(UDPHeader(sourcePort: 1, destinationPort: 2)),
      ],
    ]
    let layers =
      [.ethernet(EthernetHeader(destination: server, source: client))]
      + (random.next() % 4 == 0 ? [.vlan(VLANHeader(id: 9))] : [])
      + [network.randomElement(using: &random)!] + transport.randomElement(using: &random)!
    let trailer = random.octets(Int.random(in: 0...3, using: &random))
    let payload = random.octets(Int.random(in: 0...20, using: &random))
    return (try? Frame.build(layers + [.trailer(trailer)], payload: payload)) ?? []
  }

  @Test func everyFrameIsBuiltAsDissected() throws {
    var random = SplitMix64(seed: 7)
    var deepest = 0
    var errors = 0
    for round in 0..<20_000 {
      var octets =
        round % 5 == 0 ? random.octets(Int.random(in: 0...120, using: &random)) : Self.frame(&random)
      if round % 5 > 1, !octets.isEmpty {
        for _ in 0..<round % 5 {
          octets[Int.random(in: octets.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
        if round % 3 == 0 { octets.removeLast(Int.random(in: 0..<octets.count, using: &random)) }
      }
      let first: WireProtocol = [.ethernet, .ipv4, .ipv6, .linuxCooked, .geneve][
        round % 10 == 5 ? round / 10 % 5 : 0]
      let dissection = Frame.dissect(octets, as: first)
      #expect(try Frame.build(dissection.layers, fill: .nothing) == octets)
      var end = 0
      for entry in dissection.entries {
        #expect(entry.range.lowerBound == end)
        end = entry.range.upperBound
        deepest = max(deepest, entry.depth)
      }
      #expect(end == octets.count)
      if dissection.error != nil { errors += 1 }
    }
    // The generator reaches both: tunnels, and frames that do not parse.
    #expect(deepest > 0)
    #expect(errors > 1000)
  }

  @Test func everyDifferenceIsNamed() {
    var random = SplitMix64(seed: 8)
    for _ in 0..<3000 {
      let left = Self.frame(&random)
      var right = left
      let place = Int.random(in: right.indices, using: &random)
      right[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      let differences = FieldDiff.between(left, right)
      #expect(!differences.isEmpty)
      #expect(differences.allSatisfy { $0.left != $0.right })
      #expect(FieldDiff.between(left, left).isEmpty)
      #expect(!FieldDiff.between(left, Array(right.dropLast())).isEmpty)
    }
  }

  @Test func readBackWithComputedFields() throws {
    // Computing again what build computed changes nothing.
    var random = SplitMix64(seed: 9)
    for _ in 0..<3000 {
      let frame = Self.frame(&random)
      #expect(try Frame.build(Frame.dissect(frame).layers) == frame)
    }
  }
}
