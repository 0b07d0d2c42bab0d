public import MapABI

extension Model {
  /// How many inputs lie between two steps of looking ahead: a hop takes longer than a line takes to come.
  private static let stride = 2
  /// Inputs that are known before they are run.
  private static let window = 16

  /// Runs a hook on many inputs for their verdicts alone, each against the same state.
  ///
  /// The same as ``verdict(_:on:state:)`` for each of them. On tables that fit no cache it is several times faster:
  /// what the next packets will look up is fetched while this one runs.
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
    var ahead = [Foresight](repeating: Foresight(), count: Self.window)
    let endpoint = attachment.config.endpoint_id
    let last = 4 * Self.stride
    for step in 0..<inputs.count + last {
      if step < inputs.count, case .skb(let buffer) = inputs[step].subject {
        ahead[step % Self.window] = buffer.frame.withUnsafeBytes { Foresight($0, state) }
      }
      Self.at(step - Self.stride, inputs.count) { ahead[$0].fetchEntries(state) }
      Self.at(step - 2 * Self.stride, inputs.count) { ahead[$0].fetchPolicy(state, endpoint: endpoint) }
      Self.at(step - 3 * Self.stride, inputs.count) { ahead[$0].fetchPolicyEntry(state, endpoint: endpoint) }
      let now = step - last
      if now >= 0 {
        guard case .skb(let buffer) = inputs[now].subject else { throw .wrongSubject }
        verdicts.append(try decidePacket(attachment, buffer, inputs[now].environment, state))
      }
    }
    return verdicts
  }

  @inline(__always)
  private static func at(_ index: Int, _ count: Int, _ body: (Int) -> Void) {
    if index >= 0, index < count { body(index % window) }
  }
}
