import ArgumentParser
import Capture
import Conformance
import Datapath
import Explore
import Kernel
import MapABI
import Report
import Runner

/// `ciliate compare --hop FILE`: recorded hops on both sides, with the model's reasons.
struct HopComparison {
  private let command: CompareCommand
  private let file: String

  init(_ command: CompareCommand, file: String) {
    self.command = command
    self.file = file
  }

  func run() throws -> Int32 {
    let recording: HopRecording
    do {
      recording = try HopRecording(String(decoding: try readWholeFile(file), as: UTF8.self), file: file)
    } catch {
      complain("\(error)")
      return 2
    }
    let log = DuelLog()
    log.scenario = recording.scenario
    do {
      let sides = (try CompareSide(command.baseline), try CompareSide(command.candidate))
      if sides.0.needsKernel || sides.1.needsKernel, let reason = Doctor.examine().reason {
        throw CampaignError("the kernel is needed: \(reason)")
      }
      var duel = HopDuel(
        duel: Duel(
          try sides.0.contender(), try sides.1.contender(), foreign: sides.0.isForeign || sides.1.isForeign,
          log: log))
      recording.replay(to: &duel)
      var output = TextOutput(descriptor: 1)
      for line in duel.lines { output.put(line: line) }
      output.flush()
    } catch {
      complain("\(error)")
      return 4
    }
    var output = TextOutput(descriptor: 1)
    for entry in log.agreement.notRun { output.put(line: "not run: \(entry.reason)") }
    for divergence in log.groups.flatMap(\.divergences) {
      output.put(line: "\(divergence.field.rawValue): \(command.baseline) \(divergence.expected)")
      output.put(line: "  \(command.candidate) \(divergence.found)")
      for detail in divergence.details { output.put(line: "  \(detail)") }
    }
    let agreement = log.agreement
    output.put(line: "\(agreement.compared) hops compared: \(agreement.agreeing) equal")
    output.flush()
    if agreement.compared == 0 { return 4 }
    return log.groups.isEmpty ? 0 : 3
  }
}

/// Shows each hop to a duel, and keeps the model's reasons for it.
private struct HopDuel: ~Copyable, HopObserver {
  var duel: Duel<Contender, Contender>
  var lines: [String] = []

  init(duel: consuming Duel<Contender, Contender>) { self.duel = duel }

  mutating func observe(_ hop: borrowing Hop, state: borrowing NodeState) {
    lines.append("\(hop.node)/\(hop.device):\(hop.hook.rawValue)")
    var answered = copy hop
    do {
      answered.result = try Model().run(hop.attachment, on: hop.input, state: state)
      let words = StepText(names: NameBook(), node: hop.node)
      lines += answered.result.steps.compactMap(words.text).map { "    \($0)" }
    } catch {
      lines.append("    the model: \(error)")
    }
    duel.observe(answered, state: state)
  }
}
