import CDatapath
import MapABI

/// `cilium-dbg bpf metrics list`. Source: `cilium-dbg/cmd/bpf_metrics_list.go`, `pkg/maps/metricsmap`.
public enum MetricsList {
  /// The counters of forwarded and dropped packets; nothing if there is none.
  ///
  /// Rows are sorted as texts, column by column, as cilium-dbg does: 9 stands behind 10.
  public static func text(_ maps: NodeMaps) -> String {
    guard maps.metrics.count > 0 else { return "" }
    var table = TabWriter()
    table.row(["REASON", "DIRECTION", "PACKETS", "BYTES", "LINE", "FILE"])
    let rows = zip(maps.metrics.keys, maps.metrics.values).map { key, counters in
      [
        reasonText(key.reason), directionText(key.dir), String(counters.packets), String(counters.bytes),
        String(key.line), fileText(key.file),
      ]
    }
    for row in rows.sorted(by: precedes) { table.row(row) }
    return table.text
  }

  private static func precedes(_ a: [String], _ b: [String]) -> Bool {
    for (a, b) in zip(a, b) where a != b { return a.precedesByOctets(b) }
    return false
  }

  static func directionText(_ direction: UInt8) -> String {
    switch UInt32(direction) {
    case METRIC_INGRESS.rawValue: "INGRESS"
    case METRIC_EGRESS.rawValue: "EGRESS"
    case METRIC_SERVICE.rawValue: "SERVICE"
    default: "UNKNOWN"
    }
  }

  /// Source: `pkg/monitor/api/drop.go`. Numbers below 130 count what was not dropped; those that no program
  /// gives any more keep their names.
  static func reasonText(_ reason: UInt8) -> String {
    switch reason {
    case 0: "Success"
    case 2: "Invalid packet"
    case 3: "Interface"
    case 4: "Interface Decrypted"
    case 5: "LB, sock cgroup: No backend slot entry found"
    case 6: "LB, sock cgroup: No backend entry found"
    case 7: "LB, sock cgroup: Reverse entry update failed"
    case 8: "LB, sock cgroup: Reverse entry stale"
    case 9: "Fragmented packet"
    case 10: "Fragmented packet entry update failed"
    case 11: "Missed tail call to custom program"
    case 12: "Interface Decrypting"
    case 13: "Interface Encrypting"
    case 14: "LB: sock cgroup: Reverse entry delete succeeded"
    case 15: "MTU error message"
    case 130: "Invalid source mac"
    case 131: "Invalid destination mac"
    case 138: "CT: Can't create entry from packet"
    case 148: "Error retrieving tunnel options"
    case 149: "Invalid Geneve option"
    case 152: "No matching local container found"
    case 186: "SRv6 state was removed during tail call"
    case 206: "No device"
    // Cilium names this drop in its flow API only.
    case DropReason.unsuppServiceProto.rawValue: "\(reason), 0"
    default: DropReason(rawValue: reason)?.text ?? "\(reason), 0"
    }
  }

  /// Source: `pkg/monitor/api/files.go`.
  static func fileText(_ file: UInt8) -> String {
    switch file {
    case 1: "bpf_host.c"
    case 2: "bpf_lxc.c"
    case 3: "bpf_overlay.c"
    case 4: "bpf_xdp.c"
    case 5: "bpf_sock.c"
    case 7: "bpf_wireguard.c"
    case 101: "drop.h"
    case 102: "srv6.h"
    case 103: "icmp6.h"
    case 104: "nodeport.h"
    case 105: "lb.h"
    case 106: "mcast.h"
    case 107: "ipv4.h"
    case 108: "conntrack.h"
    case 109: "local_delivery.h"
    case 110: "trace.h"
    case 111: "encap.h"
    case 112: "host_firewall.h"
    case 113: "nodeport_egress.h"
    case 114: "ipv6.h"
    case 115: "classifiers.h"
    default: "unknown(\(file))"
    }
  }
}
