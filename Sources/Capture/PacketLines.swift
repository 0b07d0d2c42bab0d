import Wire

/// Prints one line per tunnel packet, in the manner of `hubble observe -o compact`.
///
///     Feb 26 10:28:14.453: 10.244.1.6:52542 (ID:62651) -> 10.244.3.193:80 vxlan 172.18.0.5 > 172.18.0.3 (TCP Flags: SYN)
///
/// A packet says its sender's identity only; the receiver's is shown once a packet of its own was seen.
public struct PacketLines: ~Copyable {
  public enum Format: String, Sendable {
    case text, json, csv
  }

  public var output: TextOutput
  private let format: Format
  private let names: ReportNames
  private var learned: [InnerPacket.Address: UInt32] = [:]
  private var printed: UInt64 = 0

  /// Addresses whose identity is remembered.
  private static let rememberedAddresses = 1 << 16

  public init(output: consuming TextOutput, format: Format, names: ReportNames) {
    self.output = output
    self.format = format
    self.names = names
  }

  /// What stands before the first packet.
  public mutating func begin(files: [String]) {
    switch format {
    case .text: break
    case .csv:
      output.put("time,tunnel,outer_src,outer_dst,vni,name,src,dst,protocol,sport,dport,bytes,summary\n")
    case .json:
      DecodeReport.writeJSONHead(files, to: &output)
      output.put("\"list\":[")
    }
  }

  /// What stands after the last one.
  public mutating func end(_ report: borrowing DecodeReport) {
    if format == .json {
      output.put("],")
      report.writeJSONTail(to: &output, names: names)
    }
    output.flush()
  }

  public mutating func put(_ packet: CapturedPacket, _ tunnel: TunnelPacket) {
    if case .success(let inner) = tunnel.inner, learned.count < Self.rememberedAddresses {
      learned[inner.source] = tunnel.vni
    }
    switch format {
    case .text: putText(packet, tunnel)
    case .json: putJSON(packet, tunnel)
    case .csv: putCSV(packet, tunnel)
    }
    printed += 1
  }

  /// A packet outside any tunnel that carries a direct-server-return option.
  public mutating func put(_ packet: CapturedPacket, dsr: DSROption) {
    guard format == .text else { return }
    output.put(stamp: packet.time)
    output.put(": not tunnelled")
    putDSR(dsr)
    output.put("\n")
  }

  private mutating func putDSR(_ option: DSROption) {
    output.put(", DSR for ")
    output.put(.ip(option.address), port: option.port)
    switch option.carrier {
    case .geneve: output.put(" (Geneve option)")
    case .ipv4: output.put(" (IPv4 option)")
    case .ipv6: output.put(" (IPv6 option)")
    }
  }

  private mutating func putIdentity(_ identity: UInt32) {
    if let reserved = IdentityNames.reserved(identity) {
      output.put(" (")
      output.put(text: reserved)
    } else {
      output.put(" (ID:")
      output.put(UInt64(identity))
      if let name = names.identities.shortName(identity) {
        output.put(" ")
        output.put(escaped: name)
      }
    }
    output.put(")")
  }

  private mutating func putText(_ packet: CapturedPacket, _ tunnel: TunnelPacket) {
    output.put(stamp: packet.time)
    output.put(": ")
    switch tunnel.inner {
    case .success(let inner):
      let hasPorts = InnerPacket.hasPorts(inner.transport) && inner.fragment != .later
      output.put(inner.source, port: hasPorts ? inner.sourcePort : nil, names.endpoints)
      putIdentity(tunnel.vni)
      output.put(" -> ")
      output.put(inner.destination, port: hasPorts ? inner.destinationPort : nil, names.endpoints)
      if let identity = learned[inner.destination] { putIdentity(identity) }
    case .failure:
      output.put("unreadable")
      putIdentity(tunnel.vni)
    }
    output.put(tunnel.tunnel == .vxlan ? " vxlan " : " geneve ")
    output.put(tunnel.source)
    output.put(" > ")
    output.put(tunnel.destination)
    output.put(" (")
    putSummary(tunnel)
    output.put(")")
    if let option = tunnel.dsr ?? (try? tunnel.inner.get())?.dsr { putDSR(option) }
    output.put("\n")
  }

