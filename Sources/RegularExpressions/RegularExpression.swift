/// A regular expression in RE2's syntax, matched against whole texts in time linear in the text.
///
/// Cilium checks the expressions of HTTP rules with Go's `regexp`, and Envoy matches them with RE2: the same
/// syntax, without back references and look-around, and no expression can make either of them slow. The subset
/// read here is all of it but named Unicode classes other than a few, and `\C`.
/// Source: the RE2 wiki, "Syntax".
public struct RegularExpression: Hashable, Sendable {
  public let source: String
  private let program: [RegexInstruction]

  /// What is wrong with an expression, and where in it (in characters from 0).
  public struct SyntaxError: Error, Hashable, Sendable, CustomStringConvertible {
    public var message: String
    public var position: Int

    public var description: String { "\(message) at character \(position + 1)" }
  }

  public init(_ source: String) throws(SyntaxError) {
    var parser = RegexParser(source)
    let tree = try parser.parse()
    var compiler = RegexCompiler()
    try compiler.compile(tree)
    self.source = source
    program = compiler.program
  }

  /// Whether the whole of a text matches.
  public func matchesWhole(_ text: String) -> Bool {
    let scalars = text.unicodeScalars.map(\.value)
    var machine = RegexMachine(program)
    return machine.run(scalars)
  }
}

/// A class of characters: sorted ranges, or all but them.
struct RegexClass: Hashable, Sendable {
  var ranges: [ClosedRange<UInt32>] = []
  var isNegated = false

  func contains(_ scalar: UInt32) -> Bool {
    for range in ranges where range.contains(scalar) { return !isNegated }
    return isNegated
  }

  mutating func add(_ first: UInt32, _ last: UInt32) { ranges.append(first...last) }

  /// Both cases of the letters A to Z.
  mutating func foldCase() {
    for range in ranges {
      for (low, high, offset) in [(UInt32(65), UInt32(90), 32), (97, 122, -32)] {
        let first = max(range.lowerBound, low)
        let last = min(range.upperBound, high)
        guard first <= last else { continue }
        ranges.append(UInt32(Int(first) + offset)...UInt32(Int(last) + offset))
      }
    }
  }
}

/// Places that take no character.
enum RegexAssertion: Hashable, Sendable {
  case textStart, textEnd, lineStart, lineEnd, wordBoundary, noWordBoundary
}

indirect enum RegexNode: Hashable, Sendable {
  case empty
  case any(RegexClass)
  case assertion(RegexAssertion)
  case sequence([RegexNode])
  case choice([RegexNode])
  case `repeat`(RegexNode, min: Int, max: Int?)
}

enum RegexInstruction: Hashable, Sendable {
  case take(RegexClass)
  case assert(RegexAssertion)
  case fork(Int, Int)
  case jump(Int)
  case accept
}

struct RegexCompiler {
  var program: [RegexInstruction] = []
  /// As RE2's memory budget does, keeps nested repetitions from filling the memory.
  private let limit = 50_000
  private var steps = 0

  mutating func compile(_ node: RegexNode) throws(RegularExpression.SyntaxError) {
    try emit(node)
    program.append(.accept)
  }

  private mutating func emit(_ node: RegexNode) throws(RegularExpression.SyntaxError) {
    steps += 1
    guard steps < limit else {
      throw RegularExpression.SyntaxError(message: "the expression is too large", position: 0)
    }
    switch node {
    case .empty: break
    case .any(let characters): program.append(.take(characters))
    case .assertion(let assertion): program.append(.assert(assertion))
    case .sequence(let nodes): for node in nodes { try emit(node) }
    case .choice(let nodes): try emit(choice: nodes)
    case .repeat(let node, let min, let max): try emit(node, min, max)
    }
  }

