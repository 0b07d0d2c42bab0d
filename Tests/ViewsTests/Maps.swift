import CDatapath
import MapABI
import Wire

func v4(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) -> UInt32 { IPv4Address(a, b, c, d).bits.bigEndian }

func v6(_ text: String) -> AddressWords { AddressWords(IPv6Address(text) ?? .unspecified) }

extension NodeMaps {
  /// A service entry; `flags` is both octets.
  mutating func addService(
    _ address: UInt32, _ port: UInt16, slot: UInt16 = 0, backend: UInt32 = 0, count: UInt16 = 0, id: UInt16,
    flags: UInt16 = 0, transport: UInt8 = 6, scope: UInt8 = 0
  ) {
    services4[
      ServiceKey4(
        address: address, dport: port.bigEndian, backend_slot: slot, proto: transport, scope: scope, pad: 0)] =
      ServiceEntry(
        backend_id: backend, count: count, rev_nat_index: id.bigEndian, flags: UInt8(flags & 255),
        flags2: UInt8(flags >> 8),
        qcount: 0)
  }

  mutating func addService(
    _ address: AddressWords, _ port: UInt16, slot: UInt16 = 0, backend: UInt32 = 0, id: UInt16,
    flags: UInt16 = 0,
    scope: UInt8 = 0
  ) {
    services6[
      ServiceKey6(address: address, dport: port.bigEndian, backend_slot: slot, proto: 6, scope: scope, pad: 0)
    ] =
      ServiceEntry(
        backend_id: backend, count: 0, rev_nat_index: id.bigEndian, flags: UInt8(flags & 255),
        flags2: UInt8(flags >> 8),
        qcount: 0)
  }

  mutating func addBackend(
    _ id: UInt32, _ address: UInt32, _ port: UInt16, flags: UInt8 = 0, cluster: UInt16 = 0, zone: UInt8 = 0
  ) {
    backends4[id] = Backend4(
      address: address, port: port.bigEndian, proto: 6, flags: flags, cluster_id: cluster, zone: zone, pad: 0)
  }

  mutating func addBackend(_ id: UInt32, _ address: AddressWords, _ port: UInt16) {
    backends6[id] = Backend6(
      address: address, port: port.bigEndian, proto: 6, flags: 0, cluster_id: 0, zone: 0, pad: 0)
  }

  mutating func addPolicy(
    _ endpoint: UInt16, identity: UInt32, egress: UInt8 = 0, transport: UInt8 = 0, port: UInt16 = 0,
    prefix: UInt32 = 0, entry: PolicyEntry = PolicyEntry()
  ) {
    var table = policies[endpoint] ?? EndpointPolicies.Table()
    let key = PolicyKey(
      prefixlen: 40 + prefix, sec_label: identity, egress: egress, protocol: transport, dport: port.bigEndian)
    table[exactly: key] = entry
    policies[endpoint] = table
  }
}
