internal import MapABI

// Destination translation and its reverse. Source: Cilium's bpf/lib/lb.h.
extension Run {
  /// `lb4_dnat_request`: the packet goes to the backend; of a loopback connection the source changes too.
  ///
  /// Checksums are corrected by difference: the IP header's, then the transport's for addresses, then for the
  /// port.
  mutating func translate<F: IPFamily>(
    _ tuple: inout F.Tuple, to backend: F.Backend, _ transport: Transport, _: F.Type, loopback: Bool
  ) throws(Drop) {
    let hasTransport = transport.fragment.hasTransportHeader
    var sum = InternetChecksum.difference(of: tuple.daddr, to: backend.address)
    try packet.write(backend.address, l3 + F.destinationOffset)
    if loopback {
      let source = loopbackAddress(F.self)
      if !source.isZero {
        try packet.write(source, l3 + F.sourceOffset)
        sum = InternetChecksum.difference(of: tuple.saddr, to: source, seed: sum)
      }
    } else {
      tuple.daddr = backend.address
    }
    if !F.isIPv6 { try packet.updateIPChecksum(l3 + IPv4.checksumOffset, difference: sum) }
    let port = tuple.sport
    if backend.port != 0 { tuple.sport = backend.port }
    note(F.step(translatedTo: backend))
    guard hasTransport else { return }
    let field = ChecksumField(protocol: tuple.nexthdr)
    if field.offset != 0 {
      try packet.updateTransportChecksum(transport.offset, field, difference: sum)
    }
    if backend.port != 0, backend.port != port {
      // SCTP's checksum covers the ports and cannot be corrected.
      if tuple.nexthdr == IPProtocol.sctp, config.enable_sctp != 0 { throw Drop(.csumL4) }
      try replacePort(transport.offset, 2, field, from: port, to: backend.port)
    }
  }

  /// `lb4_rev_nat`: a reply gets the service's address as its source again.
  mutating func reverseTranslate<F: IPFamily>(
    _ state: borrowing NodeState, _ connection: Connection<F>
  ) throws(Drop) {
    try reverseTranslate(
      state, connection.tuple, connection.transport, F.self, connection.state,
      loopback: connection.state.isLoopback)
  }

  mutating func reverseTranslate<F: IPFamily>(
    _ state: borrowing NodeState, _ tuple: F.Tuple, _ transport: Transport, _: F.Type,
    _ known: ConntrackState, loopback: Bool
  ) throws(Drop) {
    let address: F.Address
    let port: UInt16
    if known.natPort != 0 {
      address = F.address(known.natAddress)
      port = known.natPort
    } else {
      guard let entry = F.reverseNAT(state, known.revNATIndex) else { return }
      (address, port) = entry
    }
    var sum: UInt32 = 0
    if loopback {
      // The reply's source is the endpoint that the loopback address stood for.
      try packet.write(tuple.saddr, l3 + F.destinationOffset)
      sum = InternetChecksum.difference(of: tuple.daddr, to: tuple.saddr)
    }
    try packet.write(address, l3 + F.sourceOffset)
    sum = InternetChecksum.difference(of: tuple.saddr, to: address, seed: sum)
    if !F.isIPv6 { try packet.updateIPChecksum(l3 + IPv4.checksumOffset, difference: sum) }
    note(.reverseTranslated(revNATIndex: UInt16(bigEndian: known.revNATIndex)))
    guard transport.fragment.hasTransportHeader else { return }
    let field = ChecksumField(protocol: tuple.nexthdr)
    if port != 0 {
      try restorePort(tuple.nexthdr, transport.offset, field, from: tuple.dport, to: port)
    }
    if field.offset != 0 {
      try packet.updateTransportChecksum(transport.offset, field, difference: sum)
    }
  }

  /// `reverse_map_l4_port`
  private func restorePort(
    _ protocol: UInt8, _ l4: Int, _ field: ChecksumField, from old: UInt16, to new: UInt16
  ) throws(Drop) {
    switch `protocol` {
    case IPProtocol.tcp, IPProtocol.udp:
      if old != new { try replacePort(l4, 0, field, from: old, to: new) }
    case IPProtocol.sctp where config.enable_sctp != 0:
      if old != new { throw Drop(.csumL4) }
    case IPProtocol.icmp, IPProtocol.icmpv6: break
    default: throw Drop(.unknownL4)
    }
  }

  /// `l4_modify_port`
  private func replacePort(
    _ l4: Int, _ offset: Int, _ field: ChecksumField, from old: UInt16, to new: UInt16
  ) throws(Drop) {
    try packet.write(new, l4 + offset)
    try packet.updateTransportChecksum(l4, field, from: old, to: new)
  }
}
