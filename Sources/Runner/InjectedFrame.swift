import Cluster
import Scenario
import Wire

/// Builds the frame that an `inject` step describes by its headers.
enum InjectedFrame {
  static func build(_ layers: [FrameLayer]) throws(StepError) -> [UInt8] {
    var headers: [Layer] = []
    var payload: [UInt8] = []
    for layer in layers {
      if layer.kind == .payload {
        payload += try payloadOctets(layer)
      } else {
        headers.append(try header(layer))
      }
    }
    do {
      return try Frame.build(headers, payload: payload)
    } catch {
      throw StepError("the frame cannot be built: \(error)")
    }
  }

  private static func payloadOctets(_ layer: FrameLayer) throws(StepError) -> [UInt8] {
    if let text = layer["text"] { return Array(text.value.utf8) }
    if let size = layer["size"] {
      return [UInt8](repeating: 0, count: Int(try number(size, UInt16.self)))
    }
    guard let hex = layer["hex"] else { return [] }
    let digits = hex.value.filter { !$0.isWhitespace }
    guard digits.count % 2 == 0 else { throw problem(hex, "an even number of hexadecimal digits") }
    var octets: [UInt8] = []
    var index = digits.startIndex
    while index < digits.endIndex {
      let next = digits.index(index, offsetBy: 2)
      guard let octet = UInt8(digits[index..<next], radix: 16) else {
        throw problem(hex, "hexadecimal digits")
      }
      octets.append(octet)
      index = next
    }
    return octets
  }

  private static func header(_ layer: FrameLayer) throws(StepError) -> Layer {
    switch layer.kind {
    case .eth:
      return .ethernet(
        EthernetHeader(
          destination: try mac(layer["dst"]), source: try mac(layer["src"]),
          type: EtherType(rawValue: try optional(layer["type"], UInt16.self) ?? 0)))
    case .ipv4:
      var header = IPv4Header(source: try v4(layer["src"]), destination: try v4(layer["dst"]))
      if let ttl = try optional(layer["ttl"], UInt8.self) { header.timeToLive = ttl }
      if let tos = try optional(layer["tos"], UInt8.self) { header.typeOfService = tos }
      if let id = try optional(layer["id"], UInt16.self) { header.identification = id }
      if let number = try optional(layer["protocol"], UInt8.self) {
        header.protocol = IPProtocol(rawValue: number)
      }
      if let offset = try optional(layer["offset"], UInt16.self) { header.fragmentOffset = offset }
      if layer["df"]?.value == "true" { header.flags.insert(.dontFragment) }
      if layer["mf"]?.value == "true" { header.flags.insert(.moreFragments) }
      return .ipv4(header)
    case .ipv6:
      var header = IPv6Header(source: try v6(layer["src"]), destination: try v6(layer["dst"]))
      if let limit = try optional(layer["hopLimit"], UInt8.self) { header.hopLimit = limit }
      if let next = try optional(layer["nextHeader"], UInt8.self) {
        header.nextHeader = IPProtocol(rawValue: next)
      }
      return .ipv6(header)
    case .tcp:
      var header = TCPHeader(
        sourcePort: try required(layer, "sport", UInt16.self),
        destinationPort: try required(layer, "dport", UInt16.self), flags: try flags(layer["flags"]))
      if let sequence = try optional(layer["seq"], UInt32.self) { header.sequence = sequence }
      if let acknowledgment = try optional(layer["ack"], UInt32.self) {
        header.acknowledgment = acknowledgment
      }
      if let window = try optional(layer["window"], UInt16.self) { header.window = window }
      return .tcp(header)
    case .udp:
      return .udp(
        UDPHeader(
          sourcePort: try required(layer, "sport", UInt16.self),
          destinationPort: try required(layer, "dport", UInt16.self)))
    case .sctp:
      return .sctp(
        SCTPHeader(
          sourcePort: try required(layer, "sport", UInt16.self),
          destinationPort: try required(layer, "dport", UInt16.self),
          verificationTag: try optional(layer["tag"], UInt32.self) ?? 0))
    case .icmp:
      let type = ICMPv4Type(rawValue: try required(layer, "type", UInt8.self))
      let rest = UInt32(try optional(layer["id"], UInt16.self) ?? 0) << 16
      let sequence = UInt32(try optional(layer["seq"], UInt16.self) ?? 0)
      let mtu = UInt32(try optional(layer["mtu"], UInt16.self) ?? 0)
      return .icmpv4(
        ICMPv4Header(
          type: type, code: try optional(layer["code"], UInt8.self) ?? 0, rest: rest | sequence | mtu))
    case .icmpv6:
      let type = ICMPv6Type(rawValue: try required(layer, "type", UInt8.self))
      let rest = UInt32(try optional(layer["id"], UInt16.self) ?? 0) << 16
      let sequence = UInt32(try optional(layer["seq"], UInt16.self) ?? 0)
      let mtu = try optional(layer["mtu"], UInt32.self) ?? 0
      return .icmpv6(
        ICMPv6Header(
          type: type, code: try optional(layer["code"], UInt8.self) ?? 0, rest: rest | sequence | mtu))
    case .vxlan: return .vxlan(VXLANHeader(vni: try required(layer, "vni", UInt32.self)))
    case .geneve: return .geneve(GeneveHeader(vni: try required(layer, "vni", UInt32.self)))
    case .vlan, .arp, .payload:
      throw StepError(
        "\(layer.location): injecting \(layer.kind.rawValue) by fields is not modelled; give the frame in hex",
        isUnmodelled: true)
    }
  }

