public import Scenario
public import Views

/// A view of a node in the course of a scenario: `ciliate show`.
public enum ScenarioView {
  /// Why there is nothing to show: an unknown view, node or step, in words.
  public struct Failure: Error, CustomStringConvertible {
    public var description: String
  }

  /// Runs the scenario up to and with a step, and gives what the command would write on the node then.
  ///
  /// - Parameters:
  ///   - words: the command as cilium-dbg has it: `bpf`, `lb`, `list`.
  ///   - node: may be nil where there is one node.
  ///   - after: a step's name or its number from 1; 0 for before the first; nil for the end.
  public static func output(
    of words: [String], in loaded: LoadedScenario, node: String?, after: String?
  ) throws(Failure) -> ViewOutput {
    guard let cluster = loaded.clusters.first, loaded.clusters.count == 1 else {
      throw Failure(description: "several meshed clusters are not modelled yet")
    }
    let steps = loaded.scenario.steps
    let count = try after.map { name throws(Failure) in try number(of: name, in: steps) } ?? steps.count
    var session = Session(
      loaded, cluster: cluster, seed: loaded.scenario.seed, observer: NoObserver())
    for (number, step) in steps.prefix(count).enumerated() { _ = session.perform(step, number: number) }
    do throws(StepError) {
      let (view, input) = try session.resolve(words, node: node)
      return view.output(of: input)
    } catch {
      throw Failure(description: error.message)
    }
  }

  /// How many steps are done after the one of this name or number.
  private static func number(of name: String, in steps: [Step]) throws(Failure) -> Int {
    if let index = steps.firstIndex(where: { $0.name == name }) { return index + 1 }
    if let number = Int(name), (0...steps.count).contains(number) { return number }
    let names = steps.map(\.name).joined(separator: ", ")
    throw Failure(
      description: "there is no step \"\(name)\"; expected 0 to \(steps.count), or one of \(names)")
  }
}
