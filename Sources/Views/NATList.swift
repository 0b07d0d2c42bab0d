import CDatapath
import MapABI
import Wire

/// `cilium-dbg bpf nat list`. Source: `cilium-dbg/cmd/bpf_nat_list.go`, `pkg/maps/nat`, `pkg/tuple`.
public enum NATList {
  /// The entries of each family, IPv4 first; an empty line ends each map.
  ///
  /// Order within a map: protocol, addresses and ports, direction. Without a clock the raw time stamps show.
  public static func text(
    _ maps: NodeMaps, ipv4: Bool = true, ipv6: Bool = true, clock: MapClock? = nil
  ) -> String {
    let v4 = zip(maps.nat4.keys, maps.nat4.values).map {
      Entry(
        tuple: FlowTuple($0), address: $1.to_addr.asIPv4, port: UInt16(bigEndian: $1.to_port),
        created: $1.created,
        needsCT: $1.needs_ct)
    }
    let v6 = zip(maps.nat6.keys, maps.nat6.values).map {
      Entry(
        tuple: FlowTuple($0), address: .v6($1.to_addr.v6), port: UInt16(bigEndian: $1.to_port),
        created: $1.created,
        needsCT: $1.needs_ct)
    }
    return (ipv4 ? lines(v4, clock) : "") + (ipv6 ? lines(v6, clock) : "")
  }

  private struct Entry {
    var tuple: FlowTuple
    var address: IPAddress
    var port: UInt16
    var created: UInt64
    var needsCT: UInt64
  }

  private static func lines(_ entries: [Entry], _ clock: MapClock?) -> String {
    entries.filter { $0.tuple.transport != 0 }
      .sorted { $0.tuple < $1.tuple }
      .map { line($0, clock) }
      .joined() + "\n"
  }

  private static func line(_ entry: Entry, _ clock: MapClock?) -> String {
    let tuple = entry.tuple
    let isInward = tuple.has(TUPLE_IN)
    let age = clock.map { "\(0 &- $0.remaining(entry.created))sec ago" } ?? "? (raw \(entry.created))"
    return "\(ProtocolText.name(tuple.transport)) \(isInward ? "IN" : "OUT") "
      + "\(tuple.saddr.joined(port: tuple.sport)) -> \(tuple.daddr.joined(port: tuple.dport)) "
      + (tuple.has(TUPLE_RELATED) ? "related " : "") + (tuple.has(TUPLE_SERVICE) ? "service " : "")
      + "XLATE_\(isInward ? "DST" : "SRC") \(entry.address.joined(port: entry.port)) "
      + "Created=\(age) NeedsCT=\(entry.needsCT)\n"
  }
}
