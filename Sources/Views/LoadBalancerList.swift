import CDatapath
import MapABI
import Wire

/// `cilium-dbg bpf lb list`. Source: `cilium-dbg/cmd/bpf_lb_list.go`, `pkg/loadbalancer/maps`.
public enum LoadBalancerList {
  /// Which map is shown.
  public enum Part: String, Hashable, Sendable, CaseIterable {
    /// Services with the backends of each slot.
    case services = ""
    /// The service maps as they are.
    case frontends = "--frontends"
    /// The backend maps as they are.
    case backends = "--backends"
    /// What replies are translated back to.
    case reverseNAT = "--revnat"
  }

  public static func text(_ maps: NodeMaps, _ part: Part = .services) -> String {
    switch part {
    case .services: services(maps).table("SERVICE ADDRESS", "BACKEND ADDRESS (REVNAT_ID) (SLOT)")
    case .frontends: frontends(maps).table("SERVICE ADDRESS", "BACKEND ID")
    case .backends: backends(maps).table("ID", "BACKEND ADDRESS (REVNAT_ID) (SLOT)")
    case .reverseNAT: reverseNAT(maps).table("ID", "BACKEND ADDRESS (REVNAT_ID) (SLOT)")
    }
  }

  private static func services(_ maps: NodeMaps) -> MapDump {
    var dump = MapDump()
    for record in maps.serviceRecords {
      dump.add("\(record.frontendText) (\(record.slot))", slotText(record, maps))
    }
    return dump
  }

  private static func slotText(_ record: ServiceRecord, _ maps: NodeMaps) -> String {
    let place = "(\(UInt16(bigEndian: record.entry.rev_nat_index))) (\(record.slot))"
    guard record.slot != 0 else {
      let unspecified = record.address.family == .ipv6 ? "[::]:0" : "0.0.0.0:0"
      let proxy = record.isL7 ? "(L7LB Proxy Port: \(record.proxyPort))" : ""
      // The space before an absent proxy is printed, too.
      return "\(unspecified) \(place) [\(ServiceFlagsText.text(record.flags))] \(proxy)"
    }
    guard let backend = maps.backendRecord(record.entry.backend_id) else {
      return "backend \(record.entry.backend_id) not found"
    }
    // Brackets follow the service's family, not the backend's.
    let address = backend.address.text(clusterID: backend.clusterID)
    let host = record.address.family == .ipv6 ? "[\(address)]" : address
    return "\(host):\(backend.port)/\(ProtocolText.name(backend.transport)) \(place)"
  }

  private static func frontends(_ maps: NodeMaps) -> MapDump {
    var dump = MapDump()
    for record in maps.serviceRecords {
      let entry = record.entry
      let flags = "0x\(String(entry.flags, radix: 16)) 0x\(String(entry.flags2, radix: 16))"
      dump.add(
        "\(record.frontendText) (\(record.slot))",
        "\(entry.backend_id) \(entry.count)[\(entry.qcount)] (\(UInt16(bigEndian: entry.rev_nat_index))) [\(flags)]"
      )
    }
    return dump
  }

  private static func backends(_ maps: NodeMaps) -> MapDump {
    let v4 = zip(maps.backends4.keys, maps.backends4.values).map { ($0, BackendRecord($1)) }
    let v6 = zip(maps.backends6.keys, maps.backends6.values).map { ($0, BackendRecord($1)) }
    var dump = MapDump()
    for (id, backend) in (v4 + v6).sorted(by: { ($0.0, $0.1.address) < ($1.0, $1.1.address) }) {
      // cilium-dbg does not know the agent's names of zones.
      let zone = backend.zone == 0 ? "" : "[]"
      let address = backend.address.text(clusterID: backend.clusterID)
      dump.add(String(id), "\(ProtocolText.name(backend.transport))://\(address)\(zone)")
    }
    return dump
  }

  private static func reverseNAT(_ maps: NodeMaps) -> MapDump {
    let v4 = zip(maps.reverseNAT4.keys, maps.reverseNAT4.values).map {
      (UInt16(bigEndian: $0), $1.address.asIPv4, UInt16(bigEndian: $1.port))
    }
    let v6 = zip(maps.reverseNAT6.keys, maps.reverseNAT6.values).map {
      (UInt16(bigEndian: $0), IPAddress.v6($1.address.v6), UInt16(bigEndian: $1.port))
    }
    var dump = MapDump()
    for (id, address, port) in (v4 + v6).sorted(by: { ($0.0, $0.1, $0.2) < ($1.0, $1.1, $1.2) }) {
      dump.add(String(id), address.joined(port: port))
    }
    return dump
  }
}
