import CDatapath
import MapABI
import Wire

/// A key of the conntrack and NAT maps of either family, ports in host order; fields as the maps name them.
struct FlowTuple {
  var daddr: IPAddress
  var saddr: IPAddress
  var dport: UInt16
  var sport: UInt16
  var transport: UInt8
  var flags: UInt8

  init(_ key: CTTuple4) {
    daddr = key.daddr.asIPv4
    saddr = key.saddr.asIPv4
    dport = UInt16(bigEndian: key.dport)
    sport = UInt16(bigEndian: key.sport)
    transport = key.nexthdr
    flags = key.flags
  }

  init(_ key: CTTuple6) {
    daddr = .v6(key.daddr.v6)
    saddr = .v6(key.saddr.v6)
    dport = UInt16(bigEndian: key.dport)
    sport = UInt16(bigEndian: key.sport)
    transport = key.nexthdr
    flags = key.flags
  }

  func has(_ flag: tuple_flag) -> Bool { UInt32(flags) & flag.rawValue != 0 }

  /// Ascending by protocol, then by the addresses and ports, then by direction.
  static func < (a: Self, b: Self) -> Bool {
    if a.transport != b.transport { return a.transport < b.transport }
    return (a.daddr, a.sport, a.saddr, a.dport, a.flags) < (b.daddr, b.sport, b.saddr, b.dport, b.flags)
  }
}
