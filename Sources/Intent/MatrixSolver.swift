import Cluster
import Wire

/// Fills a matrix: every source against every destination, one port after the other.
///
/// Hundreds of workloads make hundreds of thousands of cells, and few different questions. Whether a peer is meant
/// is found out once for each selector and pod; and pods that the same rules of an endpoint mean get the same
/// answer there. Only pods are dealt with so: how a node or the world looks depends on who looks.
struct MatrixSolver {
  private let intent: Intent
  private let family: AddressFamily
  private let rows: [EndpointPolicy]
  private let columns: [EndpointPolicy]
  /// The rows and columns as peers.
  private let sources: Crowd
  private let destinations: Crowd
  private var book = DecisionBook()
  private var meant: [PeerTest: [Bool]] = [:]
  private var cells: [Int32] = []

  /// Peers in the order of rows or columns.
  private struct Crowd {
    var endpoints: [EndpointPolicy]
    /// Of pods, as every other pod sees them.
    var views: [PeerView?]
    /// Where its answers begin in the lists of `meant`.
    var start: Int
  }

  init(_ intent: Intent, rows: [EndpointPolicy], columns: [EndpointPolicy], _ family: AddressFamily) {
    self.intent = intent
    self.family = family
    self.rows = rows
    self.columns = columns
    func views(_ endpoints: [EndpointPolicy]) -> [PeerView?] {
      endpoints.map {
        $0.subject.kind == .pod ? PeerView(identity: $0.identity, address: $0.subject.address(family)) : nil
      }
    }
    sources = Crowd(endpoints: rows, views: views(rows), start: 0)
    destinations = Crowd(endpoints: columns, views: views(columns), start: rows.count)
  }

  func matrix(_ transports: [Transport]) -> Matrix {
    Matrix(
      rows: rows, columns: columns, transports: transports, sites: book.sites, decisions: book.cells,
      cells: cells)
  }

  mutating func add(_ transport: Transport) {
    let egress = rows.map { decide($0, .egress, destinations, transport) }
    let ingress = columns.map { decide($0, .ingress, sources, transport) }
    cells.reserveCapacity(cells.count + rows.count * columns.count)
    for (r, row) in rows.enumerated() {
      for (c, column) in columns.enumerated() {
        cells.append(book.worse(egress[r][c], ingress[c][r], unseen(row, column, transport)))
      }
    }
  }

  private mutating func unseen(
    _ row: EndpointPolicy, _ column: EndpointPolicy, _ transport: Transport
  ) -> Int32? {
    // Between pods, only a pod's own traffic and ICMP errors are never seen.
    if row.subject.kind == .pod, column.subject.kind == .pod, transport.named != nil,
      row.subject.id != column.subject.id
    {
      return nil
    }
    let traffic = Traffic(from: row.subject, to: column.subject, transport, family: family)
    guard let reason = intent.passesUnseen(traffic) else { return nil }
    return book.number(Decision(verdict: .allowed, reason: reason), .ingress)
  }

  /// What an endpoint's policy says of each peer.
  private mutating func decide(
    _ own: EndpointPolicy, _ direction: PolicyDirection, _ peers: Crowd, _ transport: Transport
  ) -> [Int32] {
    let policy = own[direction]
    let lines = lines(policy, own, direction, transport)
    var known: [UInt64: Int32] = [:]
    return peers.endpoints.indices.map { index in
      guard let view = peers.views[index], let lines, lines.count <= 64 else {
        let (source, destination) =
          direction == .egress ? (own, peers.endpoints[index]) : (peers.endpoints[index], own)
        let traffic = Traffic(
          from: source.subject, to: destination.subject, transport, family: family)
        let question = intent.question(traffic, direction, source, destination)
        return book.number(policy.decide(question), direction)
      }
      var mask: UInt64 = 0
      for (bit, line) in lines.enumerated() where line.meant?[peers.start + index] ?? true {
        mask |= 1 << UInt64(bit)
      }
      if let number = known[mask] { return number }
      let candidates = lines.indices.filter { mask >> UInt64($0) & 1 == 1 }.map { lines[$0].candidate }
      let number = book.number(policy.decide(candidates, view.identity), direction)
      known[mask] = number
      return number
    }
  }

  /// A candidate, and which peers it is one for; nil for every peer.
  private struct Line {
    var candidate: Candidate
    var meant: [Bool]?
  }

  /// Everything that may match on a port; nil where a name means another port at each peer.
  private mutating func lines(
    _ policy: DirectionPolicy, _ own: EndpointPolicy, _ direction: PolicyDirection, _ transport: Transport
  ) -> [Line]? {
    let usesNames =
      direction == .egress
      && policy.rules.contains { rule in
        rule.ports?.contains { if case .named = $0.span { true } else { false } } ?? false
      }
    guard !usesNames else { return nil }
    var lines: [Line] = []
    for (index, rule) in policy.rules.enumerated() {
      let tests: [(position: Int, test: PeerTest)]
      switch rule.peers {
      case .nobody: continue
      case .unspecified: tests = rule.ports == nil ? [] : [(-1, .everyone)]
      case .any(let peers): tests = peers.enumerated().map { ($0.offset, $0.element.test) }
      }
      for (position, test) in tests {
        for candidate in policy.candidates(
          rule, index, peer: position, isWildcard: test.isWildcard, ports: own.ownPorts, transport, family)
        {
          lines.append(Line(candidate: candidate, meant: test == .everyone ? nil : meant(by: test)))
        }
      }
    }
    return lines
  }

  private mutating func meant(by test: PeerTest) -> [Bool] {
    if let known = meant[test] { return known }
    let names = intent.options.names
    let result = (sources.views + destinations.views).map { view in
      view.map { test.matches($0, names) } ?? false
    }
    meant[test] = result
    return result
  }
}

/// Gathers different decisions, and each deciding rule once.
private struct DecisionBook {
  private struct Key: Hashable {
    let rule: Int
    let peer: Int
    let port: Int
  }

  private(set) var cells: [Matrix.Cell] = []
  private(set) var sites: [RuleSite] = []
  private var numbers: [Matrix.Cell: Int32] = [:]
  private var known: [Key: Int] = [:]

  mutating func number(_ decision: Decision, _ direction: PolicyDirection) -> Int32 {
    let cell = Matrix.Cell(
      verdict: decision.verdict, direction: direction, reason: decision.reason, site: site(decision))
    if let number = numbers[cell] { return number }
    let number = Int32(truncatingIfNeeded: cells.count)
    numbers[cell] = number
    cells.append(cell)
    return number
  }

  /// That of two directions which decides: a denial, else a redirect; where both allow, the one that a rule allows,
  /// ingress first. What no policy sees is allowed.
  func worse(_ egress: Int32, _ ingress: Int32, _ unseen: Int32?) -> Int32 {
    if let unseen { return unseen }
    let (out, into) = (cells[Int(egress)].verdict, cells[Int(ingress)].verdict)
    for verdict in [Verdict.denied, .redirected] {
      if out == verdict { return egress }
      if into == verdict { return ingress }
    }
    return cells[Int(ingress)].site == nil && cells[Int(egress)].site != nil ? egress : ingress
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
