public import MapABI

// Many inputs at once. On tables that fit no cache this is several times faster than one by one: what the next packets
// will look up is fetched while this one runs.
extension Model {
  /// Runs a hook on many inputs for their verdicts alone, each against the same state.
  ///
  /// The same as ``verdict(_:on:state:)`` for each of them.
  ///
  /// - Throws: as for a single one, at the first input that has no answer.
  public func verdicts(
    _ attachment: Attachment, on inputs: [HookInput], state: borrowing NodeState
  ) throws(InterpreterError) -> [Verdict] {
    var verdicts: [Verdict] = []
    verdicts.reserveCapacity(inputs.count)
    guard attachment.hook.kind == .tc, Foresight.helps(attachment.hook, state) else {
      for input in inputs { verdicts.append(try verdict(attachment, on: input, state: state)) }
      return verdicts
    }
    var lookout = Lookout(attachment.config.endpoint_id)
    for index in 0..<inputs.count + Lookout.distance {
      lookout.advance(to: index, inputs, state)
      guard let (buffer, environment) = lookout.take(index) else { continue }
      guard let buffer else { throw .wrongSubject }
      verdicts.append(try decidePacket(attachment, buffer, environment, state))
    }
    return verdicts
  }

  /// Runs a hook on many inputs with everything recorded, each against the same state.
  ///
  /// The same as ``run(_:on:state:)`` for each of them. `body` is given each result with the input's position, in
  /// order.
  ///
  /// - Throws: as for a single one, at the first input that has no answer.
  public func runs(
    _ attachment: Attachment, on inputs: [HookInput], state: borrowing NodeState,
    _ body: (Int, HookResult) -> Void
  ) throws(InterpreterError) {
    guard attachment.hook.kind == .tc, Foresight.helps(attachment.hook, state) else {
      for (index, input) in inputs.enumerated() { body(index, try run(attachment, on: input, state: state)) }
      return
    }
    var lookout = Lookout(attachment.config.endpoint_id)
    for index in 0..<inputs.count + Lookout.distance {
      lookout.advance(to: index, inputs, state)
      guard let (buffer, environment) = lookout.take(index) else { continue }
      guard let buffer else { throw .wrongSubject }
      body(index - Lookout.distance, try runPacket(attachment, buffer, environment, state))
    }
  }
}

/// The next inputs of a batch, each looked ahead for as far as its turn is near.
private struct Lookout {
  /// How many inputs lie between two steps of looking ahead: a hop takes longer than a line takes to come.
  private static let stride = 2
  /// How many inputs are looked at before the first is run.
  static let distance = 4 * stride

  private struct Place {
    var foresight = Foresight()
    /// Nil when the subject is no packet of a tc hook.
    var buffer: SocketBuffer?
    var environment = Environment(ktime: 0, random: 0)
  }

  private let endpoint: UInt16
  private var places = [Place](repeating: Place(), count: 2 * distance)
  private var count = 0

  init(_ endpoint: UInt16) { self.endpoint = endpoint }

  private static func place(_ index: Int) -> Int { index % (2 * distance) }

  /// Takes up the input at `index`, and the next step for those before it.
  @inline(__always)
  mutating func advance(to index: Int, _ inputs: [HookInput], _ state: borrowing NodeState) {
    if index < inputs.count {
      count = index + 1
      let place = Self.place(index)
      let input = inputs[index]
      places[place].environment = input.environment
      if case .skb(let buffer) = input.subject {
        places[place].foresight = buffer.frame.withUnsafeBytes { Foresight($0, state) }
        places[place].buffer = buffer
      } else {
        places[place].buffer = nil
      }
    }
    if let place = before(index, Self.stride) { places[place].foresight.fetchEntries(state) }
    if let place = before(index, 2 * Self.stride) {
      places[place].foresight.fetchPolicy(state, endpoint: endpoint)
    }
    if let place = before(index, 3 * Self.stride) {
      places[place].foresight.fetchPolicyEntry(state, endpoint: endpoint)
    }
  }

  @inline(__always)
  private func before(_ index: Int, _ steps: Int) -> Int? {
    index >= steps && index - steps < count ? Self.place(index - steps) : nil
  }

  /// The input whose turn it is; nil as long as the first is still ahead.
  @inline(__always)
  mutating func take(_ index: Int) -> (SocketBuffer?, Environment)? {
    guard let place = before(index, Self.distance) else { return nil }
    return (places[place].buffer.take(), places[place].environment)
  }
}
