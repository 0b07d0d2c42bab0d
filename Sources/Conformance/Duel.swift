public import Datapath
import MapABI

/// Runs every hop of a simulation on two interpreters as it happens, and compares what they make of it.
///
/// Both get the model's input and state, so that what differs at one hop is not taken for a cause of more.
public struct Duel<Baseline: HookInterpreter & ~Copyable, Candidate: HookInterpreter & ~Copyable>: ~Copyable,
  HopObserver
{
  private var baseline: Baseline
  private var candidate: Candidate
  private let comparison: Comparison
  private let log: DuelLog
  private let model = Model()

  /// - Parameters:
  ///   - foreign: whether one of them runs objects that are not ours, whose source positions say nothing.
  ///   - log: takes what differs.
  public init(
    _ baseline: consuming Baseline, _ candidate: consuming Candidate, foreign: Bool, log: DuelLog
  ) {
    self.baseline = baseline
    self.candidate = candidate
    comparison = Comparison(foreign: foreign)
    self.log = log
  }

  public var agreement: Agreement { log.agreement }

  public mutating func observe(_ hop: borrowing Hop, state: borrowing NodeState) {
    let first: HookResult
    let second: HookResult
    do {
      first = try baseline.run(hop.attachment, on: hop.input, state: state)
    } catch { return log.countNotRun(by: "baseline", error) }
    do {
      second = try candidate.run(hop.attachment, on: hop.input, state: state)
    } catch { return log.countNotRun(by: "candidate", error) }
    var agreement = Agreement()
    var answered = copy hop
    let choices = (
      BackendChoice.different(hop.result, first, state), BackendChoice.different(hop.result, second, state)
    )
    if choices.0 == choices.1 {
      answered.result = first
      comparison.compare(answered, with: second, into: &agreement)
    } else {
      // Each drew a backend of its own, which is its right: what remains is how each differs from a model that
      // makes the same choice.
      do {
        let ours = try divergences(hop, choices.0, first, state)
        for divergence in try divergences(hop, choices.1, second, state)
        where !ours.contains(where: { $0.field == divergence.field && $0.found == divergence.found }) {
          agreement.divergences.append(divergence)
        }
      } catch { return log.countNotRun(by: "model", error) }
    }
    log.add(answered, agreement.divergences, state)
  }

  private func divergences(
    _ hop: borrowing Hop, _ choice: UInt32?, _ answer: HookResult, _ state: borrowing NodeState
  ) throws(InterpreterError) -> [Divergence] {
    var same = copy hop
    if let choice {
      same.input.environment.chosenBackend = choice
      same.result = try model.run(hop.attachment, on: same.input, state: state)
    }
    var agreement = Agreement()
    comparison.compare(same, with: answer, into: &agreement)
    return agreement.divergences
  }
}

/// What two interpreters differ in, grouped by cause; shared with whoever started the comparison.
public final class DuelLog {
  /// Hops that differ in the same way.
  public struct Group: Sendable {
    /// Hook, and each field with what became what, without the numbers that vary from packet to packet.
    public var cause: String
    public var count: Int
    /// The scenarios in which it was seen, in order.
    public var scenarios: [String]
    /// What differs in the first of them: `expected` is the baseline's, `found` the candidate's.
    public var divergences: [Divergence]
    /// The first hop as a recording, with the baseline's answer.
    public var recording: String
    /// The frame that went in.
    public var frame: [UInt8]
  }

  public private(set) var groups: [Group] = []
  public private(set) var agreement = Agreement()
  /// The scenario that is being run.
  public var scenario = ""

  public init() {}

  func countNotRun(by side: String, _ error: any Error) {
    agreement.countNotRun("\(side): \(error)")
    if (error as? any DecliningError)?.isDeclined != true { agreement.failed += 1 }
  }

  func add(_ hop: borrowing Hop, _ divergences: [Divergence], _ state: borrowing NodeState) {
    agreement.count(hop.hook.rawValue, isAgreeing: divergences.isEmpty)
    guard !divergences.isEmpty else { return }
    var parts: [String] = []
    for divergence in divergences where !parts.contains(divergence.cause) { parts.append(divergence.cause) }
    let cause = "\(hop.hook.rawValue) " + parts.sorted().joined(separator: "; ")
    if let index = groups.firstIndex(where: { $0.cause == cause }) {
      groups[index].count += 1
      if groups[index].scenarios.last != scenario { groups[index].scenarios.append(scenario) }
      return
    }
    let text = RecordingText(.current, scenario: scenario)
    text.add(hop, state)
    groups.append(
      Group(
        cause: cause, count: 1, scenarios: [scenario], divergences: divergences, recording: text.text,
        frame: hop.input.subject.frame ?? []))
  }
}

extension Divergence {
  /// What the divergence has in common with others of its kind: its field, and the change itself where its values are
  /// few; the names of what changed elsewhere.
  public var cause: String {
    let what: String
    switch field {
    case .mark: what = Self.bits(expected, found)
    case .verdict, .tcIndex, .packetType, .redirectTarget: what = "\(expected) → \(found)"
    case .events where details.isEmpty: what = "\(expected) → \(found)"
    case .mapChanges, .counters:
      // `map[key]: value`
      let change =
        found == "no change"
        ? "not written" : expected.hasSuffix("no change") ? "written" : Self.names(details)
      what = "\(expected.prefix { $0 != "[" && $0 != " " }) \(change)"
    default: what = Self.names(details)
    }
    return "\(field.rawValue): \(what)"
  }

  /// Two hexadecimal numbers without the digits in which they agree: an identity in the upper half is no cause.
  private static func bits(_ a: String, _ b: String) -> String {
    guard let first = UInt32(a.dropFirst(2), radix: 16), let second = UInt32(b.dropFirst(2), radix: 16) else {
      return "\(a) → \(b)"
    }
    var mask: UInt32 = 0
    for shift in stride(from: UInt32(0), to: 32, by: 4) where (first ^ second) >> shift & 15 != 0 {
      mask |= 15 << shift
    }
    return "0x\(String(first & mask, radix: 16)) → 0x\(String(second & mask, radix: 16))"
  }

  /// What stands before the colon of each detail: header fields, parts of an entry.
  private static func names(_ details: [String]) -> String {
    var names: [String] = []
    for detail in details {
      let name = String(detail.prefix { $0 != ":" })
      if !names.contains(name) { names.append(name) }
    }
    return names.joined(separator: ", ")
  }
}
