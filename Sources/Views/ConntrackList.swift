import CDatapath
import MapABI
import Wire

/// `cilium-dbg bpf ct list`. Source: `cilium-dbg/cmd/bpf_ct_list.go`, `pkg/maps/ctmap`.
public enum ConntrackList {
  /// The entries of TCP and of every other protocol, IPv4 first; an empty line ends each map.
  ///
  /// Order within a map: protocol, client address and port, server address and port, direction. `clock` adds the
  /// remaining lifetime, as `--time-diff` does.
  public static func text(
    _ maps: NodeMaps, ipv4: Bool = true, ipv6: Bool = true, clock: MapClock? = nil
  ) -> String {
    var text = ""
    if ipv4 {
      for table in [maps.ct4TCP, maps.ct4Any] {
        text += lines(zip(table.keys, table.values).map { (FlowTuple($0), $1) }, clock) + "\n"
      }
    }
    if ipv6 {
      for table in [maps.ct6TCP, maps.ct6Any] {
        text += lines(zip(table.keys, table.values).map { (FlowTuple($0), $1) }, clock) + "\n"
      }
    }
    return text
  }

  private static func lines(_ entries: [(FlowTuple, CTEntry)], _ clock: MapClock?) -> String {
    entries.filter { $0.0.transport != 0 }
      .sorted { $0.0 < $1.0 }
      .map { line($0, $1, clock) }
      .joined()
  }

  /// An entry; the line ends with a space before its newline.
  static func line(_ tuple: FlowTuple, _ entry: CTEntry, _ clock: MapClock?) -> String {
    let remaining = clock.map { " (remaining: \($0.remaining(UInt64(entry.lifetime))) sec(s))" } ?? ""
    return tupleText(tuple)
      + "expires=\(entry.lifetime)\(remaining) Packets=\(entry.packets) Bytes=\(entry.bytes) "
      + "RxFlagsSeen=\(NumberText.hex(entry.rx_flags_seen, digits: 2)) LastRxReport=\(entry.last_rx_report) "
      + "TxFlagsSeen=\(NumberText.hex(entry.tx_flags_seen, digits: 2)) LastTxReport=\(entry.last_tx_report) "
      + "\(flagsText(entry.flags)) RevNAT=\(UInt16(bigEndian: entry.rev_nat_index)) SourceSecurityID=\(entry.src_sec_id) "
      + "BackendID=\(entry.backend_id) NatPort=\(UInt16(bigEndian: entry.nat_port)) \n"
  }

  /// Addresses without brackets, IPv6 ones, too. The map's address fields read right for the reply, its port fields
  /// for the request, except in a service entry.
  private static func tupleText(_ tuple: FlowTuple) -> String {
    let name = ProtocolText.name(tuple.transport)
    let related = tuple.has(TUPLE_RELATED) ? "related " : ""
    if tuple.has(TUPLE_SERVICE) {
      return "\(name) SVC \(tuple.saddr):\(tuple.dport) -> \(tuple.daddr):\(tuple.sport) \(related)"
    }
    let direction = tuple.has(TUPLE_IN) ? "IN" : "OUT"
    return "\(name) \(direction) \(tuple.daddr):\(tuple.sport) -> \(tuple.saddr):\(tuple.dport) \(related)"
  }

  private static func flagsText(_ flags: UInt16) -> String {
    let names: [(ct_entry_flag, String)] = [
      (CT_FLAG_RX_CLOSING, "RxClosing"), (CT_FLAG_TX_CLOSING, "TxClosing"),
      (ct_entry_flag(rawValue: 1 << 2), "Nat64"), (CT_FLAG_LOOPBACK, "LBLoopback"),
      (CT_FLAG_SEEN_NON_SYN, "SeenNonSyn"), (CT_FLAG_NODE_PORT, "NodePort"),
      (CT_FLAG_PROXY_REDIRECT, "ProxyRedirect"), (CT_FLAG_DSR_INTERNAL, "DSRInternal"),
      (CT_FLAG_FROM_L7LB, "FromL7LB"), (CT_FLAG_FROM_TUNNEL, "FromTunnel"),
    ]
    let set = names.filter { UInt32(flags) & $0.0.rawValue != 0 }.map { $0.1 + " " }.joined()
    // Bit 9 is reserved: neither named nor unknown.
    let unknown = flags & ~0x7ff
    let rest = unknown == 0 ? "" : "Unknown=\(NumberText.hex(unknown, digits: 4)) "
    return "Flags=\(NumberText.hex(flags, digits: 4)) [ \(set)\(rest)]"
  }
}
