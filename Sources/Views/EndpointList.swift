import Wire

/// An endpoint of the node, as the agent's API lists it.
public struct EndpointRow: Hashable, Sendable {
  /// Whether a policy is enforced in a direction.
  public enum Enforcement: String, Hashable, Sendable, CaseIterable {
    case disabled = "Disabled"
    case enabled = "Enabled"
    case audited = "Disabled (Audit)"
  }

  public var id: UInt16
  public var ingress: Enforcement
  public var egress: Enforcement
  /// nil while none has been allocated.
  public var identity: UInt32?
  /// The labels that make the identity: `k8s:app=nginx`.
  public var labels: [String]
  /// nil shows as nothing, as with the host endpoint.
  public var ipv6: IPv6Address?
  public var ipv4: IPv4Address?
  /// `ready`, `waiting-for-identity`, `regenerating` …
  public var state: String

  public init(
    id: UInt16, ingress: Enforcement, egress: Enforcement, identity: UInt32?, labels: [String],
    ipv6: IPv6Address? = nil, ipv4: IPv4Address? = nil, state: String = "ready"
  ) {
    self.id = id
    self.ingress = ingress
    self.egress = egress
    self.identity = identity
    self.labels = labels
    self.ipv6 = ipv6
    self.ipv4 = ipv4
    self.state = state
  }

  public init(
    id: UInt16, ingressEnforced: Bool, egressEnforced: Bool, identity: UInt32?, labels: [String],
    ipv6: IPv6Address? = nil, ipv4: IPv4Address? = nil, state: String = "ready"
  ) {
    self.init(
      id: id, ingress: ingressEnforced ? .enabled : .disabled, egress: egressEnforced ? .enabled : .disabled,
      identity: identity, labels: labels, ipv6: ipv6, ipv4: ipv4, state: state)
  }
}

/// `cilium-dbg endpoint list`. Source: `cilium-dbg/cmd/endpoint_list.go`.
public enum EndpointList {
  /// The endpoints by id, each label on a line of its own.
  public static func text(_ rows: [EndpointRow], headers: Bool = true) -> String {
    var table = TabWriter()
    if headers {
      table.row(
        [
          "ENDPOINT", "POLICY (ingress)", "POLICY (egress)", "IDENTITY", "LABELS (source:key[=value])",
          "IPv6",
          "IPv4", "STATUS",
        ], closed: true)
      // One cell fewer than the rows have.
      table.row(["", "ENFORCEMENT", "ENFORCEMENT", "", "", "", "", ""])
    }
    for row in rows.sorted(by: { $0.id < $1.id }) {
      let labels = row.labels.isEmpty ? ["no labels"] : row.labels.sortedByOctets()
      for (index, label) in labels.enumerated() {
        if index == 0 {
          table.row(
            [
              String(row.id), row.ingress.rawValue, row.egress.rawValue,
              row.identity.map { String($0) } ?? "<no label id>", label, row.ipv6?.description ?? "",
              row.ipv4?.description ?? "", row.state,
            ], closed: true)
        } else {
          table.row(["", "", "", "", label, "", "", ""], closed: true)
        }
      }
    }
    return table.text
  }
}
