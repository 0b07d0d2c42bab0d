public import Wire

/// An IP packet as a host's stack sees it.
public struct Packet: Sendable, Equatable {
  public var source: IPAddress
  public var destination: IPAddress
  /// TTL or hop limit.
  public var ttl: UInt8 = 64
  /// IPv4 identification.
  public var identification: UInt16 = 0
  public var body: Body

  public enum Body: Sendable, Equatable {
    case tcp(TCPHeader, [UInt8])
    case udp(source: UInt16, destination: UInt16, [UInt8])
    case echo(request: Bool, identifier: UInt16, sequence: UInt16, [UInt8])
    /// An ICMP error with the packet that it quotes.
    case error(ErrorKind, quoted: [UInt8])
    case sctp(SCTPHeader, [UInt8])
    case other(UInt8, [UInt8])
  }

  /// What an ICMP error says.
  public enum ErrorKind: Sendable, Equatable {
    case networkUnreachable, hostUnreachable, portUnreachable, prohibited
    case tooBig(mtu: UInt32)
    case timeExceeded
    case other(type: UInt8, code: UInt8)
  }

  public init(from source: IPAddress, to destination: IPAddress, _ body: Body) {
    self.source = source
    self.destination = destination
    self.body = body
  }
}

extension Packet {
  /// The packet in an Ethernet frame; nil when the addresses are of two families or a field does not fit.
  public func frame(from sourceMAC: MACAddress, to destinationMAC: MACAddress) -> [UInt8]? {
    let ethernet = EthernetHeader(destination: destinationMAC, source: sourceMAC, type: .ipv4)
    let network: Layer
    let isIPv6: Bool
    switch (source, destination) {
    case (.v4(let source), .v4(let destination)):
      var header = IPv4Header(source: source, destination: destination, timeToLive: ttl)
      header.identification = identification
      // Linux sets DF on what it sends itself, path MTU discovery being on; ICMP errors and RSTs too.
      header.flags = .dontFragment
      network = .ipv4(header)
      isIPv6 = false
    case (.v6(let source), .v6(let destination)):
      network = .ipv6(IPv6Header(source: source, destination: destination, hopLimit: ttl))
      isIPv6 = true
    default: return nil
    }
    var layers: [Layer] = [.ethernet(ethernet), network]
    var payload: [UInt8] = []
    switch body {
    case .tcp(let header, let octets):
      layers.append(.tcp(header))
      payload = octets
    case .udp(let source, let destination, let octets):
      layers.append(.udp(UDPHeader(sourcePort: source, destinationPort: destination)))
      payload = octets
    case .echo(let request, let identifier, let sequence, let octets):
      layers.append(Self.echo(isIPv6, request, identifier, sequence))
      payload = octets
    case .error(let kind, let quoted):
      layers.append(kind.layer(isIPv6: isIPv6))
      payload = quoted
    case .sctp(let header, let octets):
      layers.append(.sctp(header))
      payload = octets
    case .other(let number, let octets):
      switch layers[1] {
      case .ipv4(var header):
        header.protocol = IPProtocol(rawValue: number)
        layers[1] = .ipv4(header)
      case .ipv6(var header):
        header.nextHeader = IPProtocol(rawValue: number)
        layers[1] = .ipv6(header)
      default: break
      }
      payload = octets
    }
    return try? Frame.build(layers, payload: payload)
  }

  private static func echo(
    _ isIPv6: Bool, _ request: Bool, _ identifier: UInt16, _ sequence: UInt16
  ) -> Layer {
    isIPv6
      ? .icmpv6(
        request
          ? .echoRequest(identifier: identifier, sequence: sequence)
          : .echoReply(identifier: identifier, sequence: sequence))
      : .icmpv4(
        request
          ? .echoRequest(identifier: identifier, sequence: sequence)
          : .echoReply(identifier: identifier, sequence: sequence))
  }
}
