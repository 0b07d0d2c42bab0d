/// Finds the two directions of each conversation among flows: those whose inner addresses and ports are each other's
/// swapped. Flows between the same two nodes are preferred; a reply that leaves another way (direct server return)
/// is found after them.
struct Pairing: ~Copyable {
  private static let none = UInt32.max
  private let partner: UnsafeMutablePointer<UInt32>

  init(_ flows: borrowing FlowTable, _ tunnels: borrowing TunnelTable) {
    partner = .allocate(capacity: max(1, flows.count))
    partner.initialize(repeating: Self.none, count: max(1, flows.count))
    match(flows, tunnels, sameNodes: true)
    match(flows, tunnels, sameNodes: false)
  }

  deinit { partner.deallocate() }

  /// The other direction of a flow.
  func partner(of flow: Int) -> Int? { partner[flow] == Self.none ? nil : Int(partner[flow]) }

  private struct Key: Equatable {
    var ends: UInt64
    var ports: UInt64
    var kind: UInt64
    var nodes: UInt64
    var tunnel: UInt64

    var hash: UInt64 { mixed(mixed(ends, ports, 0x9e37_79b9), nodes ^ kind << 7 ^ tunnel, 0x85eb_ca6b) }

    var reversed: Key {
      var key = self
      key.ends = ends << 32 | ends >> 32
      key.nodes = nodes << 32 | nodes >> 32
      // An Ethernet type stands where the destination port does, and has no direction.
      if kind & FlowKey.Kind.mask != FlowKey.Kind.other {
        key.ports = ports >> 16 | ports << 16 & 0xffff_0000
      }
      return key
    }
  }

  /// One pass in the order of the flows. The index holds one flow per key, the last that found no partner; so
  /// flows that are alike in everything but their identity cost no more than others.
  private func match(_ flows: borrowing FlowTable, _ tunnels: borrowing TunnelTable, sameNodes: Bool) {
    func key(_ number: Int) -> Key {
      let flow = flows[number].key
      let tunnel = tunnels[Int(flow.ports & 0xffff_ffff)]
      return Key(
        ends: flow.ends, ports: flow.ports >> 32, kind: flow.kind, nodes: sameNodes ? tunnel.ends : 0,
        tunnel: sameNodes ? tunnel.key >> 24 : 0)
    }
    let unpaired = (0..<flows.count).count { partner[$0] == Self.none }
    guard unpaired > 1 else { return }
    var capacity = 16
    while capacity * 3 / 4 < unpaired { capacity *= 2 }
    let mask = capacity - 1
    let slots = UnsafeMutablePointer<UInt32>.allocate(capacity: capacity)
    slots.initialize(repeating: 0, count: capacity)
    defer { slots.deallocate() }
    func find(_ wanted: Key) -> Int {
      var slot = Int(truncatingIfNeeded: wanted.hash) & mask
      while slots[slot] != 0, key(Int(slots[slot]) - 1) != wanted { slot = (slot + 1) & mask }
      return slot
    }
    for number in 0..<flows.count where partner[number] == Self.none {
      let own = key(number)
      let found = Int(slots[find(own.reversed)])
      if found != 0, found - 1 != number, partner[found - 1] == Self.none {
        partner[number] = UInt32(found - 1)
        partner[found - 1] = UInt32(number)
      }
      let slot = find(own)
      if slots[slot] == 0 || partner[Int(slots[slot]) - 1] != Self.none { slots[slot] = UInt32(number + 1) }
    }
  }
}
