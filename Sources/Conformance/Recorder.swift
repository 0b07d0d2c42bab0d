public import Datapath
import MapABI
import Wire

/// Runs every hop on a brought-along datapath, compares, and writes down each hop that is unlike those before it.
public struct Recorder<Interpreter: HookInterpreter & ~Copyable>: ~Copyable, HopObserver {
  private var interpreter: Interpreter
  public private(set) var agreement = Agreement()
  private let comparison = Comparison(foreign: true)
  private let model: Model
  private let recording: RecordingText
  private var seen: Set<String> = []

  /// Of ten backends the wanted one is missed in all draws once in 700 times.
  private static var draws: Int { 64 }

  /// - Parameter profile: the version of Cilium that the interpreter's objects are of.
  public init(
    _ interpreter: consuming Interpreter, _ profile: DatapathProfile, into recording: RecordingText
  ) {
    self.interpreter = interpreter
    model = Model(profile)
    self.recording = recording
  }

  public mutating func observe(_ hop: borrowing Hop, state: borrowing NodeState) {
    var answered = copy hop
    do {
      var answer = try interpreter.run(hop.attachment, on: hop.input, state: state)
      var choice = BackendChoice.different(hop.result, answer, state)
      // A recording is to come out the same each time: the draw is repeated until it falls on the model's backend.
      for _ in 0..<Self.draws where choice != nil {
        answer = try interpreter.run(hop.attachment, on: hop.input, state: state)
        choice = BackendChoice.different(hop.result, answer, state)
      }
      if let choice {
        answered.input.environment.chosenBackend = choice
        answered.result = try model.run(hop.attachment, on: answered.input, state: state)
      }
      comparison.compare(answered, with: answer, into: &agreement)
      let kind = HopKind.of(answered)
      answered.result = Self.withoutGiven(answer)
      // A datagram socket's choice follows from its number, which the kernel draws: compared, not kept.
      if choice == nil, !hop.input.subject.isDatagramSocket, seen.insert(kind).inserted {
        recording.add(answered, state)
      }
    } catch {
      agreement.countNotRun(error)
    }
  }

  /// The result without what the kernel drew and without source positions.
  private static func withoutGiven(_ result: HookResult) -> HookResult {
    var result = result
    result.steps = []
    result.events = result.events.map { event in
      switch event {
      case .drop(var notify, let captured):
        notify.header.hash = 0
        notify.line = 0
        notify.file = 0
        return .drop(notify, captured: captured)
      case .trace(var notify, let captured):
        notify.header.hash = 0
        return .trace(notify, captured: captured)
      case .policyVerdict(var notify, let captured):
        notify.header.hash = 0
        return .policyVerdict(notify, captured: captured)
      case .other: return event.withoutSocket
      }
    }
    var changes: [MapChange] = []
    for change in result.changes {
      guard change.map == .metrics, change.operation == .add else {
        changes.append(change)
        continue
      }
      var key = change.key(as: MetricsKey.self)
      key.line = 0
      key.file = 0
      changes.append(MapChange(add: change.value(as: Counters.self), to: key, in: .metrics))
    }
    result.changes = changes
    return result
  }
}

/// What makes two hops alike: the same program found the same things and did the same.
enum HopKind {
  static func of(_ hop: borrowing Hop) -> String {
    var words = [hop.hook.rawValue, "\(hop.result.verdict)", hop.input.subject.family]
    for step in hop.result.steps { words.append(word(step)) }
    for change in hop.result.changes where !change.map.isCounter {
      words.append("\(change.operation)\(change.map)")
    }
    for event in hop.result.events {
      if let header = event.header { words.append("e\(header.type).\(header.subtype)") }
    }
    return words.joined(separator: " ")
  }

  private static func word(_ step: Step) -> String {
    switch step {
    case .parsed(let number, let source, let destination, let fragment):
      // Well-known ports only: a client's own says nothing.
      "parsed \(number) \(min(source, destination)) \(source < destination) \(fragment)"
    case .service4(_, let entry): "service \(entry != nil)"
    case .service6(_, let entry): "service \(entry != nil)"
    case .backend(_, _, let choice): "backend \(choice)"
    case .translated4, .translated6: "translated"
    case .reverseTranslated: "reverse"
    case .conntrack4(let tuple, let direction, let status): "ct \(tuple.flags) \(direction) \(status)"
    case .conntrack6(let tuple, let direction, let status): "ct \(tuple.flags) \(direction) \(status)"
    case .ipcache(_, let entry): "ipcache \(entry?.sec_identity ?? 0)"
    case .endpoint(_, let entry): "endpoint \(entry != nil)"
    case .policy(let decision):
      "policy \(decision.egress) \(decision.remoteIdentity) \(decision.port) \(decision.match) "
        + "\(decision.verdict)"
    case .deliver: "deliver"
    default: "\(step)"
    }
  }
}

extension Subject {
  fileprivate var isDatagramSocket: Bool {
    if case .socket(let address) = self { address.protocol != 6 } else { false }
  }

  fileprivate var family: String {
    switch self {
    case .socket(let address): "\(address.destination.family)"
    default: frame.map { $0.count > 13 ? "\($0[12]).\($0[13])" : "short" } ?? ""
    }
  }
}
