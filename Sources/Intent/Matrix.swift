import Cluster
import Wire

/// Who can reach what: one verdict for each source, destination and port, and the rule behind it.
public struct Matrix: Hashable, Sendable {
  public struct Cell: Hashable, Sendable {
    public var verdict: Verdict
    /// The direction that decided: that which denies, else that which redirects, else that in which a rule allows,
    /// ingress first.
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
  /// Every different cell once, in the order in which they come up.
  public let decisions: [Cell]
  /// How policy is enforced on what each row sends, and on what each column receives.
  public let egress: [Enforcement]
  public let ingress: [Enforcement]
  private let cells: [Int32]

  init(
    rows: [EndpointPolicy], columns: [EndpointPolicy], transports: [Transport], sites: [RuleSite],
    decisions: [Cell], cells: [Int32]
  ) {
    self.rows = rows.map(\.subject)
    self.columns = columns.map(\.subject)
    self.transports = transports
    self.sites = sites
    self.decisions = decisions
    egress = rows.map(\.egress.enforcement)
    ingress = columns.map(\.ingress.enforcement)
    self.cells = cells
  }

  /// The cell of three positions, each in the range of its list.
  public subscript(transport: Int, row: Int, column: Int) -> Cell {
    decisions[decision(transport, row, column)]
  }

  /// Which of the decisions a cell is.
  public func decision(_ transport: Int, _ row: Int, _ column: Int) -> Int {
    Int(cells[(transport * rows.count + row) * columns.count + column])
  }

  /// The rule behind a cell.
  public func site(_ cell: Cell) -> RuleSite? { cell.site.map { sites[$0] } }

  /// How policy is enforced on the end that a cell's decision was made at.
  public func enforcement(_ cell: Cell, row: Int, column: Int) -> Enforcement {
    cell.direction == .egress ? egress[row] : ingress[column]
  }

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
    var solver = MatrixSolver(
      self, rows: sources.map(policy(of:)), columns: destinations.map(policy(of:)), family)
    for transport in transports { solver.add(transport) }
    return solver.matrix(transports)
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
    decide(candidates(question), question.peer.identity)
  }

  /// The same with the candidates at hand.
  func decide(_ candidates: [Candidate], _ peer: Identity) -> Decision {
    if !candidates.isEmpty, let winner = Choice(rules: rules, candidates: candidates).deciding() {
      return Decision(verdict: winner.verdict, reason: .rule, rule: rules[winner.rule], candidate: winner)
    }
    let (verdict, reason, _) = fallback(peer)
    return Decision(verdict: verdict, reason: reason)
  }
}
