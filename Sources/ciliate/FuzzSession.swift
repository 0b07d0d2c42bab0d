import ArgumentParser
import Capture
import Conformance
import Explore
import Glibc
import Kernel
import Runner
import Scenario

/// One run of `ciliate fuzz`.
struct FuzzSession {
  private let command: FuzzCommand
  private let plan: Campaign.Plan
  private let limit: Int?

  init(_ command: FuzzCommand) throws {
    self.command = command
    let shard = command.shard.split(separator: "/").compactMap { Int($0) }
    guard shard.count == 2, shard[1] > 0, (0..<shard[1]).contains(shard[0]) else {
      throw ValidationError("--shard \(command.shard): expected i/n with i from 0 to n - 1")
    }
    guard let seeds = Self.seeds(command.seeds) else {
      throw ValidationError("--seeds \(command.seeds): expected a..b, or a number from 1")
    }
    guard command.rounds > 0 else { throw ValidationError("--rounds: at least 1") }
    limit = try command.time.map { text in
      guard let seconds = Self.seconds(text) else {
        throw ValidationError("--time \(text): expected a number with s, m or h")
      }
      return seconds
    }
    plan = Campaign.Plan(seeds: seeds, shard: shard[0], shards: shard[1], rounds: command.rounds)
  }

  static func seeds(_ text: String) -> ClosedRange<UInt64>? {
    if let count = UInt64(text) { return count > 0 ? 1...count : nil }
    guard let dots = text.firstRange(of: "..") else { return nil }
    guard let first = UInt64(text[..<dots.lowerBound]), let last = UInt64(text[dots.upperBound...]),
      first <= last
    else { return nil }
    return first...last
  }

  private static func seconds(_ text: String) -> Int? {
    let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600]
    guard let unit = text.last.flatMap({ units[$0] }), let number = Int(text.dropLast()), number > 0 else {
      return nil
    }
    return number * unit
  }

  /// Runs the seeds that are not done yet; gives the exit code.
  func run() throws -> Int32 {
    var objects: DatapathObjects?
    if command.kernel != .off {
      do {
        if let reason = Doctor.examine().reason { throw CampaignError(reason) }
        objects =
          try command.datapath == "builtin"
          ? .builtin() : DatapathBuilds.load(command.datapath).builds[0].objects
      } catch {
        complain("kernel: \(error)")
        if command.kernel == .required || command.datapath != "builtin" { return 4 }
      }
    }
    if let reason = Folder.make(command.to) {
      complain("\(command.to): \(reason)")
      return 4
    }
    if command.frames != nil, objects == nil {
      complain("--frames compares model and kernel, and there is no kernel")
      return 4
    }
    let work = command.frames.map { "\($0) frames for each hook" } ?? "\(command.rounds) cases"
    let setup = "\(objects == nil ? "model" : command.datapath), \(work) a seed"
    var record = CampaignRecord(setup: setup)
    let results = "\(command.to)/results.json"
    if Folder.isFile(results) {
      let earlier = try CampaignRecord(json: readWholeFile(results), file: results)
      guard earlier.setup == setup else {
        complain("\(results): of another campaign (\(earlier.setup)); this one is \(setup)")
        return 2
      }
      record = earlier
    }
    return try explore(&record, objects, results)
  }

  private func explore(
    _ record: inout CampaignRecord, _ objects: DatapathObjects?, _ results: String
  ) throws -> Int32 {
    let started = Self.now()
    let progress = Progress()
    for seed in plan.seeds where plan.includes(seed) && !record.isDone(seed) {
      if let limit, Self.now() - started >= limit { break }
      let known = Set(record.findings.map(\.difference))
      let (result, findings) = try experiment(seed, known, objects)
      for line in result.loadErrors.prefix(1) { complain("seed \(seed): \(line)") }
      var problem: (any Error)?
      var number = record.findings.count
      record.add(result) { difference in
        guard let finding = findings.first(where: { $0.difference == difference }) else { return nil }
        number += 1
        let folder = "finding-\(number)"
        do { try finding.write(to: "\(command.to)/\(folder)") } catch { problem = error }
        complain("seed \(seed): \(difference.kind.rawValue): \(finding.lines.first ?? "") → \(folder)")
        return folder
      }
      do {
        if let problem { throw problem }
        // After every seed, so that nothing is lost when the campaign is interrupted.
        try OutputFile.write(Array(record.json.utf8), to: results)
      } catch {
        complain("\(error)")
        return 4
      }
      progress.show(record)
      if command.first, !record.findings.isEmpty { break }
    }
    progress.end()
    var output = TextOutput(descriptor: 1)
    for line in record.summary { output.put(line: line) }
    output.flush()
    return record.findings.isEmpty ? 0 : 3
  }

  /// A seed's result, and what is to be written of it.
  private func experiment(
    _ seed: UInt64, _ known: Set<Difference>, _ objects: DatapathObjects?
  ) throws -> (SeedResult, [FindingFiles]) {
    guard let frames = command.frames, let objects else {
      let result = Campaign(plan, known: known, isShrinking: !command.first, run: Self.runner(objects))
        .explore(seed)
      return (result, result.discoveries.compactMap(FindingFiles.init))
    }
    let (result, found) = try FrameExperiment(frames: frames, isShrinking: !command.first).run(
      seed: seed, objects: objects, known: known)
    return (result, found.filter { !known.contains($0.difference) }.map(FindingFiles.init))
  }

  private static func runner(_ objects: DatapathObjects?) -> (Case) -> Trial {
    guard let objects else { return TrialRunner { _ in NoObserver() }.run }
    return { subject in
      TrialRunner { _ in Replay(KernelCluster(objects: objects), foreign: objects.isForeign) }.run(subject)
    }
  }

  private static func now() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec
  }
}

/// A line on a terminal that is written over and over.
private struct Progress {
  private let isShown = isatty(2) == 1

  func show(_ record: CampaignRecord) {
    put("\r\(record.cases) cases, \(record.hops) hops, \(record.findings.count) findings ")
  }

  func end() { put("\r\u{1b}[K") }

  private func put(_ text: String) {
    guard isShown else { return }
    var output = TextOutput(descriptor: 2)
    output.put(text: text)
    output.flush()
  }
}

extension CampaignRecord {
  /// What a person reads at the end.
  var summary: [String] {
    var lines = [
      "\(cases) cases, \(hops) hops, \(compared) of them compared, \(reached.count) different ways through the hooks"
    ]
    for (reason, count) in notRun.sorted(by: { $0.key < $1.key }) {
      lines.append("  not run: \(count) \(reason)")
    }
    for entry in findings {
      lines.append(
        "  \(entry.difference.kind.rawValue), \(entry.count) times, first with seed \(entry.seed)"
          + (entry.folder.map { ": \($0)" } ?? ""))
      lines += entry.lines.prefix(3).map { "    \($0)" }
    }
    return lines
  }
}
