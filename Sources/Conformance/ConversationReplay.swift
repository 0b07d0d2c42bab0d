public import Datapath
import MapABI

/// Runs every hop of a simulation on another interpreter as it happens, and compares its maps once for each
/// conversation instead of after every hop.
///
/// Verdict, octets, metadata and events are compared at once. Where one of them differs, or the maps do in the end, the
/// whole conversation is run again with the maps read after every hop: what is reported is what ``Replay`` would say.
public struct ConversationReplay<Interpreter: MapHoldingInterpreter & ~Copyable>: ~Copyable, HopObserver {
  public private(set) var interpreter: Interpreter
  public private(set) var agreement = Agreement()
  /// Conversations that had to be run again.
  public private(set) var repeated = 0
  private let comparison: Comparison
  private let model: Model
  private var conversation = Conversation()

  /// - Parameters:
  ///   - foreign: the interpreter runs objects that are not ours.
  ///   - profile: the version of Cilium that both sides follow.
  public init(_ interpreter: consuming Interpreter, foreign: Bool, profile: DatapathProfile = .current) {
    self.interpreter = interpreter
    model = Model(profile)
    comparison = Comparison(foreign: foreign)
  }

  public mutating func observe(_ hop: borrowing Hop, state: borrowing NodeState) {
    if conversation.hops.isEmpty { conversation.before = agreement }
    conversation.hops.append(copy hop)
    // Other objects draw a backend of their own; only the maps tell which.
    let readsMaps = comparison.foreign && BackendChoice.isMade(by: hop.result)
    do {
      let other = try interpreter.run(
        hop.attachment, on: hop.input, state: state, readingMaps: readsMaps)
      if readsMaps {
        try comparison.compare(hop, choosingAs: other, state, model, into: &agreement)
      } else {
        interpreter.adopt(through: hop.position + hop.result.changes.count, node: hop.node)
        comparison.compare(hop, with: other, readMaps: false, into: &agreement)
      }
    } catch {
      agreement.countNotRun(error)
    }
  }

  public mutating func conversationEnded(on state: borrowing NodeState) {
    let node = state.image.node
    guard conversation.hops.contains(where: { $0.node == node }) else { return }
    var differences: [MapChange] = []
    do {
      differences = try interpreter.mapDifferences(from: state)
    } catch {
      agreement.countNotRun(error)
    }
    conversation.ends.append(
      Conversation.End(image: state.image, log: state.log, differences: differences))
  }

  public mutating func conversationEnded() {
    let isSuspect =
      agreement.divergences.count > conversation.before.divergences.count
      || conversation.ends.contains { !$0.differences.isEmpty }
    if isSuspect { repeatConversation() }
    conversation = Conversation()
  }

  /// Runs the hops once more, each in maps that stand as the model's did, and reads what each has changed.
  private mutating func repeatConversation() {
    repeated += 1
    agreement = conversation.before
    var states: [String: Rewound] = [:]
    do {
      for end in conversation.ends {
        guard let first = conversation.hops.first(where: { $0.node == end.image.node }) else { continue }
        let rewound = Rewound(end, to: first.position)
        try interpreter.reset(to: rewound.state)
        states[end.image.node] = rewound
      }
    } catch {
      return agreement.countNotRun(error)
    }
    for hop in conversation.hops {
      guard let rewound = states[hop.node] else { continue }
      rewound.advance(to: hop.position)
      do {
        let other = try interpreter.run(
          hop.attachment, on: hop.input, state: rewound.state, readingMaps: true)
        try comparison.compare(hop, choosingAs: other, rewound.state, model, into: &agreement)
      } catch {
        agreement.countNotRun(error)
      }
    }
    let isFound = agreement.divergences.count > conversation.before.divergences.count
    for end in conversation.ends where !isFound && !end.differences.isEmpty {
      guard let rewound = states[end.image.node] else { continue }
      rewound.advance(to: end.log.count)
      report(end.differences, of: rewound.state)
    }
  }

  /// No hop shows the difference when it is run again: it is laid on the last one, with the range named.
  private mutating func report(_ differences: [MapChange], of state: borrowing NodeState) {
    let hops = conversation.hops.filter { $0.node == state.image.node }
    guard let first = hops.first, let last = hops.last else { return }
    let count = agreement.divergences.count
    comparison.compareMaps(differences, with: state, after: last, into: &agreement)
    agreement.withdraw(last.hook.rawValue)
    for index in count..<agreement.divergences.count {
      agreement.divergences[index].details.append(
        "after one of \(hops.count) hops, from \(first.hook.rawValue) at \(first.device), \(first.time.nanoseconds) ns, "
          + "to \(last.hook.rawValue) at \(last.device), \(last.time.nanoseconds) ns")
    }
  }
}

/// What is kept of a conversation until it is over.
private struct Conversation {
  /// What a node came to, and how the interpreter's maps differ from it.
  struct End {
    var image: MapImage
    var log: [MapChange]
    var differences: [MapChange]
  }

  var hops: [Hop] = []
  var before = Agreement()
  var ends: [End] = []
}

/// A node's state at an earlier position of its log.
private final class Rewound {
  private(set) var state: NodeState
  private let log: [MapChange]

  init(_ end: Conversation.End, to position: Int) {
    log = end.log
    state = NodeState(end.image)
    advance(to: position)
  }

  func advance(to position: Int) {
    guard position > state.position else { return }
    state.apply(log[state.position..<min(position, log.count)])
  }
}
