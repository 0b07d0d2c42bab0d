import Conformance
public import Datapath
public import Kernel
public import MapABI

/// Frames in the order in which they were run on a node, the last of which showed a difference.
public struct FrameTrail: Sendable {
  /// One frame at one hook.
  public struct Run: Sendable {
    public var attachment: Attachment
    public var input: HookInput
  }

  /// The node before the first.
  public var image: MapImage
  public var runs: [Run] = []
  public var difference = Difference(.kernel, "")

  init(image: MapImage) { self.image = image }

  /// What the runs show when they are done again, with the maps compared after each; nil when nothing differs any
  /// more.
  public func divergence(_ objects: DatapathObjects) throws(KernelError) -> Divergence? {
    var kernel = try KernelNode.make(NodeState(image), objects: objects, reading: .everyHop)
    let found = try divergence(runs, &kernel, isForeign: objects.isForeign)
    try kernel.leave()
    return found
  }

  /// The shortest trail that was found to show the same difference.
  ///
  /// Frames that are not needed go; those that remain keep their order, and with it what they find in the maps.
  public func minimized(_ objects: DatapathObjects) throws(KernelError) -> FrameTrail {
    var kernel = try KernelNode.make(NodeState(image), objects: objects, reading: .everyHop)
    var failure: KernelError?
    var result = self
    // A batch may hold more than one difference: what comes after the first is cut off.
    result.runs = DeltaDebugging.minimize(runs) { remaining in
      guard failure == nil, !remaining.isEmpty else { return false }
      do throws(KernelError) {
        return try divergence(remaining, &kernel, isForeign: objects.isForeign) != nil
      } catch {
        failure = error
        return false
      }
    }
    try kernel.leave()
    if let failure { throw failure }
    return result
  }

  /// The first divergence of the trail's kind.
  private func divergence(
    _ runs: [Run], _ kernel: inout KernelNode, isForeign: Bool
  ) throws(KernelError) -> Divergence? {
    let comparison = Comparison(foreign: isForeign)
    var state = NodeState(image)
    try kernel.reset(to: state)
    for run in runs {
      guard let result = try? Model().run(run.attachment, on: run.input, state: state) else { continue }
      let other: HookResult
      do throws(KernelError) {
        other = try kernel.run(run.attachment, on: run.input, state: state)
      } catch {
        guard error.kind == .notRun else { throw error }
        continue
      }
      var agreement = Agreement()
      comparison.compare(hop(run, result, state), with: other, into: &agreement)
      if let found = agreement.divergences.first(where: { Difference($0) == difference }) { return found }
      if !agreement.divergences.isEmpty { try kernel.reset(to: state) }
      state.apply(result.changes)
    }
    return nil
  }

  private func hop(_ run: Run, _ result: HookResult, _ state: borrowing NodeState) -> Hop {
    Hop(
      time: .start, node: image.node, attachment: run.attachment, input: run.input, result: result,
      position: state.position)
  }

  /// The last frame with the maps that it met and the model's answer, as `ciliate compare --hop` reads it.
  public var recording: String {
    let text = RecordingText(.current, scenario: difference.signature)
    var state = NodeState(image)
    for (number, run) in runs.enumerated() {
      guard let result = try? Model().run(run.attachment, on: run.input, state: state) else { continue }
      let hop = hop(run, result, state)
      if number == runs.count - 1 { text.add(hop, state) }
      state.apply(result.changes)
    }
    return text.text
  }
}
