import Wire

/// What a decoder found: identities, and flows that are built when they are asked for.
public struct DecodeReport: ~Copyable {
  public let files: [String]
  public let counts: PacketCounts
  public internal(set) var diagnostics: [Diagnostic]
  /// Most packets first, then by number.
  public let identities: [IdentityCount]

  private let decoder: Decoder
  private let pairing: Pairing

  /// One VNI: what its sender's identity sent.
  public struct IdentityCount: Hashable, Sendable {
    public var vni: UInt32
    public var packets: UInt64
    /// Lengths of the inner frames on the wire.
    public var bytes: UInt64
    /// From which node to which, in the order of their first packet.
    public var paths: [Path]
  }

  /// The two ends of a tunnel.
  public struct Path: Hashable, Sendable {
    public var source: IPAddress
    public var destination: IPAddress
  }

  /// One direction of a conversation.
  public struct Flow: Hashable, Sendable {
    public var tunnel: TunnelProtocol
    public var outer: Path
    public var vni: UInt32
    public var kind: InnerPacket.Kind
    public var source: InnerPacket.Address
    public var destination: InnerPacket.Address
    /// The IP protocol number; 0 where there is none.
    public var transport: UInt8
    /// 0 where the protocol has no ports.
    public var sourcePort: UInt16
    public var destinationPort: UInt16
    public var packets: UInt64
    public var bytes: UInt64
    /// Nanoseconds since the epoch, of the first and the last packet by their time stamps.
    public var first: UInt64
    public var last: UInt64
    /// The service that a direct-server-return option named.
    public var dsr: DSROption?

    /// Whether source and destination port mean anything.
    public var hasPorts: Bool { InnerPacket.hasPorts(transport) }
  }

  init(_ decoder: consuming Decoder) {
    var decoder = decoder
    decoder.flows.close()
    files = decoder.files
    counts = decoder.counts
    diagnostics = decoder.diagnostics
    pairing = Pairing(decoder.flows, decoder.tunnels)
    identities = Self.identities(decoder)
    self.decoder = decoder
  }

  public var flowCount: Int { decoder.flows.count }

  /// The flow's other direction, if the capture has it.
  public func reverse(of number: Int) -> Int? { pairing.partner(of: number) }

  /// The VNI of a flow, without building the rest of it.
  func vni(of number: Int) -> UInt32 {
    UInt32(truncatingIfNeeded: decoder.tunnels[decoder.flows[number].tunnel].key & 0xff_ffff)
  }

  /// A flow by its number, 0..<`flowCount`, in the order of their first packet.
  public func flow(_ number: Int) -> Flow {
    let entry = decoder.flows[number]
    let tunnel = decoder.tunnel(entry.tunnel)
    let key = entry.key
    let kind: InnerPacket.Kind
    switch key.kind & FlowKey.Kind.mask {
    case FlowKey.Kind.ipv4: kind = .ipv4
    case FlowKey.Kind.ipv6: kind = .ipv6
    case FlowKey.Kind.arp: kind = .arp
    default: kind = .other(UInt16(truncatingIfNeeded: key.ports >> 32))
    }
    let isOther = key.kind & FlowKey.Kind.mask == FlowKey.Kind.other
    return Flow(
      tunnel: tunnel.encapsulation, outer: tunnel.path, vni: tunnel.vni, kind: kind,
      source: address(key, UInt32(key.ends >> 32)),
      destination: address(key, UInt32(truncatingIfNeeded: key.ends)),
      transport: UInt8(key.kind & 0xff), sourcePort: UInt16(key.ports >> 48),
      destinationPort: isOther ? 0 : UInt16(truncatingIfNeeded: key.ports >> 32),
      packets: entry.packets, bytes: entry.bytes, first: entry.first, last: entry.last,
      dsr: decoder.services.isEmpty ? nil : decoder.services[key])
  }

  private func address(_ key: FlowKey, _ number: UInt32) -> InnerPacket.Address {
    switch key.kind & FlowKey.Kind.mask {
    case FlowKey.Kind.ipv6: .ip(.v6(decoder.addresses.ipv6(number)))
    case FlowKey.Kind.other: .mac(decoder.addresses.mac(number))
    default: .ip(.v4(IPv4Address(bits: number)))
    }
  }

  private static func identities(_ decoder: borrowing Decoder) -> [IdentityCount] {
    // By VNI, and the tunnels of one in the order of their first packet. No dictionary: see `PeerList`.
    var order: [UInt64] = []
    order.reserveCapacity(decoder.tunnels.count)
    for number in 0..<decoder.tunnels.count {
      order.append((decoder.tunnels[number].key & 0xff_ffff) << 32 | UInt64(number))
    }
    order.sort()
    var identities: [IdentityCount] = []
    for item in order {
      let number = Int(item & 0xffff_ffff)
      let vni = UInt32(item >> 32)
      if identities.last?.vni != vni {
        identities.append(IdentityCount(vni: vni, packets: 0, bytes: 0, paths: []))
      }
      let place = identities.count - 1
      identities[place].packets &+= decoder.tunnels[number].packets
      identities[place].bytes &+= decoder.tunnels[number].bytes
      // VXLAN and Geneve between the same nodes are one path; there are few, so looking through them is cheap.
      let path = decoder.tunnel(number).path
      if identities[place].paths.count > 64 || !identities[place].paths.contains(path) {
        identities[place].paths.append(path)
      }
    }
    return identities.sorted { ($1.packets, $0.vni) < ($0.packets, $1.vni) }
  }
}

extension Decoder {
  struct Tunnel {
    var encapsulation: TunnelProtocol
    var vni: UInt32
    var path: DecodeReport.Path
  }

  /// A tunnel by its number, 0..<`tunnels.count`.
  func tunnel(_ number: Int) -> Tunnel {
    let entry = tunnels[number]
    let (source, destination) = (UInt32(entry.ends >> 32), UInt32(truncatingIfNeeded: entry.ends))
    let path: DecodeReport.Path
    if entry.key & TunnelTable.ipv6 != 0 {
      path = DecodeReport.Path(
        source: .v6(addresses.ipv6(source)), destination: .v6(addresses.ipv6(destination)))
    } else {
      path = DecodeReport.Path(
        source: .v4(IPv4Address(bits: source)), destination: .v4(IPv4Address(bits: destination)))
    }
    return Tunnel(
      encapsulation: entry.key & TunnelTable.geneve != 0 ? .geneve : .vxlan,
      vni: UInt32(entry.key & 0xff_ffff),
      path: path)
  }

  /// Ends the counting.
  public consuming func report() -> DecodeReport { DecodeReport(self) }
}
