import Cluster
import Wire

/// Who can reach what: one verdict for each source, destination and port, and the rule behind it.
public struct Matrix: Hashable, Sendable {
  public struct Cell: Hashable, Sendable {
    public var verdict: Verdict
    /// The direction that decided: that which denies, else that which redirects, else ingress.
    public var direction: PolicyDirection
    public var reason: DecisionReason
    /// Which of the matrix' sites; nil where no rule decided.
    public var site: Int?

    /// `.` allowed, `X` denied, `7` redirected.
    public var symbol: Character {
      switch verdict {
      case .allowed: "."
      case .denied: "X"
      case .redirected: "7"
      }
    }
  }

  public let rows: [Subject]
  public let columns: [Subject]
  public let transports: [Transport]
  /// The rules that decided anywhere, in the order of the cells.
  public let sites: [RuleSite]
  private let cells: [Cell]

  init(
    rows: [Subject], columns: [Subject], transports: [Transport], sites: [RuleSite], cells: [Cell]
  ) {
    self.rows = rows
    self.columns = columns
    self.transports = transports
    self.sites = sites
    self.cells = cells
  }

  /// The cell of three positions, each in the range of its list.
  public subscript(transport: Int, row: Int, column: Int) -> Cell {
    cells[(transport * rows.count + row) * columns.count + column]
  }

  /// The rule behind a cell.
  public func site(_ cell: Cell) -> RuleSite? { cell.site.map { sites[$0] } }

  /// The cells of one port, a line for each source.
  public func lines(_ transport: Int) -> [String] {
    rows.indices.map { row in String(columns.indices.map { self[transport, row, $0].symbol }) }
  }

  /// The cells of one port as a table: the header `from/to` and the destinations, then a line per source.
  public func table(_ transport: Int) -> String {
    let names = ["from/to"] + rows.map(\.description)
    let width = names.map(\.count).max() ?? 0
    let headers = columns.map(\.description)
    func padded(_ text: String, _ width: Int) -> String {
      text + String(repeating: " ", count: max(0, width - text.count))
    }
    var lines = [([padded("from/to", width)] + headers).joined(separator: " ")]
    for (row, subject) in rows.enumerated() {
      let cells = headers.enumerated().map { column, header in
        padded(String(self[transport, row, column].symbol), header.count)
      }
      lines.append(([padded(subject.description, width)] + cells).joined(separator: " ").trimmedRight)
    }
    return lines.joined(separator: "\n") + "\n"
  }
}

extension String {
  fileprivate var trimmedRight: String {
    var text = self[...]
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}

extension Intent {
  /// The matrix of these sources, destinations and ports.
  public func matrix(
    from sources: [Subject], to destinations: [Subject], on transports: [Transport],
    family: AddressFamily = .ipv4
  ) -> Matrix {
    let rows = sources.map(policy(of:))
    let columns = destinations.map(policy(of:))
    var builder = MatrixBuilder()
    for transport in transports {
      for row in rows {
        for column in columns {
          let traffic = Traffic(from: row.subject, to: column.subject, transport, family: family)
          builder.add(decide(traffic, row, column))
        }
      }
    }
    return Matrix(
      rows: sources, columns: destinations, transports: transports, sites: builder.sites, cells: builder.cells
    )
  }

  private func decide(
    _ traffic: Traffic, _ source: EndpointPolicy, _ destination: EndpointPolicy
  ) -> (Decision, PolicyDirection) {
    if let reason = passesUnseen(traffic) { return (Decision(verdict: .allowed, reason: reason), .ingress) }
    let egress = source.egress.decide(question(traffic, .egress, source, destination))
    let ingress = destination.ingress.decide(question(traffic, .ingress, source, destination))
    for verdict in [Verdict.denied, .redirected] {
      if egress.verdict == verdict { return (egress, .egress) }
      if ingress.verdict == verdict { return (ingress, .ingress) }
    }
    return (ingress, .ingress)
  }
}

/// What a direction decides, without words.
struct Decision {
  var verdict: Verdict
  var reason: DecisionReason
  var rule: Rule?
  var candidate: Candidate?
}

extension DirectionPolicy {
  func decide(_ question: Question) -> Decision {
    let candidates = candidates(question)
    if !candidates.isEmpty, let winner = Choice(rules: rules, candidates: candidates).deciding() {
      return Decision(verdict: winner.verdict, reason: .rule, rule: rules[winner.rule], candidate: winner)
    }
    let (verdict, reason, _) = fallback(question.peer.identity)
    return Decision(verdict: verdict, reason: reason)
  }
}

/// Gathers cells, and each deciding rule once.
private struct MatrixBuilder {
  private struct Key: Hashable {
    let rule: Int
    let peer: Int
    let port: Int
  }

  var cells: [Matrix.Cell] = []
  var sites: [RuleSite] = []
  private var known: [Key: Int] = [:]

  mutating func add(_ decided: (Decision, PolicyDirection)) {
    let (decision, direction) = decided
    cells.append(
      Matrix.Cell(
        verdict: decision.verdict, direction: direction, reason: decision.reason, site: site(decision)))
  }

  private mutating func site(_ decision: Decision) -> Int? {
    guard let rule = decision.rule, let candidate = decision.candidate else { return nil }
    let key = Key(rule: rule.id, peer: candidate.peer, port: candidate.port)
    if let index = known[key] { return index }
    known[key] = sites.count
    sites.append(rule.site(rule.peer(candidate.peer), rule.port(candidate.port)))
    return sites.count - 1
  }
}
