/// Why the model has no answer. A dropped packet is never one of these: it is a verdict.
public enum InterpreterError: Error, Sendable, Equatable {
  /// The run came to a part of the datapath that the model does not have; said instead of a guess.
  case unmodelled(String)
  /// The hook was given a subject of another kind: a socket at tc, a frame at a cgroup hook.
  case wrongSubject
}