  private mutating func putSummary(_ tunnel: TunnelPacket) {
    switch tunnel.inner {
    case .failure(let fault): output.put(text: "\(fault.reason)")
    case .success(let inner):
      if inner.fragment == .later { return output.put("later fragment") }
      switch (inner.kind, inner.transport) {
      case (.arp, _): output.put(inner.message?.type == 1 ? "ARP request" : "ARP reply")
      case (.ipv4, IPProtocol.tcp), (.ipv6, IPProtocol.tcp):
        output.put("TCP Flags: ")
        if let flags = inner.tcpFlags { output.put(tcpFlags: flags) } else { output.put("cut") }
      default:
        inner.kind.put(inner.transport, to: &output)
        if let message = inner.message {
          output.put(" ")
          putMessage(message, isIPv4: inner.kind == .ipv4)
        }
      }
    }
  }

  private mutating func putMessage(_ message: (type: UInt8, code: UInt8), isIPv4: Bool) {
    let known: [(UInt8, Bool, StaticString)] = [
      (0, true, "EchoReply"), (8, true, "EchoRequest"), (3, true, "DestinationUnreachable"),
      (11, true, "TimeExceeded"), (128, false, "EchoRequest"), (129, false, "EchoReply"),
      (1, false, "DestinationUnreachable"), (2, false, "PacketTooBig"), (3, false, "TimeExceeded"),
      (133, false, "RouterSolicitation"), (134, false, "RouterAdvertisement"),
      (135, false, "NeighborSolicitation"), (136, false, "NeighborAdvertisement"),
    ]
    if let name = known.first(where: { $0.0 == message.type && $0.1 == isIPv4 }) {
      output.put(name.2)
    } else {
      output.put("type ")
      output.put(UInt64(message.type))
    }
    if message.code != 0 {
      output.put(" code ")
      output.put(UInt64(message.code))
    }
  }

  private mutating func putJSON(_ packet: CapturedPacket, _ tunnel: TunnelPacket) {
    output.put(printed > 0 ? ",\n{\"time\":\"" : "\n{\"time\":\"")
    output.put(packet.time)
    output.put(tunnel.tunnel == .vxlan ? "\",\"tunnel\":\"vxlan\"" : "\",\"tunnel\":\"geneve\"")
    output.put(",\"outer\":{\"src\":")
    output.quoted { $0.put(tunnel.source) }
    output.put(",\"dst\":")
    output.quoted { $0.put(tunnel.destination) }
    output.put("},\"vni\":")
    output.put(UInt64(tunnel.vni))
    output.put(",\"inner\":")
    if case .success(let inner) = tunnel.inner {
      let hasPorts = InnerPacket.hasPorts(inner.transport)
      output.put("{\"src\":")
      output.quoted { $0.put(inner.source) }
      output.put(",\"dst\":")
      output.quoted { $0.put(inner.destination) }
      output.put(",\"protocol\":")
      output.quoted { inner.kind.put(inner.transport, to: &$0) }
      output.put(",\"sport\":")
      if hasPorts { output.put(UInt64(inner.sourcePort)) } else { output.put("null") }
      output.put(",\"dport\":")
      if hasPorts { output.put(UInt64(inner.destinationPort)) } else { output.put("null") }
      output.put("}")
    } else {
      output.put("null")
    }
    output.put(",\"bytes\":")
    output.put(UInt64(tunnel.innerLength))
    output.put(",\"summary\":\"")
    putSummary(tunnel)
    output.put("\"}")
  }

  private mutating func putCSV(_ packet: CapturedPacket, _ tunnel: TunnelPacket) {
    output.put(packet.time)
    output.put(tunnel.tunnel == .vxlan ? ",vxlan," : ",geneve,")
    output.put(tunnel.source)
    output.put(",")
    output.put(tunnel.destination)
    output.put(",")
    output.put(UInt64(tunnel.vni))
    output.put(",")
    output.put(csv: names.identities.name(tunnel.vni) ?? "")
    output.put(",")
    if case .success(let inner) = tunnel.inner {
      let hasPorts = InnerPacket.hasPorts(inner.transport)
      output.put(inner.source)
      output.put(",")
      output.put(inner.destination)
      output.put(",")
      inner.kind.put(inner.transport, to: &output)
      output.put(",")
      if hasPorts { output.put(UInt64(inner.sourcePort)) }
      output.put(",")
      if hasPorts { output.put(UInt64(inner.destinationPort)) }
    } else {
      output.put(",,,,")
    }
    output.put(",")
    output.put(UInt64(tunnel.innerLength))
    output.put(",\"")
    putSummary(tunnel)
    output.put("\"\n")
  }
}
