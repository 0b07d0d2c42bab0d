internal import MapABI

/// What differs between IPv4 and IPv6: layouts, maps, and a few rules. Every stage is written once over this.
protocol IPFamily {
  associatedtype Address: FlowAddress
  associatedtype Tuple: FlowTuple where Tuple.Address == Address
  associatedtype ServiceKey: MapKey
  associatedtype Backend: BackendValue where Backend.Address == Address
  associatedtype AffinityKey: MapKey
  associatedtype FragmentKey: MapKey
  associatedtype NATEntry: MapValue

  static var isIPv6: Bool { get }
  static var etherType: UInt16 { get }
  static var headerLength: Int { get }
  static var sourceOffset: Int { get }
  static var destinationOffset: Int { get }
  static var protocolOffset: Int { get }
  static var icmpProtocol: UInt8 { get }
  static var addressWidth: Int { get }

  /// Finds the transport header behind the IP header and its options or extension headers.
  static func transport(_ packet: PacketBuffer, l3: Int) throws(Drop) -> Transport
  /// `ipv4_l3`, `ipv6_l3`: the TTL or hop limit after the decrement, nil when it is used up.
  static func decrementTTL(_ packet: PacketBuffer, l3: Int) throws(Drop) -> UInt8?

  static func tuple(
    daddr: Address, saddr: Address, dport: UInt16, sport: UInt16, nexthdr: UInt8, flags: UInt8
  ) -> Tuple
  static func serviceKey(_ frontend: Frontend<Self>, slot: UInt16) -> ServiceKey
  static func fragmentKey(_ fragment: FragmentInfo, source: Address, destination: Address) -> FragmentKey
  static func affinityKey(client: Address, revNATIndex: UInt16) -> AffinityKey
  static func affinityKey(namespace cookie: UInt64, revNATIndex: UInt16) -> AffinityKey
  static func natAddress(_ address: Address) -> NATAddress
  static func address(_ nat: NATAddress) -> Address

  static func conntrackMap(tcp: Bool) -> MapID
  static var fragmentMap: MapID { get }
  static var affinityMap: MapID { get }
  static var natMap: MapID { get }

  static func conntrack(_ state: borrowing NodeState, _ tuple: Tuple, tcp: Bool) -> CTEntry?
  static func service(_ state: borrowing NodeState, _ key: ServiceKey) -> ServiceEntry?
  static func backend(_ state: borrowing NodeState, _ id: UInt32) -> Backend?
  static func reverseNAT(_ state: borrowing NodeState, _ index: UInt16) -> (Address, UInt16)?
  static func affinity(_ state: borrowing NodeState, _ key: AffinityKey) -> AffinityValue?
  static func fragment(_ state: borrowing NodeState, _ key: FragmentKey) -> FragmentPorts?
  static func nat(_ state: borrowing NodeState, _ tuple: Tuple) -> NATEntry?
  static func translation(_ entry: NATEntry) -> Translation<Address>
  static func natEntry(_ translation: Translation<Address>) -> NATEntry

  // Look-ups to come (see Foresight): each returns the hash under which the entry can be fetched.
  static func prefetchService(_ state: borrowing NodeState, _ key: ServiceKey) -> UInt64
  static func prefetchConntrack(_ state: borrowing NodeState, _ tuple: Tuple, tcp: Bool) -> UInt64
  static func prefetchEntries(_ state: borrowing NodeState, service: UInt64)
  static func prefetchEntries(_ state: borrowing NodeState, conntrack: UInt64, tcp: Bool)

  static func step(_ key: ServiceKey, _ entry: ServiceEntry?) -> Step
  static func step(_ tuple: Tuple, _ direction: Step.CTDirection, _ status: Step.CTStatus) -> Step
  static func step(translatedTo backend: Backend) -> Step
}

