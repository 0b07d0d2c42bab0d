/// An identity, as the agent's API lists it.
public struct IdentityRow: Hashable, Sendable {
  public var number: UInt32
  /// `k8s:app=nginx`
  public var labels: [String]
  /// How many endpoints of this node have it.
  public var references: Int

  public init(number: UInt32, labels: [String], references: Int = 0) {
    self.number = number
    self.labels = labels
    self.references = references
  }
}

/// `cilium-dbg identity list`. Source: `cilium-dbg/cmd/identity_list.go`, `identity_get.go`.
public enum IdentityList {
  /// The identities by number, each label on a line of its own; one without labels does not show.
  public static func text(_ rows: [IdentityRow]) -> String {
    var table = TabWriter(minimumWidth: 2)
    table.row(["ID", "LABELS"])
    for row in sorted(rows) {
      for (index, label) in Labels.printable(row.labels).enumerated() {
        table.row([index == 0 ? String(row.number) : "", label])
      }
    }
    return table.text
  }

  /// With `--endpoints`: the identities of this node's endpoints.
  public static func endpointsText(_ rows: [IdentityRow]) -> String {
    var table = TabWriter()
    table.row(["ID", "LABELS", "REFCOUNT"])
    for row in sorted(rows) where row.references > 0 {
      for (index, label) in Labels.printable(row.labels).enumerated() {
        if index == 0 {
          table.row([String(row.number), label, String(row.references)], closed: true)
        } else {
          table.row(["", label], closed: true)
        }
      }
    }
    return table.text
  }

  private static func sorted(_ rows: [IdentityRow]) -> [IdentityRow] {
    rows.sorted {
      $0.number != $1.number
        ? $0.number < $1.number : $0.labels.joined().precedesByOctets($1.labels.joined())
    }
  }
}
