import Cluster

extension Matrix {
  /// Why a cell is what it is, as a clause: the rule, or what stands in for one.
  ///
  /// - Parameter place: where a policy was written; only rules know it by themselves.
  public func reason(
    _ cell: Cell, row: Int, column: Int, place: (ObjectReference) -> SourceLocation = { _ in .none }
  ) -> String {
    let own = cell.direction == .egress ? rows[row] : columns[column]
    func list(_ policies: [ObjectReference]) -> String {
      policies.map { policy in
        let location = place(policy)
        return location.isKnown ? "\(policy) (\(location))" : "\(policy)"
      }.joined(separator: ", ")
    }
    switch (cell.reason, enforcement(cell, row: row, column: column)) {
    case (.rule, _): return site(cell).map { "\($0)" } ?? "a rule"
    case (.defaultDeny, .defaultDeny(let policies)):
      return "default deny by \(list(policies)), and no rule matches"
    case (.defaultDeny, _): return "policy is always enforced on \(own), and no rule matches"
    case (.defaultAllow, .defaultAllow(let policies)):
      return "\(list(policies)) without default deny, and no rule matches"
    case (.defaultAllow, _): return "no default deny"
    case (.notEnforced, .never): return "policy enforcement is switched off"
    case (.notEnforced, .noEndpoint): return "no policy is kept for \(own)"
    case (.notEnforced, _): return "no policy selects either end for this"
    case (.localHost, _): return "a node reaches its own pods where no rule says otherwise"
    case (.itself, _): return "traffic of a pod to itself never leaves it"
    case (.fragmentationNeeded, _): return "word that a packet is too large passes every policy"
    }
  }
}
