internal import MapABI

extension CTTuple6: FlowTuple {}
extension Backend6: BackendValue {}

/// IPv6: RFC 8200 headers, Cilium's `lib/ipv6.h`.
enum IPv6: IPFamily {
  typealias Address = AddressWords
  typealias Tuple = CTTuple6

  static var isIPv6: Bool { true }
  static var etherType: UInt16 { 0x86dd }
  static var headerLength: Int { 40 }
  static var sourceOffset: Int { 8 }
  static var destinationOffset: Int { 24 }
  static var protocolOffset: Int { 6 }
  static var icmpProtocol: UInt8 { IPProtocol.icmpv6 }
  static var addressWidth: Int { 128 }

  /// How many headers are looked at, the transport header included (`IPV6_MAX_HEADERS`).
  private static let maximumHeaders = 4

  /// `ipv6_hdrlen_offset`
  static func transport(_ packet: PacketBuffer, l3: Int) throws(Drop) -> Transport {
    var next = try packet.require(l3 + protocolOffset, as: UInt8.self)
    var offset = l3 + headerLength
    var fragment = FragmentInfo()
    for _ in 0..<maximumHeaders {
      guard let skipped = try skip(packet, next, at: offset) else {
        return Transport(offset: offset, protocol: next, fragment: fragment)
      }
      if next == ExtensionHeader.fragment { fragment = try readFragment(packet, at: offset) }
      offset += skipped.length
      next = skipped.next
    }
    throw Drop(.invalidExthdr)
  }

  /// `ipv6_get_fraginfo`: stops at the fragment header, so it does not mind what comes after.
  static func fragment(_ packet: PacketBuffer, l3: Int) throws(Drop) -> FragmentInfo {
    var next = try packet.require(l3 + protocolOffset, as: UInt8.self)
    var offset = l3 + headerLength
    for _ in 0..<maximumHeaders {
      guard let skipped = try skip(packet, next, at: offset) else { return FragmentInfo() }
      if next == ExtensionHeader.fragment { return try readFragment(packet, at: offset) }
      offset += skipped.length
      next = skipped.next
    }
    throw Drop(.invalidExthdr)
  }

  /// `ipv6_skip_exthdr`: nil at the transport header.
  private static func skip(
    _ packet: PacketBuffer, _ header: UInt8, at offset: Int
  ) throws(Drop) -> (length: Int, next: UInt8)? {
    switch header {
    case ExtensionHeader.none: throw Drop(.invalidExthdr)
    case ExtensionHeader.fragment, ExtensionHeader.authentication, ExtensionHeader.hopByHop,
      ExtensionHeader.routing, ExtensionHeader.destination:
      break
    default: return nil
    }
    let start = try packet.require(offset, as: UInt16.self)
    let next = UInt8(truncatingIfNeeded: start)
    let units = Int(start >> 8)
    switch header {
    case ExtensionHeader.fragment: return (8, next)
    case ExtensionHeader.authentication: return ((units + 2) * 4, next)
    default: return ((units + 1) * 8, next)
    }
  }

  /// `ipfrag_encode_ipv6`
  private static func readFragment(_ packet: PacketBuffer, at offset: Int) throws(Drop) -> FragmentInfo {
    // All eight octets must be there before any of them counts.
    let id = try packet.require(offset + 4, as: UInt32.self)
    let position = UInt16(bigEndian: try packet.require(offset + 2, as: UInt16.self))
    return FragmentInfo(
      id: id, protocol: try packet.require(offset, as: UInt8.self), isFragment: position & 0xfff9 != 0,
      hasTransportHeader: position & 0xfff8 == 0)
  }

  /// `ipv6_dec_hoplimit`; no checksum covers it.
  static func decrementTTL(_ packet: PacketBuffer, l3: Int) throws(Drop) -> UInt8? {
    let limit = try packet.require(l3 + 7, as: UInt8.self)
    guard limit > 1 else { return nil }
    try packet.write(limit - 1, l3 + 7)
    return limit - 1
  }

  @inline(__always)
  static func tuple(
    daddr: AddressWords, saddr: AddressWords, dport: UInt16, sport: UInt16, nexthdr: UInt8, flags: UInt8
  ) -> CTTuple6 {
    CTTuple6(daddr: daddr, saddr: saddr, dport: dport, sport: sport, nexthdr: nexthdr, flags: flags)
  }

  @inline(__always)
  static func serviceKey(_ frontend: Frontend<IPv6>, slot: UInt16) -> ServiceKey6 {
    ServiceKey6(
      address: frontend.address, dport: frontend.port, backend_slot: slot, proto: frontend.protocol,
      scope: frontend.scope, pad: 0)
  }

  static func fragmentKey(
    _ fragment: FragmentInfo, source: AddressWords, destination: AddressWords
  ) -> FragmentKey6 {
    FragmentKey6(
      id: fragment.id, proto: fragment.protocol, pad0: 0, pad1: 0, pad2: 0, saddr: source,
      daddr: destination)
  }

