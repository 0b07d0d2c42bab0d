import Wire

/// The addresses of one prefix, given out in ascending order.
///
/// An address that was released is not given again before the others were: a pod that is made anew has another
/// address than before. The first and the last address of a prefix with more than two are never given; of an IPv6
/// prefix at most 65,536 are.
///
/// Source: Cilium `pkg/ipam/service/ipallocator/allocator.go` (which draws at random).
struct AddressPool: Sendable {
  let cidr: CIDR
  private let first: UInt64
  let capacity: UInt64
  private var next: UInt64 = 0
  private(set) var owners: [IPAddress: String] = [:]

  init(_ cidr: CIDR) {
    self.cidr = cidr
    let hostBits = cidr.family.bitWidth - cidr.prefixLength
    let size: UInt64 =
      switch cidr.family {
      case .ipv4: hostBits >= 31 ? 0 : 1 << UInt64(hostBits)
      case .ipv6: 1 << UInt64(min(hostBits, 16))
      }
    first = size > 2 ? 1 : 0
    capacity = size > 2 ? size - 2 : size
  }

  mutating func allocate(for owner: String) -> IPAddress? {
    guard UInt64(owners.count) < capacity else { return nil }
    for _ in 0..<capacity {
      let offset = next
      next = (next + 1) % capacity
      guard let address = cidr.address(at: first + offset) else { continue }
      if owners[address] == nil {
        owners[address] = owner
        return address
      }
    }
    return nil
  }

  /// Takes a certain address; false when another owner has it.
  mutating func claim(_ address: IPAddress, for owner: String) -> Bool {
    if let holder = owners[address] { return holder == owner }
    owners[address] = owner
    return true
  }

  mutating func release(_ address: IPAddress) { owners[address] = nil }

  /// Why nothing is left, in Cilium's words.
  var exhausted: String {
    "unable to allocate IP via local cilium agent: [POST /ipam][502] postIpamFailure  \"range is full\""
  }

  /// `6/6 allocated from 10.0.42.0/29`, as `cilium-dbg status` counts.
  var status: String { "\(owners.count)/\(capacity) allocated from \(cidr)" }
}

/// Prefixes for the pods of each node, cut out of the cluster's in order.
struct PrefixPool: Sendable {
  let cidrs: [CIDR]
  /// The length of a node's prefix.
  let maskSize: Int
  private var taken: Set<CIDR> = []

  init(_ cidrs: [CIDR], maskSize: Int) {
    self.cidrs = cidrs
    self.maskSize = maskSize
  }

  /// The first prefix that overlaps none that is taken.
  mutating func allocate() -> CIDR? {
    for cidr in cidrs where maskSize >= cidr.prefixLength {
      let bits = UInt64(maskSize - cidr.prefixLength)
      // Nobody has 2^20 nodes; the bound keeps a full pool from being searched for ever.
      let count: UInt64 = bits >= 20 ? 1 << 20 : 1 << bits
      for index in 0..<count {
        guard let part = CIDRPart.part(index, of: cidr, length: maskSize), !isTaken(part) else { continue }
        taken.insert(part)
        return part
      }
    }
    return nil
  }

  mutating func claim(_ cidr: CIDR) { taken.insert(cidr) }
  mutating func release(_ cidr: CIDR) { taken.remove(cidr) }

  private func isTaken(_ part: CIDR) -> Bool {
    taken.contains(part) || taken.contains { $0.prefixLength != maskSize && $0.overlaps(part) }
  }
}

enum CIDRPart {
  /// The `index`-th prefix of `length` bits in `cidr`, from 0; nil when there is none.
  static func part(_ index: UInt64, of cidr: CIDR, length: Int) -> CIDR? {
    guard length >= cidr.prefixLength, length <= cidr.family.bitWidth else { return nil }
    let bits = UInt64(length - cidr.prefixLength)
    if bits < 64, index >> bits != 0 { return nil }
    let shift = UInt64(cidr.family.bitWidth - length)
    switch cidr.network {
    case .v4(let network):
      let address = IPv4Address(bits: network.bits | UInt32(truncatingIfNeeded: index << shift))
      return CIDR(.v4(address), prefixLength: length)
    case .v6(let network):
      let high = shift >= 64 ? index << (shift - 64) : shift == 0 ? 0 : index >> (64 - shift)
      let low = shift >= 64 ? 0 : index << shift
      let address = IPv6Address(high: network.high | high, low: network.low | low)
      return CIDR(.v6(address), prefixLength: length)
    }
  }
}
