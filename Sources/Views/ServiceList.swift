import MapABI
import Wire

/// A frontend with its backends, as the agent's API lists it.
public struct ServiceRow: Hashable, Sendable {
  public struct Backend: Hashable, Sendable {
    /// `10.244.1.233:80/TCP`
    public var address: String
    /// `active`, `terminating`, `quarantined`, `maintenance`
    public var state: String

    public init(address: String, state: String = "active") {
      self.address = address
      self.state = state
    }
  }

  public var id: UInt16
  /// `10.96.130.157:80/TCP`; `/i` behind it for traffic from inside the cluster.
  public var frontend: String
  /// `ClusterIP`, `NodePort`, `LoadBalancer`, `ExternalIPs`, `HostPort`, `LocalRedirect`
  public var type: String
  public var backends: [Backend]
  /// Whether another cluster of a mesh has it.
  public var isRemote: Bool

  public init(id: UInt16, frontend: String, type: String, backends: [Backend], isRemote: Bool = false) {
    self.id = id
    self.frontend = frontend
    self.type = type
    self.backends = backends
    self.isRemote = isRemote
  }

  /// The services that the maps hold, by id; backends in the order of their slots, a proxy's port last.
  ///
  /// Wildcard entries, which only drop, have no number and are no services.
  public static func rows(_ maps: NodeMaps) -> [ServiceRow] {
    let records = maps.serviceRecords
    var rows: [ServiceRow] = []
    var current: ServiceRecord?
    for record in records {
      if record.slot == 0 {
        current = record.entry.rev_nat_index == 0 ? nil : record
        guard current != nil else { continue }
        rows.append(
          ServiceRow(
            id: UInt16(bigEndian: record.entry.rev_nat_index), frontend: record.frontendText,
            type: record.typeText, backends: []))
      } else if let current, current.sameFrontend(as: record),
        let backend = maps.backendRecord(record.entry.backend_id)
      {
        let host = backend.address.text(clusterID: backend.clusterID)
        let text = backend.address.family == .ipv6 ? "[\(host)]" : host
        rows[rows.count - 1].backends.append(
          Backend(
            address: "\(text):\(backend.port)/\(ProtocolText.name(backend.transport))",
            state: backend.stateText))
      }
    }
    return rows.appendingProxies(records)
  }
}

extension [ServiceRow] {
  fileprivate func appendingProxies(_ records: [ServiceRecord]) -> [ServiceRow] {
    var rows = self
    let frontends = records.filter { $0.slot == 0 && $0.entry.rev_nat_index != 0 }
    for (index, record) in frontends.enumerated() where record.isL7 && record.proxyPort != 0 {
      let host = record.address.family == .ipv6 ? "[::1]" : "127.0.0.1"
      rows[index].backends.append(
        ServiceRow.Backend(address: "\(host):\(record.proxyPort)/\(ProtocolText.name(record.transport))"))
    }
    return rows.sorted { $0.id != $1.id ? $0.id < $1.id : $0.frontend.precedesByOctets($1.frontend) }
  }
}

/// `cilium-dbg service list`. Source: `cilium-dbg/cmd/service_list.go`, `pkg/loadbalancer/frontend.go`.
public enum ServiceList {
  /// The services by id, each backend on a line of its own.
  ///
  /// `meshAffinity`: the flag `--clustermesh-affinity`; the agent calls every backend preferred.
  public static func text(_ rows: [ServiceRow], meshAffinity: Bool = false) -> String {
    var table = TabWriter()
    table.row(["ID", "Frontend", "Service Type", "Backend"], closed: true)
    let preferred = meshAffinity ? " (preferred)" : ""
    for row in rows.sorted(by: { $0.id < $1.id }) {
      let type = row.isRemote ? row.type + " (Remote)" : row.type
      let backends = row.backends.enumerated().map { "\($0 + 1) => \($1.address) (\($1.state))\(preferred)" }
      table.row([String(row.id), row.frontend, type, backends.first ?? ""], closed: true)
      for backend in backends.dropFirst() { table.row(["", "", "", backend], closed: true) }
    }
    return table.text
  }

  public static func text(_ maps: NodeMaps) -> String { text(ServiceRow.rows(maps)) }
}