  private static func problem(_ text: Located<String>, _ expected: String) -> StepError {
    StepError("\(text.location): found \"\(text.value)\", expected \(expected)")
  }

  private static func number<N: FixedWidthInteger>(_ text: Located<String>, _: N.Type) throws(StepError) -> N
  {
    let value =
      text.value.hasPrefix("0x") ? N(text.value.dropFirst(2), radix: 16) : N(text.value)
    guard let value else { throw problem(text, "a number from 0 to \(N.max)") }
    return value
  }

  private static func optional<N: FixedWidthInteger>(
    _ text: Located<String>?, _ type: N.Type
  ) throws(StepError) -> N? {
    guard let text else { return nil }
    return try number(text, type)
  }

  private static func required<N: FixedWidthInteger>(
    _ layer: FrameLayer, _ name: String, _ type: N.Type
  ) throws(StepError) -> N {
    guard let text = layer[name] else {
      throw StepError("\(layer.location): \(layer.kind.rawValue) needs \(name)")
    }
    return try number(text, type)
  }

  private static func mac(_ text: Located<String>?) throws(StepError) -> MACAddress {
    guard let text else { return MACAddress(bits: 0) }
    guard let mac = MACAddress(text.value) else { throw problem(text, "an Ethernet address") }
    return mac
  }

  private static func v4(_ text: Located<String>?) throws(StepError) -> IPv4Address {
    guard let text else { return .unspecified }
    guard let address = IPv4Address(text.value) else { throw problem(text, "an IPv4 address") }
    return address
  }

  private static func v6(_ text: Located<String>?) throws(StepError) -> IPv6Address {
    guard let text else { return .unspecified }
    guard let address = IPv6Address(text.value) else { throw problem(text, "an IPv6 address") }
    return address
  }

  /// `SYN,ACK`.
  private static func flags(_ text: Located<String>?) throws(StepError) -> TCPFlags {
    guard let text else { return [] }
    var flags: TCPFlags = []
    for word in text.value.uppercased().split(whereSeparator: { $0 == "," || $0 == " " || $0 == "|" }) {
      switch word {
      case "FIN": flags.insert(.fin)
      case "SYN": flags.insert(.syn)
      case "RST": flags.insert(.rst)
      case "PSH": flags.insert(.psh)
      case "ACK": flags.insert(.ack)
      case "URG": flags.insert(.urg)
      case "ECE": flags.insert(.ece)
      case "CWR": flags.insert(.cwr)
      default: throw problem(text, "TCP flags such as SYN,ACK")
      }
    }
    return flags
  }
}
