public import MapABI

/// An interpreter that holds maps of its own, apart from the state that it is given, as the kernel does.
///
/// Reading them takes far longer than a run. So a run may leave them unread; they are then compared as a whole once in
/// a while.
public protocol MapHoldingInterpreter: HookInterpreter, ~Copyable {
  /// Runs a hook in maps that stand as `state` says; with `readingMaps` the result tells what has changed in them,
  /// without it `changes` stays empty.
  mutating func run(
    _ attachment: Attachment, on input: HookInput, state: borrowing NodeState, readingMaps: Bool
  ) throws(Failure) -> HookResult

  /// Tells that a node's unread runs have brought its maps to this position of the log, so that what the log says up
  /// to there is not carried over again.
  mutating func adopt(through position: Int, node: String)

  /// What turns `state` into the interpreter's maps, map by map and ascending by key; empty when they agree. What has
  /// been added to the log since the last run is carried over first.
  mutating func mapDifferences(from state: borrowing NodeState) throws(Failure) -> [MapChange]

  /// Makes the maps stand as `state` says, whatever has happened to them.
  mutating func reset(to state: borrowing NodeState) throws(Failure)
}
