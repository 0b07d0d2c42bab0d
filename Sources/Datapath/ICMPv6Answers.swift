internal import MapABI

/// ICMPv6 message types (RFC 4443, RFC 4861).
enum ICMPv6 {
  static let timeExceeded: UInt8 = 3
  static let neighbourSolicitation: UInt8 = 135
  static let neighbourAdvertisement: UInt8 = 136
}

// Answers of the router: neighbour advertisements, and "time exceeded". Source: Cilium's bpf/lib/icmp6.h.
extension Run {
  /// `is_icmp6_ndp`: the message's type if it is a neighbour solicitation or advertisement.
  mutating func neighbourDiscoveryType() -> UInt8? {
    guard packet.load(l3 + IPv6.protocolOffset, as: UInt8.self) == IPProtocol.icmpv6,
      let type = packet.load(l3 + IPv6.headerLength, as: UInt8.self),
      type == ICMPv6.neighbourSolicitation || type == ICMPv6.neighbourAdvertisement
    else { return nil }
    return type
  }

  /// `icmp6_handle_ns` and its tail call.
  mutating func answerSolicitation(_ state: borrowing NodeState, _ direction: MetricDirection) -> Outcome {
    cb[0] = 0
    cb[1] = UInt32(direction.rawValue)
    extError = 0
    do throws(Drop) {
      return .ended(try answerSolicitation(state).ending)
    } catch {
      return drop(error, at: .reply, source: Identity.unknown, direction)
    }
  }

  /// `__icmp6_handle_ns`
  private mutating func answerSolicitation(_ state: borrowing NodeState) throws(Drop) -> Outcome {
    let target = try packet.require(l3 + 48, as: AddressWords.self)
    let router = MACWord(config.interface_mac)
    if AddressWords.same(target, config.router_ipv6) { return try advertise(router, isRouter: true) }
    if object == .lxc, AddressWords.same(target, config.service_loopback_ipv6) {
      guard let sender = packet.loadMAC(6) else { throw Drop(.invalid) }
      return try advertise(sender, isRouter: false)
    }
    guard let endpoint = lookUpEndpoint(state, target, IPv6.self) else {
      if object == .host { return .pass }
      throw Drop(.unknownTarget)
    }
    // A node's address is answered by its stack, which learns the neighbour by the way.
    if endpoint.flags & EndpointFlag.host != 0 { return .pass }
    return try advertise(router, isRouter: false)
  }

  /// `icmp6_send_ndisc_adv`: turns the solicitation into an advertisement and corrects the checksum by difference.
  private mutating func advertise(_ mac: MACWord, isRouter: Bool) throws(Drop) -> Outcome {
    let icmp = l3 + IPv6.headerLength
    let options = icmp + 24
    var sum: UInt32 = 0
    if packet.load(options, as: UInt64.self) == nil {
      try makeRoomForOption(options)
      sum = InternetChecksum.difference(of: UInt32(0), to: UInt32(8).bigEndian)
    }
    let oldHeader = try packet.require(icmp, as: UInt64.self)
    let target = try packet.require(icmp + 8, as: AddressWords.self)
    // Type and checksum, then the flags: router 0x80, solicited 0x40, override 0x20.
    let flags: UInt64 = isRouter ? 0xc0 : 0x60
    let newHeader =
      UInt64(ICMPv6.neighbourAdvertisement) | oldHeader & 0xffff_0000 | flags << 32
    try packet.write(newHeader, icmp)
    sum = InternetChecksum.difference(of: oldHeader, to: newHeader, seed: sum)
    let oldOption = try packet.require(options, as: UInt64.self)
    // Option 2, target link-layer address, of one unit of eight octets.
    let option = UInt64(0x0102) | UInt64(mac.first) << 16 | UInt64(mac.last) << 48
    try packet.write(option, options)
    sum = InternetChecksum.difference(of: oldOption, to: option, seed: sum)
    try packet.updateTransportChecksum(icmp, ChecksumField(offset: 2), difference: sum)
    note(.answered(.neighbourAdvertisement))
    return try sendBack(as: target)
  }

  /// `icmp6_ndisc_adv_addopt`
  private mutating func makeRoomForOption(_ options: Int) throws(Drop) {
    guard packet.changeLength(to: packet.count + 8, networkOffset: l3) else { throw Drop(.invalid) }
    try requireHeader(IPv6.self)
    let length = UInt16(bigEndian: try packet.require(l3 + 4, as: UInt16.self))
    _ = packet.store((length &+ 8).bigEndian, l3 + 4)
    guard packet.store(UInt64(0), options) else { throw Drop(.invalid) }
  }

