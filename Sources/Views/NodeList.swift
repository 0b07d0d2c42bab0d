import Wire

/// A node of the cluster, as the agent's API lists it.
public struct NodeRow: Hashable, Sendable {
  /// Cluster and node: `kind-kind/kind-worker`.
  public var name: String
  public var ipv4: IPv4Address?
  /// Where the node's pods get their addresses from.
  public var ipv4Range: CIDR?
  public var ipv6: IPv6Address?
  public var ipv6Range: CIDR?
  /// Who told: `local`, `custom-resource`, `clustermesh` …
  public var source: String

  public init(
    name: String, ipv4: IPv4Address? = nil, ipv4Range: CIDR? = nil, ipv6: IPv6Address? = nil,
    ipv6Range: CIDR? = nil, source: String
  ) {
    self.name = name
    self.ipv4 = ipv4
    self.ipv4Range = ipv4Range
    self.ipv6 = ipv6
    self.ipv6Range = ipv6Range
    self.source = source
  }
}

/// `cilium-dbg node list`. Source: `cilium-dbg/cmd/node_list.go`.
public enum NodeList {
  /// The nodes, sorted as texts; nothing if there is none.
  public static func text(_ rows: [NodeRow]) -> String {
    guard !rows.isEmpty else { return "" }
    var table = TabWriter(minimumWidth: 0)
    table.row(["Name", "IPv4 Address", "Endpoint CIDR", "IPv6 Address", "Endpoint CIDR", "Source"])
    let lines = rows.map {
      [
        $0.name, $0.ipv4?.description ?? "", $0.ipv4Range?.description ?? "", $0.ipv6?.description ?? "",
        $0.ipv6Range?.description ?? "", $0.source,
      ]
      .joined(separator: "\t") + "\n"
    }
    for line in lines.sortedByOctets() { table.write(line) }
    return table.text
  }
}
