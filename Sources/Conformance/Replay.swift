public import Datapath
import MapABI
import Wire

/// Runs every hop of a simulation on another interpreter as it happens, and compares.
///
/// Each hop is run from the *model's* input and state, so that one divergence does not bring others with it.
public struct Replay<Interpreter: HookInterpreter & ~Copyable>: ~Copyable, HopObserver {
  public private(set) var interpreter: Interpreter
  public private(set) var agreement = Agreement()
  private let comparison: Comparison
  private let model: Model

  /// - Parameters:
  ///   - foreign: the interpreter runs objects that are not ours.
  ///   - profile: the version of Cilium that both sides follow.
  public init(_ interpreter: consuming Interpreter, foreign: Bool, profile: DatapathProfile = .current) {
    self.interpreter = interpreter
    model = Model(profile)
    comparison = Comparison(foreign: foreign)
  }

  public mutating func observe(_ hop: borrowing Hop, state: borrowing NodeState) {
    do {
      let other = try interpreter.run(hop.attachment, on: hop.input, state: state)
      try comparison.compare(hop, choosingAs: other, state, model, into: &agreement)
    } catch {
      agreement.countNotRun(error)
    }
  }
}

extension Comparison {
  /// Compares; if the other side drew another backend, which is its right where the service has it, the model makes
  /// the same choice for this hop alone.
  func compare(
    _ hop: borrowing Hop, choosingAs other: HookResult, _ state: borrowing NodeState, _ model: Model,
    into agreement: inout Agreement
  ) throws(InterpreterError) {
    guard let choice = BackendChoice.different(hop.result, other, state) else {
      return compare(hop, with: other, into: &agreement)
    }
    var input = hop.input
    input.environment.chosenBackend = choice
    var same = copy hop
    same.result = try model.run(hop.attachment, on: input, state: state)
    compare(same, with: other, into: &agreement)
  }
}

/// Which backend a hop translated to.
enum BackendChoice {
  /// The backend that the other interpreter chose, if both translated to a service and chose differently.
  static func different(
    _ ours: HookResult, _ theirs: HookResult, _ state: borrowing NodeState
  ) -> UInt32? {
    if case .socket(let a) = ours.subject, case .socket(let b) = theirs.subject {
      return a == b ? nil : backend(at: b, state)
    }
    guard let a = backend(ours), let b = backend(theirs), a != b else { return nil }
    return b
  }

  /// Whether a hop translated to a service, by a choice of its own or by what an earlier packet chose.
  static func isMade(by result: HookResult) -> Bool { backend(result) != nil }

  /// The backend that a socket was led to.
  private static func backend(at socket: SocketAddress, _ state: borrowing NodeState) -> UInt32? {
    let port = socket.port.bigEndian
    switch socket.destination {
    case .v4(let address):
      let maps = state.maps.backends4
      return zip(maps.keys, maps.values).first { $1.address == address.bits.bigEndian && $1.port == port }?.0
    case .v6(let address):
      let wanted = AddressWords(address)
      let maps = state.maps.backends6
      return zip(maps.keys, maps.values).first { _, backend in
        let found = backend.address
        return (found.w0, found.w1, found.w2, found.w3) == (wanted.w0, wanted.w1, wanted.w2, wanted.w3)
          && backend.port == port
      }?.0
    }
  }

  private static func backend(_ result: HookResult) -> UInt32? {
    for change in result.changes where change.operation == .put {
      switch change.map {
      case .ct4TCP, .ct4Any:
        guard UInt32(change.key(as: CTTuple4.self).flags) & TUPLE_SERVICE.rawValue != 0 else { continue }
      case .ct6TCP, .ct6Any:
        guard UInt32(change.key(as: CTTuple6.self).flags) & TUPLE_SERVICE.rawValue != 0 else { continue }
      default: continue
      }
      return UInt32(truncatingIfNeeded: change.value(as: CTEntry.self).backend_id)
    }
    return nil
  }
}
