public import Wire

// The C structs of bpf/abi/maps.h as keys and values of tables.
extension EndpointKey: MapKey {}
extension EndpointInfo: MapValue {}
extension IPCacheKey: MapKey {}
extension RemoteEndpointInfo: MapValue {}
extension PolicyKey: MapKey {}
extension PolicyEntry: MapValue {}
extension PolicyStatsKey: MapKey {}
extension Counters: MapValue {}
extension CTTuple4: MapKey {}
extension CTTuple6: MapKey {}
extension CTEntry: MapValue {}
extension ServiceKey4: MapKey {}
extension ServiceKey6: MapKey {}
extension ServiceEntry: MapValue {}
extension Backend4: MapValue {}
extension Backend6: MapValue {}
extension ReverseNAT4: MapValue {}
extension ReverseNAT6: MapValue {}
extension AffinityKey4: MapKey {}
extension AffinityKey6: MapKey {}
extension AffinityValue: MapValue {}
extension AffinityMatch: MapKey {}
extension NATEntry4: MapValue {}
extension NATEntry6: MapValue {}
extension FragmentKey4: MapKey {}
extension FragmentKey6: MapKey {}
extension FragmentPorts: MapValue {}
extension MetricsKey: MapKey {}
extension AuthKey: MapKey {}
extension AuthInfo: MapValue {}
extension NodeKey: MapKey {}
extension NodeValue: MapValue {}
extension DeviceState: MapValue {}
extension RateLimitKey: MapKey {}
extension RateLimitValue: MapValue {}
extension UInt8: MapValue {}

extension AddressWords {
  /// The address in network order: an IPv4 address stands in the first word.
  @inline(__always)
  public init(_ address: IPAddress) {
    switch address {
    case .v4(let v4): self.init(v4)
    case .v6(let v6): self.init(v6)
    }
  }

  @inline(__always)
  public init(_ v4: IPv4Address) { self.init(w0: v4.bits.bigEndian, w1: 0, w2: 0, w3: 0) }

  @inline(__always)
  public init(_ v6: IPv6Address) {
    self.init(
      w0: UInt32(truncatingIfNeeded: v6.high >> 32).bigEndian,
      w1: UInt32(truncatingIfNeeded: v6.high).bigEndian,
      w2: UInt32(truncatingIfNeeded: v6.low >> 32).bigEndian,
      w3: UInt32(truncatingIfNeeded: v6.low).bigEndian)
  }

  /// The first word as an IPv4 address.
  public var v4: IPv4Address { IPv4Address(bits: UInt32(bigEndian: w0)) }

  public var v6: IPv6Address {
    IPv6Address(
      high: UInt64(UInt32(bigEndian: w0)) << 32 | UInt64(UInt32(bigEndian: w1)),
      low: UInt64(UInt32(bigEndian: w2)) << 32 | UInt64(UInt32(bigEndian: w3)))
  }

  public func address(_ family: AddressFamily) -> IPAddress { family == .ipv4 ? .v4(v4) : .v6(v6) }
}

extension MACBytes {
  public init(_ mac: MACAddress) {
    let o = mac.octets
    self.init(a0: o[0], a1: o[1], a2: o[2], a3: o[3], a4: o[4], a5: o[5], pad: 0)
  }

  public var mac: MACAddress {
    MACAddress(
      bits: UInt64(a0) << 40 | UInt64(a1) << 32 | UInt64(a2) << 24 | UInt64(a3) << 16 | UInt64(a4) << 8
        | UInt64(a5))
  }
}

extension EndpointKey {
  @inline(__always)
  public init(_ address: IPAddress) {
    self.init(
      ip: AddressWords(address),
      family: UInt8(address.family == .ipv4 ? ENDPOINT_KEY_IPV4.rawValue : ENDPOINT_KEY_IPV6.rawValue),
      key: 0, cluster_id: 0)
  }

  public var address: IPAddress {
    ip.address(UInt32(family) == ENDPOINT_KEY_IPV4.rawValue ? .ipv4 : .ipv6)
  }
}

extension IPCacheKey: LPMKey {
  /// Bits before the address: cluster, padding, family.
  public static let staticPrefix: UInt32 = 32
  public static let maximumLength: UInt32 = 160

  /// The key of a prefix.
  public init(_ prefix: CIDR, clusterID: UInt16 = 0) {
    self.init(prefix.network, clusterID: clusterID)
    prefixlen = Self.staticPrefix + UInt32(prefix.prefixLength)
  }

  /// The key to look an address up with.
  public init(_ address: IPAddress, clusterID: UInt16 = 0) {
    self.init(
      prefixlen: Self.staticPrefix + UInt32(address.bitWidth), cluster_id: clusterID, pad1: 0,
      family: UInt8(
        address.family == .ipv4 ? ENDPOINT_KEY_IPV4.rawValue : ENDPOINT_KEY_IPV6.rawValue),
      ip: AddressWords(address))
  }

  public var address: IPAddress {
    ip.address(UInt32(family) == ENDPOINT_KEY_IPV4.rawValue ? .ipv4 : .ipv6)
  }

  @inlinable @inline(__always)
  public func masked(to length: UInt32) -> IPCacheKey {
    var key = self
    key.prefixlen = length
    // Every entry has at least the static prefix; shorter ones cannot be made.
    let bits = length < Self.staticPrefix ? 0 : length - Self.staticPrefix
    key.ip.w0 = Self.mask(ip.w0, bits)
    key.ip.w1 = Self.mask(ip.w1, bits < 32 ? 0 : bits - 32)
    key.ip.w2 = Self.mask(ip.w2, bits < 64 ? 0 : bits - 64)
    key.ip.w3 = Self.mask(ip.w3, bits < 96 ? 0 : bits - 96)
    return key
  }

  @inlinable @inline(__always)
  static func mask(_ word: UInt32, _ bits: UInt32) -> UInt32 {
    bits >= 32 ? word : bits == 0 ? 0 : word & (UInt32.max << (32 - bits)).bigEndian
  }
}

extension PolicyKey: LPMKey {
  public static let maximumLength: UInt32 = 64

  /// The key to look traffic up with; `port` in host order.
  @inline(__always)
  public init(identity: UInt32, egress: Bool, protocol: UInt8, port: UInt16) {
    self.init(
      prefixlen: Self.maximumLength, sec_label: identity, egress: egress ? 1 : 0, protocol: `protocol`,
      dport: port.bigEndian)
  }

  @inlinable @inline(__always)
  public func masked(to length: UInt32) -> PolicyKey {
    var key = self
    key.prefixlen = length
    if length < 48 { key.protocol = 0 }
    key.dport =
      length >= 64 ? dport : length <= 48 ? 0 : dport & (UInt16(0xffff) << UInt16(64 - length)).bigEndian
    return key
  }
}
