internal import MapABI

extension CTTuple4: FlowTuple {}
extension Backend4: BackendValue {}

/// IPv4: RFC 791 headers, Cilium's `lib/ipv4.h`.
enum IPv4: IPFamily {
  typealias Address = UInt32
  typealias Tuple = CTTuple4

  static var isIPv6: Bool { false }
  static var etherType: UInt16 { 0x0800 }
  static var headerLength: Int { 20 }
  static var sourceOffset: Int { 12 }
  static var destinationOffset: Int { 16 }
  static var protocolOffset: Int { 9 }
  static var icmpProtocol: UInt8 { IPProtocol.icmp }
  static var addressWidth: Int { 32 }
  static let checksumOffset = 10

  @inline(__always)
  static func transport(_ packet: PacketBuffer, l3: Int) throws(Drop) -> Transport {
    let first = try packet.require(l3, as: UInt8.self)
    let `protocol` = try packet.require(l3 + protocolOffset, as: UInt8.self)
    // The header length is not checked: a short one makes ports of the header itself, as in Cilium.
    return Transport(
      offset: l3 + Int(first & 15) * 4, protocol: `protocol`, fragment: try fragment(packet, l3: l3))
  }

  /// `ipfrag_encode_ipv4`
  @inline(__always)
  static func fragment(_ packet: PacketBuffer, l3: Int) throws(Drop) -> FragmentInfo {
    let id = try packet.require(l3 + 4, as: UInt16.self)
    let offset = UInt16(bigEndian: try packet.require(l3 + 6, as: UInt16.self))
    return FragmentInfo(
      id: UInt32(id), protocol: try packet.require(l3 + protocolOffset, as: UInt8.self),
      isFragment: offset & 0x3fff != 0, hasTransportHeader: offset & 0x1fff == 0)
  }

  /// `ipv4_dec_ttl`
  static func decrementTTL(_ packet: PacketBuffer, l3: Int) throws(Drop) -> UInt8? {
    let ttl = try packet.require(l3 + 8, as: UInt8.self)
    guard ttl > 1 else { return nil }
    try packet.write(ttl - 1, l3 + 8)
    try packet.updateIPChecksum(l3 + checksumOffset, from: UInt16(ttl), to: UInt16(ttl - 1))
    return ttl - 1
  }

  @inline(__always)
  static func tuple(
    daddr: UInt32, saddr: UInt32, dport: UInt16, sport: UInt16, nexthdr: UInt8, flags: UInt8
  ) -> CTTuple4 {
    CTTuple4(daddr: daddr, saddr: saddr, dport: dport, sport: sport, nexthdr: nexthdr, flags: flags)
  }

  @inline(__always)
  static func serviceKey(_ frontend: Frontend<IPv4>, slot: UInt16) -> ServiceKey4 {
    ServiceKey4(
      address: frontend.address, dport: frontend.port, backend_slot: slot, proto: frontend.protocol,
      scope: frontend.scope, pad: 0)
  }

  static func fragmentKey(_ fragment: FragmentInfo, source: UInt32, destination: UInt32) -> FragmentKey4 {
    FragmentKey4(
      daddr: destination, saddr: source, id: UInt16(truncatingIfNeeded: fragment.id),
      proto: fragment.protocol, pad: 0)
  }

  static func affinityKey(client: UInt32, revNATIndex: UInt16) -> AffinityKey4 {
    AffinityKey4(client: UInt64(client), rev_nat_id: revNATIndex, netns_cookie: 0, pad1: 0, pad2: 0)
  }

  static func affinityKey(namespace cookie: UInt64, revNATIndex: UInt16) -> AffinityKey4 {
    AffinityKey4(client: cookie, rev_nat_id: revNATIndex, netns_cookie: 1, pad1: 0, pad2: 0)
  }

  /// An IPv4 address stands in the last word of the union (`nat_addr.p4`).
  static func natAddress(_ address: UInt32) -> NATAddress { NATAddress(high: UInt64(address) << 32) }
  static func address(_ nat: NATAddress) -> UInt32 { UInt32(truncatingIfNeeded: nat.high >> 32) }

  @inline(__always)
  static func conntrackMap(tcp: Bool) -> MapID { tcp ? .ct4TCP : .ct4Any }
  static var fragmentMap: MapID { .fragments4 }
  static var affinityMap: MapID { .affinity4 }
  static var natMap: MapID { .nat4 }

  @inline(__always)
  static func conntrack(_ state: borrowing NodeState, _ tuple: CTTuple4, tcp: Bool) -> CTEntry? {
    tcp ? state.maps.ct4TCP[tuple] : state.maps.ct4Any[tuple]
  }
  @inline(__always)
  static func service(_ state: borrowing NodeState, _ key: ServiceKey4) -> ServiceEntry? {
    state.maps.services4[key]
  }
  static func backend(_ state: borrowing NodeState, _ id: UInt32) -> Backend4? { state.maps.backends4[id] }
  static func reverseNAT(_ state: borrowing NodeState, _ index: UInt16) -> (UInt32, UInt16)? {
    state.maps.reverseNAT4[index].map { ($0.address, $0.port) }
  }
  static func affinity(_ state: borrowing NodeState, _ key: AffinityKey4) -> AffinityValue? {
    state.maps.affinity4[key]
  }
  static func fragment(_ state: borrowing NodeState, _ key: FragmentKey4) -> FragmentPorts? {
    state.maps.fragments4[key]
  }
  static func nat(_ state: borrowing NodeState, _ tuple: CTTuple4) -> NATEntry4? { state.maps.nat4[tuple] }
  static func translation(_ entry: NATEntry4) -> Translation<UInt32> {
    Translation(
      address: entry.to_addr, port: entry.to_port, created: entry.created,
      needsConntrack: entry.needs_ct != 0)
  }
  static func natEntry(_ translation: Translation<UInt32>) -> NATEntry4 {
    var entry = NATEntry4()
    entry.created = translation.created
    entry.needs_ct = translation.needsConntrack ? 1 : 0
    entry.to_addr = translation.address
    entry.to_port = translation.port
    return entry
  }

  @inline(__always)
  static func prefetchService(_ state: borrowing NodeState, _ key: ServiceKey4) -> UInt64 {
    state.maps.services4.prefetch(key)
  }
  @inline(__always)
  static func prefetchConntrack(_ state: borrowing NodeState, _ tuple: CTTuple4, tcp: Bool) -> UInt64 {
    tcp ? state.maps.ct4TCP.prefetch(tuple) : state.maps.ct4Any.prefetch(tuple)
  }
  @inline(__always)
  static func prefetchEntries(_ state: borrowing NodeState, service: UInt64) {
    state.maps.services4.prefetchEntry(service)
  }
  @inline(__always)
  static func prefetchEntries(_ state: borrowing NodeState, conntrack: UInt64, tcp: Bool) {
    if tcp {
      state.maps.ct4TCP.prefetchEntry(conntrack)
    } else {
      state.maps.ct4Any.prefetchEntry(conntrack)
    }
  }

  @inline(__always)
  static func step(_ key: ServiceKey4, _ entry: ServiceEntry?) -> Step { .service4(key, entry) }
  @inline(__always)
  static func step(_ tuple: CTTuple4, _ direction: Step.CTDirection, _ status: Step.CTStatus) -> Step {
    .conntrack4(tuple, direction, status)
  }
  @inline(__always)
  static func step(translatedTo backend: Backend4) -> Step { .translated4(backend) }
}
