internal import MapABI

extension Run {
  /// `cil_from_netdev`: a packet comes in on a native device.
  mutating func fromNetdev(_ state: borrowing NodeState) -> Outcome {
    clearControlBlock()
    note(.stage(.netdev))
    if config.enable_nodeport != 0 { tcIndex &= ~TCIndex.skipNodePort }
    guard let type = supportedEtherType() else {
      return passUnknown(source: Identity.unknown, .ingress)
    }
    return receive(state, etherType: type, identity: Identity.unknown, .fromNetwork, .network)
  }

  /// A frame that is not Ethernet II is left to the stack, unless a firewall stands before it.
  mutating func passUnknown(source: UInt32, _ direction: MetricDirection) -> Outcome {
    if config.enable_host_firewall != 0 {
      return drop(Drop(.unsupportedL2), at: .entry, source: source, direction, extError: 0)
    }
    let type = packet.load(12, as: UInt16.self).map(UInt16.init(bigEndian:)) ?? 0
    trace(
      .toStack, source: source, destination: 0, TraceContext(reason: .unknown, monitor: 0), etherType: type)
    note(.toStack)
    return .pass
  }

  /// `validate_ethertype`: nil for a length in its place, and for no header at all.
  ///
  /// The type is held against 0x0600 with both in network order, on a machine of the other order: lengths that are
  /// no multiple of 256 pass for types.
  func supportedEtherType() -> UInt16? {
    if object == .host, config.eth_header_length == 0 { return etherType }
    guard packet.count >= 14, let type = packet.load(12, as: UInt16.self).map(UInt16.init(bigEndian:)),
      type.byteSwapped >= UInt16(0x0600).byteSwapped
    else { return nil }
    return type
  }

  /// `validate_ethertype` where other frames are dropped.
  mutating func frameEtherType() throws(Drop) -> UInt16 {
    guard let type = supportedEtherType() else { throw Drop(.unsupportedL2) }
    return type
  }

  /// `pull_l3_hdr`
  mutating func requireNetworkHeader(_ etherType: UInt16) throws(Drop) {
    switch etherType {
    case IPv6.etherType where config.enable_ipv6 != 0: try requireHeader(IPv6.self)
    case IPv4.etherType where config.enable_ipv4 != 0: try requireHeader(IPv4.self)
    case EtherType.arp where config.enable_ipv4 != 0:
      if packet.count < l3 + 8 + 20 { throw Drop(.invalid) }
    default: break
    }
  }

  /// Without tracking, fragments are dropped before anything else.
  mutating func refuseFragments<F: IPFamily>(_: F.Type) throws(Drop) {
    guard !tracksFragments(F.self) else { return }
    let fragment = F.isIPv6 ? try IPv6.fragment(packet, l3: l3) : try IPv4.fragment(packet, l3: l3)
    if fragment.isFragment { throw Drop(.fragNosupport) }
  }

  /// `ctx_skip_host_fw`: reads and clears the flag.
  mutating func takeSkipHostFirewall() -> Bool {
    defer { tcIndex &= ~TCIndex.skipHostFirewall }
    return tcIndex & TCIndex.skipHostFirewall != 0
  }

  /// `ctx_skip_nodeport`: reads and clears the flag.
  mutating func takeSkipNodePort() -> Bool {
    defer { tcIndex &= ~TCIndex.skipNodePort }
    return tcIndex & TCIndex.skipNodePort != 0
  }
}
