/// A field of a header, by name and as text.
public struct HeaderField: Hashable, Sendable {
  public var name: String
  public var value: String

  init(_ name: String, _ value: some CustomStringConvertible) {
    self.name = name
    self.value = value.description
  }
}

/// `0x` and the digits of a field whose number is a pattern rather than a count.
private func pattern<T: FixedWidthInteger & UnsignedInteger>(_ value: T, digits: Int = T.bitWidth / 4)
  -> String
{
  hexadecimal(value, digits: digits)
}

extension Layer {
  /// The header's fields in wire order; none for payload and trailer.
  public var fields: [HeaderField] {
    switch self {
    case .ethernet(let header): header.fields
    case .linuxCooked(let header): header.fields
    case .vlan(let header): header.fields
    case .arp(let header): header.fields
    case .ipv4(let header): header.fields
    case .ipv6(let header): header.fields
    case .ipv6Extension(let header): header.fields
    case .icmpv4(let header):
      icmpFields(header.type, header.code, header.checksum, header.rest, echo: [.echoRequest, .echoReply])
    case .icmpv6(let header):
      icmpFields(header.type, header.code, header.checksum, header.rest, echo: [.echoRequest, .echoReply])
    case .neighbor(let body): [HeaderField("target", body.target), HeaderField("options", body.options)]
    case .routerSolicitation(let body): [HeaderField("options", body.options)]
    case .routerAdvertisement(let body): body.fields
    case .tcp(let header): header.fields
    case .udp(let header): header.fields
    case .sctp(let header): header.fields
    case .ports(let header): header.fields
    case .vxlan(let header): header.fields
    case .geneve(let header): header.fields
    case .payload, .trailer: []
    }
  }

  private func icmpFields<T: Equatable & CustomStringConvertible>(
    _ type: T, _ code: UInt8, _ checksum: UInt16, _ rest: UInt32, echo: [T]
  ) -> [HeaderField] {
    let head = [
      HeaderField("type", type), HeaderField("code", code), HeaderField("checksum", pattern(checksum)),
    ]
    guard echo.contains(type) else { return head + [HeaderField("rest", pattern(rest))] }
    return head + [HeaderField("identifier", rest >> 16), HeaderField("sequence", rest & 0xffff)]
  }
}

extension EthernetHeader {
  var fields: [HeaderField] {
    [HeaderField("dst", destination), HeaderField("src", source), HeaderField("type", type)]
  }
}

extension LinuxCookedHeader {
  var fields: [HeaderField] {
    [
      HeaderField("type", type), HeaderField("reserved", pattern(reserved)),
      HeaderField("ifindex", interfaceIndex), HeaderField("hardwareType", hardwareType),
      HeaderField("packetType", packetType), HeaderField("addressLength", addressLength),
      HeaderField("address", pattern(address)),
    ]
  }
}

extension VLANHeader {
  var fields: [HeaderField] {
    [
      HeaderField("priority", priority), HeaderField("dropEligible", dropEligible), HeaderField("id", id),
      HeaderField("type", type),
    ]
  }
}

extension ARPHeader {
  var fields: [HeaderField] {
    [
      HeaderField("operation", operation), HeaderField("senderMAC", senderMAC), HeaderField("sender", sender),
      HeaderField("targetMAC", targetMAC), HeaderField("target", target),
    ]
  }
}

extension IPv4Header {
  var fields: [HeaderField] {
    [
      HeaderField("headerLength", byteCount), HeaderField("tos", pattern(typeOfService)),
      HeaderField("totalLength", totalLength), HeaderField("id", pattern(identification)),
      HeaderField("flags", flags), HeaderField("fragmentOffset", fragmentOffset),
      HeaderField("ttl", timeToLive), HeaderField("protocol", `protocol`),
      HeaderField("checksum", pattern(checksum)), HeaderField("src", source),
      HeaderField("dst", destination), HeaderField("options", options),
    ]
  }
}

extension IPv6Header {
  var fields: [HeaderField] {
    [
      HeaderField("trafficClass", pattern(trafficClass)),
      HeaderField("flowLabel", pattern(flowLabel, digits: 5)),
      HeaderField("payloadLength", payloadLength), HeaderField("nextHeader", nextHeader),
      HeaderField("hopLimit", hopLimit), HeaderField("src", source), HeaderField("dst", destination),
    ]
  }
}

extension IPv6ExtensionHeader {
  var fields: [HeaderField] {
    let next = HeaderField("nextHeader", nextHeader)
    return switch self {
    case .hopByHop(let header), .destinationOptions(let header):
      [next, HeaderField("headerLength", header.byteCount), HeaderField("options", header.options)]
    case .routing(let header):
      [
        next, HeaderField("headerLength", header.byteCount), HeaderField("type", header.type),
        HeaderField("segmentsLeft", header.segmentsLeft), HeaderField("data", octetText(header.data)),
      ]
    case .fragment(let header):
      [
        next, HeaderField("fragmentOffset", header.fragmentOffset),
        HeaderField("moreFragments", header.moreFragments), HeaderField("id", pattern(header.identification)),
      ]
    case .authentication(let header):
      [
        next, HeaderField("headerLength", header.byteCount), HeaderField("spi", pattern(header.spi)),
        HeaderField("sequence", header.sequence), HeaderField("icv", octetText(header.integrityCheckValue)),
      ]
    }
  }
}

extension RouterAdvertisementBody {
  var fields: [HeaderField] {
    [
      HeaderField("reachableTime", reachableTime), HeaderField("retransmissionTimer", retransmissionTimer),
      HeaderField("options", options),
    ]
  }
}

extension TCPHeader {
  var fields: [HeaderField] {
    [
      HeaderField("sport", sourcePort), HeaderField("dport", destinationPort), HeaderField("seq", sequence),
      HeaderField("ack", acknowledgment), HeaderField("headerLength", byteCount), HeaderField("flags", flags),
      HeaderField("window", window), HeaderField("checksum", pattern(checksum)),
      HeaderField("urgent", urgentPointer), HeaderField("options", options),
    ]
  }
}

extension UDPHeader {
  var fields: [HeaderField] {
    [
      HeaderField("sport", sourcePort), HeaderField("dport", destinationPort), HeaderField("length", length),
      HeaderField("checksum", pattern(checksum)),
    ]
  }
}

extension PortsHeader {
  var fields: [HeaderField] { [HeaderField("sport", sourcePort), HeaderField("dport", destinationPort)] }
}

extension SCTPHeader {
  var fields: [HeaderField] {
    [
      HeaderField("sport", sourcePort), HeaderField("dport", destinationPort),
      HeaderField("tag", pattern(verificationTag)), HeaderField("checksum", pattern(checksum)),
    ]
  }
}

extension VXLANHeader {
  var fields: [HeaderField] {
    [
      HeaderField("flags", pattern(flags)), HeaderField("reserved", pattern(reserved, digits: 6)),
      HeaderField("vni", vni), HeaderField("reservedTail", pattern(reservedTail)),
    ]
  }
}

extension GeneveHeader {
  var fields: [HeaderField] {
    [
      HeaderField("headerLength", byteCount), HeaderField("flags", pattern(flags)), HeaderField("type", type),
      HeaderField("vni", vni), HeaderField("reserved", pattern(reserved)), HeaderField("options", options),
    ]
  }
}