  private mutating func emit(choice nodes: [RegexNode]) throws(RegularExpression.SyntaxError) {
    var jumps: [Int] = []
    for (index, node) in nodes.enumerated() {
      let fork = program.count
      let isLast = index == nodes.count - 1
      if !isLast { program.append(.accept) }
      try emit(node)
      if isLast { break }
      jumps.append(program.count)
      program.append(.accept)
      program[fork] = .fork(fork + 1, program.count)
    }
    for jump in jumps { program[jump] = .jump(program.count) }
  }

  private mutating func emit(
    _ node: RegexNode, _ min: Int, _ max: Int?
  ) throws(RegularExpression.SyntaxError) {
    for _ in 0..<min { try emit(node) }
    guard let max else {
      let start = program.count
      program.append(.accept)
      try emit(node)
      program.append(.jump(start))
      program[start] = .fork(start + 1, program.count)
      return
    }
    var forks: [Int] = []
    for _ in 0..<Swift.max(0, max - min) {
      forks.append(program.count)
      program.append(.accept)
      try emit(node)
    }
    for fork in forks { program[fork] = .fork(fork + 1, program.count) }
  }
}

/// Runs all ways through a program at once, one character at a time.
struct RegexMachine {
  private let program: [RegexInstruction]
  private var states: [Int] = []
  private var mark: [Int]
  private var generation = 0

  init(_ program: [RegexInstruction]) {
    self.program = program
    mark = Array(repeating: 0, count: program.count)
  }

  mutating func run(_ text: [UInt32]) -> Bool {
    states = closure([0], text, 0)
    for (index, scalar) in text.enumerated() {
      var next: [Int] = []
      for state in states {
        if case .take(let characters) = program[state], characters.contains(scalar) { next.append(state + 1) }
      }
      if next.isEmpty { return false }
      states = closure(next, text, index + 1)
    }
    return states.contains { program[$0] == .accept }
  }

  /// The states that are reached without a character.
  private mutating func closure(_ start: [Int], _ text: [UInt32], _ position: Int) -> [Int] {
    generation += 1
    var result: [Int] = []
    var pending = start
    while let state = pending.popLast() {
      guard state < program.count, mark[state] != generation else { continue }
      mark[state] = generation
      switch program[state] {
      case .take, .accept: result.append(state)
      case .jump(let target): pending.append(target)
      case .fork(let first, let second): pending += [second, first]
      case .assert(let assertion):
        if assertion.holds(text, position) { pending.append(state + 1) }
      }
    }
    return result
  }
}

extension RegexAssertion {
  func holds(_ text: [UInt32], _ position: Int) -> Bool {
    switch self {
    case .textStart: position == 0
    case .textEnd: position == text.count
    case .lineStart: position == 0 || text[position - 1] == 10
    case .lineEnd: position == text.count || text[position] == 10
    case .wordBoundary: isBoundary(text, position)
    case .noWordBoundary: !isBoundary(text, position)
    }
  }

  private func isBoundary(_ text: [UInt32], _ position: Int) -> Bool {
    let before = position > 0 && RegexClass.word.contains(text[position - 1])
    let after = position < text.count && RegexClass.word.contains(text[position])
    return before != after
  }
}

extension RegexClass {
  static let digit = RegexClass(ranges: [48...57])
  static let word = RegexClass(ranges: [48...57, 65...90, 95...95, 97...122])
  static let space = RegexClass(ranges: [9...10, 12...13, 32...32])
  static let everything = RegexClass(isNegated: true)
  static let line = RegexClass(ranges: [10...10], isNegated: true)

  /// The ranges of a class with its negation carried out.
  var positiveRanges: [ClosedRange<UInt32>] {
    if !isNegated { return ranges }
    var result: [ClosedRange<UInt32>] = []
    var next: UInt32 = 0
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if range.lowerBound > next { result.append(next...range.lowerBound - 1) }
      next = max(next, range.upperBound &+ 1)
    }
    if next <= 0x10ffff { result.append(next...0x10ffff) }
    return result
  }
}