/// An address as it lies in the packet: network order, never converted on the way from packet to map.
protocol FlowAddress: PlainOctets, Sendable {
  static func same(_ a: Self, _ b: Self) -> Bool
  var isZero: Bool { get }
  /// As the maps' sixteen-octet form.
  var words: AddressWords { get }
  /// From the sixteen-octet form.
  init(words: AddressWords)
}

/// A conntrack tuple. Addresses and ports are in network order.
protocol FlowTuple: MapKey {
  associatedtype Address: FlowAddress
  var daddr: Address { get set }
  var saddr: Address { get set }
  var dport: UInt16 { get set }
  var sport: UInt16 { get set }
  var nexthdr: UInt8 { get set }
  var flags: UInt8 { get set }
}

extension FlowTuple {
  /// `__ipv4_ct_tuple_reverse`: the same flow seen from the other end; the direction flag stays.
  @inline(__always)
  var swapped: Self {
    var other = self
    other.saddr = daddr
    other.daddr = saddr
    other.sport = dport
    other.dport = sport
    return other
  }

  /// `ipv4_ct_tuple_reverse`: with the direction flag.
  @inline(__always)
  var reversed: Self {
    var other = swapped
    other.flags ^= TupleFlag.in
    return other
  }

  /// Between conntrack's order of ports and the packet's.
  @inline(__always)
  mutating func swapPorts() {
    let port = sport
    sport = dport
    dport = port
  }

  @inline(__always)
  func with(flags: UInt8) -> Self {
    var other = self
    other.flags = flags
    return other
  }
}

enum TupleFlag {
  static let out: UInt8 = 0
  static let `in`: UInt8 = 1
  static let related: UInt8 = 2
  static let service: UInt8 = 4
}

protocol BackendValue: MapValue {
  associatedtype Address: FlowAddress
  var address: Address { get }
  var port: UInt16 { get }
  /// The backend's state in the low bits.
  var flags: UInt8 { get }
}

/// A service's frontend: what a look-up in the service map asks for.
struct Frontend<F: IPFamily> {
  var address: F.Address
  /// Network order.
  var port: UInt16
  var `protocol`: UInt8
  var scope: UInt8 = 0
}

/// What an entry of the NAT map says: the address and port to write, in network order.
struct Translation<Address: FlowAddress> {
  var address: Address
  var port: UInt16
  /// On the clock of conntrack.
  var created: UInt64
  /// Whether the connection has a conntrack entry besides.
  var needsConntrack: Bool
}

/// The union in a conntrack entry: sixteen octets of an address.
struct NATAddress: Equatable {
  var low: UInt64 = 0
  var high: UInt64 = 0
}

/// Where the transport header is, and which.
struct Transport {
  /// From the start of the packet.
  var offset: Int
  var `protocol`: UInt8
  var fragment: FragmentInfo
}

/// What the IPv4 header or the IPv6 fragment header says about fragmentation (`fraginfo_t`).
struct FragmentInfo {
  /// As in the packet; IPv4 uses the low half.
  var id: UInt32 = 0
  /// The transport protocol; 0 for an unfragmented IPv6 packet.
  var `protocol`: UInt8 = 0
  var isFragment = false
  /// False from the second fragment on.
  var hasTransportHeader = true
}

extension UInt32: FlowAddress {
  @inline(__always) static func same(_ a: UInt32, _ b: UInt32) -> Bool { a == b }
  @inline(__always) var isZero: Bool { self == 0 }
  @inline(__always) var words: AddressWords { AddressWords(w0: self, w1: 0, w2: 0, w3: 0) }
  @inline(__always) init(words: AddressWords) { self = words.w0 }
}

extension AddressWords: FlowAddress {
  @inline(__always) static func same(_ a: Self, _ b: Self) -> Bool {
    (a.w0 ^ b.w0) | (a.w1 ^ b.w1) | (a.w2 ^ b.w2) | (a.w3 ^ b.w3) == 0
  }
  @inline(__always) var isZero: Bool { w0 | w1 | w2 | w3 == 0 }
  @inline(__always) var words: AddressWords { self }
  @inline(__always) init(words: AddressWords) { self = words }
}
