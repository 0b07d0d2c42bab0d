import Wire

extension Packet {
  /// Reads the IP packet of an Ethernet frame as a host's stack would; nil when it is not a whole, valid packet.
  public init?(frame: [UInt8]) {
    let layers = Frame.dissect(frame, tunnelPorts: .none).layers
    guard layers.count >= 2 else { return nil }
    var rest = layers.dropFirst()[...]
    switch rest.removeFirst() {
    case .ipv4(let header):
      self.init(from: .v4(header.source), to: .v4(header.destination), .other(header.protocol.rawValue, []))
      ttl = header.timeToLive
      identification = header.identification
      // A host reassembles fragments before its sockets see them; the simulated ones do not, and pass them over.
      guard header.fragmentOffset == 0, !header.flags.contains(.moreFragments) else { return nil }
    case .ipv6(let header):
      self.init(from: .v6(header.source), to: .v6(header.destination), .other(header.nextHeader.rawValue, []))
      ttl = header.hopLimit
      while case .ipv6Extension(let extensionHeader)? = rest.first {
        if case .fragment = extensionHeader { return nil }
        rest.removeFirst()
      }
    default: return nil
    }
    guard let transport = rest.first else { return }
    let payload = rest.dropFirst().reduce(into: [UInt8]()) { octets, layer in
      switch layer {
      case .trailer: break
      case .payload(let more): octets += more
      default: octets += (try? Frame.build([layer], fill: .nothing)) ?? []
      }
    }
    guard let body = Self.body(transport, payload) else { return nil }
    self.body = body
  }

  private static func body(_ transport: Layer, _ payload: [UInt8]) -> Body? {
    switch transport {
    case .tcp(let header): .tcp(header, payload)
    case .udp(let header): .udp(source: header.sourcePort, destination: header.destinationPort, payload)
    case .sctp(let header): .sctp(header, payload)
    case .icmpv4(let header):
      switch header.type {
      case .echoRequest, .echoReply:
        .echo(
          request: header.type == .echoRequest, identifier: header.identifier, sequence: header.sequence,
          payload)
      default: .error(ErrorKind(header), quoted: payload)
      }
    case .icmpv6(let header):
      switch header.type {
      case .echoRequest, .echoReply:
        .echo(
          request: header.type == .echoRequest, identifier: UInt16(truncatingIfNeeded: header.rest >> 16),
          sequence: UInt16(truncatingIfNeeded: header.rest), payload)
      default: .error(ErrorKind(header), quoted: payload)
      }
    case .payload(let octets): .other(0, octets)
    default: nil
    }
  }
}

extension Packet.ErrorKind {
  init(_ header: ICMPv4Header) {
    switch (header.type, header.code) {
    case (.destinationUnreachable, 0): self = .networkUnreachable
    case (.destinationUnreachable, 1): self = .hostUnreachable
    case (.destinationUnreachable, 3): self = .portUnreachable
    case (.destinationUnreachable, 4): self = .tooBig(mtu: UInt32(header.nextHopMTU))
    case (.destinationUnreachable, 9), (.destinationUnreachable, 10), (.destinationUnreachable, 13):
      self = .prohibited
    case (.timeExceeded, _): self = .timeExceeded
    default: self = .other(type: header.type.rawValue, code: header.code)
    }
  }

  init(_ header: ICMPv6Header) {
    switch (header.type, header.code) {
    case (.destinationUnreachable, 0): self = .networkUnreachable
    case (.destinationUnreachable, 1): self = .prohibited
    case (.destinationUnreachable, 3): self = .hostUnreachable
    case (.destinationUnreachable, 4): self = .portUnreachable
    case (.packetTooBig, _): self = .tooBig(mtu: header.rest)
    case (.timeExceeded, _): self = .timeExceeded
    default: self = .other(type: header.type.rawValue, code: header.code)
    }
  }

  /// The header of the error's message.
  func layer(isIPv6: Bool) -> Layer {
    if isIPv6 {
      switch self {
      case .networkUnreachable: .icmpv6(.destinationUnreachable(code: 0))
      case .prohibited: .icmpv6(.destinationUnreachable(code: 1))
      case .hostUnreachable: .icmpv6(.destinationUnreachable(code: 3))
      case .portUnreachable: .icmpv6(.destinationUnreachable(code: 4))
      case .tooBig(let mtu): .icmpv6(.packetTooBig(mtu: mtu))
      case .timeExceeded: .icmpv6(.timeExceeded())
      case .other(let type, let code): .icmpv6(ICMPv6Header(type: ICMPv6Type(rawValue: type), code: code))
      }
    } else {
      switch self {
      case .networkUnreachable: .icmpv4(.destinationUnreachable(code: 0))
      case .hostUnreachable: .icmpv4(.destinationUnreachable(code: 1))
      case .portUnreachable: .icmpv4(.destinationUnreachable(code: 3))
      case .tooBig(let mtu):
        .icmpv4(.destinationUnreachable(code: 4, nextHopMTU: UInt16(clamping: mtu)))
      case .prohibited: .icmpv4(.destinationUnreachable(code: 13))
      case .timeExceeded: .icmpv4(.timeExceeded())
      case .other(let type, let code): .icmpv4(ICMPv4Header(type: ICMPv4Type(rawValue: type), code: code))
      }
    }
  }
}

extension Packet {
  /// The packet in words, as a walk heads it: `TCP SYN 10.244.2.7:41212 → 10.244.1.9:80`.
  public var summary: String {
    func pair(_ source: UInt16, _ destination: UInt16) -> String {
      func socket(_ address: IPAddress, _ port: UInt16) -> String {
        address.family == .ipv6 ? "[\(address)]:\(port)" : "\(address):\(port)"
      }
      return "\(socket(self.source, source)) → \(socket(self.destination, destination))"
    }
    switch body {
    case .tcp(let header, let octets):
      let data = octets.isEmpty ? "" : " \(octets.count) octets"
      return "TCP \(header.flags)\(data) \(pair(header.sourcePort, header.destinationPort))"
    case .udp(let source, let destination, let octets):
      return "UDP \(octets.count) octets \(pair(source, destination))"
    case .sctp(let header, _): return "SCTP \(pair(header.sourcePort, header.destinationPort))"
    case .echo(let request, let identifier, let sequence, _):
      let name = source.family == .ipv4 ? "ICMP" : "ICMPv6"
      return "\(name) echo \(request ? "request" : "reply") \(source) → \(destination) "
        + "id \(identifier) seq \(sequence)"
    case .error(let kind, _):
      let name = source.family == .ipv4 ? "ICMP" : "ICMPv6"
      return "\(name) \(kind.words) \(source) → \(destination)"
    case .other(let number, let octets):
      return "IP protocol \(number) \(octets.count) octets \(source) → \(destination)"
    }
  }
}

extension Packet.ErrorKind {
  var words: String {
    switch self {
    case .networkUnreachable: "network unreachable"
    case .hostUnreachable: "host unreachable"
    case .portUnreachable: "port unreachable"
    case .prohibited: "administratively prohibited"
    case .tooBig(let mtu): "packet too big (MTU \(mtu))"
    case .timeExceeded: "time exceeded"
    case .other(let type, let code): "type \(type) code \(code)"
    }
  }
}
