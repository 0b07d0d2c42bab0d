import Cluster

/// A cell that a change of the policies changes.
public struct MatrixChange: Hashable, Sendable {
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    /// Denied before, and not after.
    case opened
    /// Denied after, and not before.
    case cutOff = "cut off"
    /// Passes both times, and a proxy takes it now.
    case redirected
    /// Passes both times, and no proxy takes it any more.
    case direct
  }

  public var kind: Kind
  public var from: Subject
  public var to: Subject
  public var transport: Transport
  /// What decided before and after; nil where no rule did.
  public var before: RuleSite?
  public var after: RuleSite?
  /// Where the cell stands in the two matrices.
  public var place: Place
  public var newPlace: Place

  public struct Place: Hashable, Sendable {
    public var transport: Int
    public var row: Int
    public var column: Int
  }
}

extension MatrixChange: CustomStringConvertible {
  /// `cut off: default/client → default/web 80/TCP, by CiliumNetworkPolicy default/p ingressDeny[0]`.
  public var description: String {
    let site = after.map { ", by \($0)" } ?? before.map { ", no longer by \($0)" } ?? ""
    return "\(kind.rawValue): \(from) → \(to) \(transport)\(site)"
  }
}

extension Matrix {
  /// What differs in `after`: the cells that both matrices have, in this one's order.
  public func changes(to after: Matrix) -> [MatrixChange] {
    func positions<Item: Hashable>(_ items: [Item]) -> [Item: Int] {
      Dictionary(items.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    }
    let rows = positions(after.rows.map(\.key))
    let columns = positions(after.columns.map(\.key))
    let transports = positions(after.transports)
    var result: [MatrixChange] = []
    for (t, transport) in self.transports.enumerated() {
      for (r, from) in self.rows.enumerated() {
        for (c, to) in self.columns.enumerated() {
          guard let t2 = transports[transport], let r2 = rows[from.key], let c2 = columns[to.key] else {
            continue
          }
          let (old, new) = (self[t, r, c], after[t2, r2, c2])
          guard let kind = MatrixChange.Kind(old.verdict, new.verdict) else { continue }
          result.append(
            MatrixChange(
              kind: kind, from: from, to: to, transport: transport, before: site(old), after: after.site(new),
              place: .init(transport: t, row: r, column: c),
              newPlace: .init(transport: t2, row: r2, column: c2))
          )
        }
      }
    }
    return result
  }
}

extension MatrixChange.Kind {
  fileprivate init?(_ before: Verdict, _ after: Verdict) {
    switch (before, after) {
    case (.denied, .allowed), (.denied, .redirected): self = .opened
    case (.allowed, .denied), (.redirected, .denied): self = .cutOff
    case (.allowed, .redirected): self = .redirected
    case (.redirected, .allowed): self = .direct
    case (.allowed, .allowed), (.denied, .denied), (.redirected, .redirected): return nil
    }
  }
}

extension Matrix {
  /// The sources and destinations that only one of two matrices has.
  public func difference(to after: Matrix) -> (gone: [Subject], new: [Subject]) {
    func missing(_ a: Matrix, _ b: Matrix) -> [Subject] {
      let known = Set((b.rows + b.columns).map(\.key))
      var seen: Set<String> = []
      return (a.rows + a.columns).filter { !known.contains($0.key) && seen.insert($0.key).inserted }
    }
    return (missing(self, after), missing(after, self))
  }
}

extension Subject {
  /// Who it is, whatever its labels have become.
  fileprivate var key: String { "\(kind.rawValue) \(description)" }
}