  /// `icmp6_send_reply`: the packet goes back to its sender, from `source`.
  private mutating func sendBack(as source: AddressWords) throws(Drop) -> Outcome {
    let sender = try self.source(IPv6.self)
    let receiver = try destination(IPv6.self)
    try packet.write(source, l3 + IPv6.sourceOffset)
    try packet.write(sender, l3 + IPv6.destinationOffset)
    let icmp = l3 + IPv6.headerLength
    let field = ChecksumField(offset: 2)
    try packet.updateTransportChecksum(
      icmp, field, difference: InternetChecksum.difference(of: sender, to: source))
    try packet.updateTransportChecksum(
      icmp, field, difference: InternetChecksum.difference(of: receiver, to: sender))
    guard let mac = packet.loadMAC(6) else { throw Drop(.invalid) }
    guard packet.storeMAC(mac, 0), packet.storeMAC(MACWord(config.interface_mac), 6) else {
      throw Drop(.writeError)
    }
    return redirect(ifindex, .egress)
  }

  /// `icmp6_send_time_exceeded` and its tail call.
  mutating func sendTimeExceeded(_ direction: MetricDirection) -> Outcome {
    cb[0] = 0
    cb[1] = UInt32(direction.rawValue)
    extError = 0
    do throws(Drop) {
      return .ended(try makeTimeExceeded().ending)
    } catch {
      return drop(error, at: .reply, source: Identity.unknown, direction)
    }
  }

  /// `__icmp6_send_time_exceeded`: the error carries the IP header and the transport header without options.
  private mutating func makeTimeExceeded() throws(Drop) -> Outcome {
    let icmp = l3 + IPv6.headerLength
    let header = try packet.require(l3, as: IPv6HeaderWords.self)
    try packet.write(IPProtocol.icmpv6, l3 + IPv6.protocolOffset)
    switch header.nextHeader {
    case IPProtocol.icmpv6, IPProtocol.udp:
      try replacePayload(header, try packet.require(icmp, as: TransportWords8.self))
    case IPProtocol.sctp where config.enable_sctp != 0:
      try replacePayload(header, try packet.require(icmp, as: TransportWords8.self))
    case IPProtocol.tcp:
      try replacePayload(header, try packet.require(icmp, as: TransportWords20.self))
    default: throw Drop(.unknownL4)
    }
    note(.answered(.icmpError))
    return try sendBack(as: config.router_ipv6)
  }

  private mutating func replacePayload<T: PlainOctets>(
    _ header: IPv6HeaderWords, _ transport: T
  ) throws(Drop) {
    let icmp = l3 + IPv6.headerLength
    let length = 8 + IPv6.headerLength + MemoryLayout<T>.size
    // Sum over the new payload (its ICMP header is type 3 and zeros) and the pseudo-header.
    var sum = InternetChecksum.sum(of: UInt32(ICMPv6.timeExceeded))
    sum = InternetChecksum.sum(of: header, seed: sum)
    sum = InternetChecksum.sum(of: transport, seed: sum)
    sum = InternetChecksum.sum(of: header.source, seed: sum)
    sum = InternetChecksum.sum(of: header.destination, seed: sum)
    sum = InternetChecksum.sum(of: UInt32(length).bigEndian, seed: sum)
    sum = InternetChecksum.sum(of: UInt32(IPProtocol.icmpv6).bigEndian, seed: sum)
    guard packet.changeLength(to: packet.count + length - header.payloadLength, networkOffset: l3) else {
      throw Drop(.writeError)
    }
    guard packet.count >= icmp + length else { throw Drop(.writeError) }
    try packet.write(UInt64(ICMPv6.timeExceeded), icmp)
    try packet.write(header, icmp + 8)
    try packet.write(transport, icmp + 8 + IPv6.headerLength)
    try packet.write(UInt16(truncatingIfNeeded: length).bigEndian, l3 + 4)
    try packet.updateTransportChecksum(icmp, ChecksumField(offset: 2), difference: sum)
  }
}

/// The forty octets of an IPv6 header.
private struct IPv6HeaderWords: PlainOctets {
  var start: UInt32
  var lengthAndNext: UInt32
  var source: AddressWords
  var destination: AddressWords

  var payloadLength: Int { Int(UInt16(bigEndian: UInt16(truncatingIfNeeded: lengthAndNext))) }
  var nextHeader: UInt8 { UInt8(truncatingIfNeeded: lengthAndNext >> 16) }
}

/// Eight octets of a transport header: UDP, ICMPv6.
private struct TransportWords8: PlainOctets {
  var words: (UInt32, UInt32)
}

/// Twenty octets of a transport header: TCP without options.
private struct TransportWords20: PlainOctets {
  var words: (UInt32, UInt32, UInt32, UInt32, UInt32)
}