  static func affinityKey(client: AddressWords, revNATIndex: UInt16) -> AffinityKey6 {
    AffinityKey6(client: client, rev_nat_id: revNATIndex, netns_cookie: 0, pad1: 0, pad2: 0)
  }

  static func affinityKey(namespace cookie: UInt64, revNATIndex: UInt16) -> AffinityKey6 {
    let client = AddressWords(
      w0: UInt32(truncatingIfNeeded: cookie), w1: UInt32(truncatingIfNeeded: cookie >> 32), w2: 0, w3: 0)
    return AffinityKey6(client: client, rev_nat_id: revNATIndex, netns_cookie: 1, pad1: 0, pad2: 0)
  }

  static func natAddress(_ address: AddressWords) -> NATAddress {
    NATAddress(
      low: UInt64(address.w0) | UInt64(address.w1) << 32,
      high: UInt64(address.w2) | UInt64(address.w3) << 32)
  }
  static func address(_ nat: NATAddress) -> AddressWords {
    AddressWords(
      w0: UInt32(truncatingIfNeeded: nat.low), w1: UInt32(truncatingIfNeeded: nat.low >> 32),
      w2: UInt32(truncatingIfNeeded: nat.high), w3: UInt32(truncatingIfNeeded: nat.high >> 32))
  }

  @inline(__always)
  static func conntrackMap(tcp: Bool) -> MapID { tcp ? .ct6TCP : .ct6Any }
  static var fragmentMap: MapID { .fragments6 }
  static var affinityMap: MapID { .affinity6 }
  static var natMap: MapID { .nat6 }

  @inline(__always)
  static func conntrack(_ state: borrowing NodeState, _ tuple: CTTuple6, tcp: Bool) -> CTEntry? {
    tcp ? state.maps.ct6TCP[tuple] : state.maps.ct6Any[tuple]
  }
  @inline(__always)
  static func service(_ state: borrowing NodeState, _ key: ServiceKey6) -> ServiceEntry? {
    state.maps.services6[key]
  }
  static func backend(_ state: borrowing NodeState, _ id: UInt32) -> Backend6? { state.maps.backends6[id] }
  static func reverseNAT(_ state: borrowing NodeState, _ index: UInt16) -> (AddressWords, UInt16)? {
    state.maps.reverseNAT6[index].map { ($0.address, $0.port) }
  }
  static func affinity(_ state: borrowing NodeState, _ key: AffinityKey6) -> AffinityValue? {
    state.maps.affinity6[key]
  }
  static func fragment(_ state: borrowing NodeState, _ key: FragmentKey6) -> FragmentPorts? {
    state.maps.fragments6[key]
  }
  static func nat(_ state: borrowing NodeState, _ tuple: CTTuple6) -> NATEntry6? { state.maps.nat6[tuple] }
  static func translation(_ entry: NATEntry6) -> Translation<AddressWords> {
    Translation(
      address: entry.to_addr, port: entry.to_port, created: entry.created,
      needsConntrack: entry.needs_ct != 0)
  }
  static func natEntry(_ translation: Translation<AddressWords>) -> NATEntry6 {
    var entry = NATEntry6()
    entry.created = translation.created
    entry.needs_ct = translation.needsConntrack ? 1 : 0
    entry.to_addr = translation.address
    entry.to_port = translation.port
    return entry
  }

  @inline(__always)
  static func prefetchService(_ state: borrowing NodeState, _ key: ServiceKey6) -> UInt64 {
    state.maps.services6.prefetch(key)
  }
  @inline(__always)
  static func prefetchConntrack(_ state: borrowing NodeState, _ tuple: CTTuple6, tcp: Bool) -> UInt64 {
    tcp ? state.maps.ct6TCP.prefetch(tuple) : state.maps.ct6Any.prefetch(tuple)
  }
  @inline(__always)
  static func prefetchEntries(_ state: borrowing NodeState, service: UInt64) {
    state.maps.services6.prefetchEntry(service)
  }
  @inline(__always)
  static func prefetchEntries(_ state: borrowing NodeState, conntrack: UInt64, tcp: Bool) {
    if tcp {
      state.maps.ct6TCP.prefetchEntry(conntrack)
    } else {
      state.maps.ct6Any.prefetchEntry(conntrack)
    }
  }

  static func step(_ key: ServiceKey6, _ entry: ServiceEntry?) -> Step { .service6(key, entry) }
  @inline(__always)
  static func step(_ tuple: CTTuple6, _ direction: Step.CTDirection, _ status: Step.CTStatus) -> Step {
    .conntrack6(tuple, direction, status)
  }
  @inline(__always)
  static func step(translatedTo backend: Backend6) -> Step { .translated6(backend) }
}

/// Next-header numbers of the headers that are skipped.
enum ExtensionHeader {
  static let hopByHop: UInt8 = 0
  static let ipv6: UInt8 = 41
  static let routing: UInt8 = 43
  static let fragment: UInt8 = 44
  static let authentication: UInt8 = 51
  static let none: UInt8 = 59
  static let destination: UInt8 = 60
}
