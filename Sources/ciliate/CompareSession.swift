import ArgumentParser
import Capture
import Cluster
import Conformance
import Explore
import Kernel
import Runner
import Scenario

/// One run of `ciliate compare` over traffic.
struct CompareSession {
  private let command: CompareCommand

  init(_ command: CompareCommand) { self.command = command }

  /// What is run, with its text for examples.
  private struct Subject {
    var loaded: LoadedScenario
    var findings: [Finding]
    var text: String?
    /// Whether a part of it could not be read.
    var isDamaged = false
  }

  func run() throws -> Int32 {
    let subjects: [Subject]
    var allow = AllowList()
    do {
      subjects = try self.subjects()
      if let file = command.allow {
        allow = AllowList(String(decoding: try readWholeFile(file), as: UTF8.self))
      }
    } catch let error as ValidationError {
      throw error
    } catch {
      complain("\(error)")
      return 2
    }
    let sides: (CompareSide, CompareSide)
    do { sides = (try CompareSide(command.baseline), try CompareSide(command.candidate)) } catch {
      complain("\(error)")
      return 4
    }
    if sides.0.needsKernel || sides.1.needsKernel, let reason = Doctor.examine().reason {
      complain("the kernel is needed: \(reason)")
      return 4
    }
    let log = DuelLog()
    for subject in subjects { try duel(subject, sides, log) }
    var comparison = DatapathComparison(
      baseline: sides.0.name, candidate: sides.1.name, log, scenarios: subjects.count, allow: &allow)
    comparison.unusedEntries = allow.unused.map { "\(command.allow ?? ""):\($0.line): \($0.pattern)" }
    comparison.objects = try objects(sides)
    if let folder = command.examples { try writeExamples(&comparison, subjects, sides, to: folder) }
    try report(comparison, subjects)
    if subjects.contains(where: \.isDamaged) { return 2 }
    if comparison.compared == 0 {
      complain("no hop could be run on both sides")
      return 4
    }
    return comparison.differs ? 3 : 0
  }

  // MARK: Traffic

  private func subjects() throws -> [Subject] {
    if let text = command.seeds {
      guard let seeds = FuzzSession.seeds(text) else {
        throw ValidationError("--seeds \(text): expected a..b, or a number from 1")
      }
      return try seeds.map { seed in
        let subject = CaseGenerator.make(seed: seed)
        let text = subject.selfContainedText
        let (loaded, findings) = ScenarioLoader.load(text: text, file: "\(subject.name).yaml")
        guard let loaded else { throw CampaignError("seed \(seed): \(findings.first.map { "\($0)" } ?? "")") }
        return Subject(loaded: loaded, findings: findings, text: text)
      }
    }
    guard !command.paths.isEmpty else {
      throw ValidationError("nothing to run: name scenarios, or use --seeds, --replay or --hop")
    }
    var subjects: [Subject] = []
    for file in try YAMLFiles.find(.scenario, command.paths) {
      let (loaded, findings) = ScenarioLoader.load(file)
      guard let loaded else {
        throw CampaignError(findings.filter { $0.severity == .error }.map { "\($0)" }.joined(separator: "\n"))
      }
      let text = String(decoding: try readWholeFile(file), as: UTF8.self)
      subjects.append(Subject(loaded: loaded, findings: findings, text: text))
    }
    guard let capture = command.replay else { return subjects }
    return [try replay(capture, in: subjects)]
  }

  /// The scenario's cluster with the packets of a capture for its steps.
  private func replay(_ capture: String, in subjects: [Subject]) throws -> Subject {
    guard subjects.count == 1, var subject = subjects.first else {
      throw ValidationError("--replay: name one scenario, whose cluster the packets are put into")
    }
    let place = (command.at ?? "").split(separator: "/", maxSplits: 1).map(String.init)
    guard place.count == 2 else { throw ValidationError("--replay: say where with --at NODE/INTERFACE") }
    var frames = FrameCollector()
    var reader = try CaptureReader(path: capture)
    do {
      try reader.read(into: &frames)
      try reader.finish()
    } catch {
      // What could be read is run all the same.
      guard !frames.frames.isEmpty else { throw error }
      complain("\(error)")
      subject.isDamaged = true
    }
    let steps = frames.frames.enumerated().map { number, octets in
      Scenario.Step(
        name: "packet-\(number + 1)",
        verb: .inject(Injection(node: place[0], interface: place[1], frame: .octets(octets))))
    }
    guard !steps.isEmpty else { throw CampaignError("\(capture): no packets") }
    subject.loaded.scenario.steps = steps
    subject.loaded.stepManifests = [:]
    subject.loaded.stepSettings = [:]
    subject.text = nil
    return subject
  }

  private func duel(_ subject: Subject, _ sides: (CompareSide, CompareSide), _ log: DuelLog) throws {
    log.scenario = subject.loaded.scenario.name
    let duel = Duel(
      try sides.0.contender(for: subject.loaded), try sides.1.contender(for: subject.loaded),
      foreign: sides.0.isForeign || sides.1.isForeign, log: log)
    _ = ScenarioRunner.run(subject.loaded, findings: subject.findings, seed: nil, observer: duel)
  }

  // MARK: Results

  /// The object files of both sides, where both are one build.
  private func objects(_ sides: (CompareSide, CompareSide)) throws -> [DatapathComparison.ObjectSize] {
    let (before, after) = (try sides.0.sizes(), try sides.1.sizes())
    guard !before.isEmpty, !after.isEmpty else { return [] }
    return Set(before.keys).union(after.keys).sorted().map {
      .init(name: $0, instructions: (before[$0], after[$0]))
    }
  }

  private func report(_ comparison: DatapathComparison, _ subjects: [Subject]) throws {
    if let file = command.junitFile { try OutputFile.write(Array(comparison.junit.utf8), to: file) }
    if let file = command.markdownFile { try OutputFile.write(Array(comparison.markdown.utf8), to: file) }
    if let file = command.sarifFile {
      let text = comparison.sarif { name in
        subjects.first { $0.loaded.scenario.name == name }?.loaded.scenario.file
      }
      try OutputFile.write(Array(text.utf8), to: file)
    }
    var output = TextOutput(descriptor: 1)
    output.put(text: command.output == .json ? comparison.json : comparison.text)
    output.flush()
  }

  private func writeExamples(
    _ comparison: inout DatapathComparison, _ subjects: [Subject], _ sides: (CompareSide, CompareSide),
    to folder: String
  ) throws {
    if let reason = Folder.make(folder) { throw CampaignError("\(folder): \(reason)") }
    for (number, group) in comparison.groups.enumerated() where !group.isAllowed {
      let place = "\(folder)/\(number + 1)"
      if let reason = Folder.make(place) { throw CampaignError("\(place): \(reason)") }
      var writer = PcapWriter()
      writer.write(time: 0, bytes: group.group.frame)
      try OutputFile.write(writer.bytes, to: "\(place)/frame.pcap")
      try OutputFile.write(Array(group.group.recording.utf8), to: "\(place)/hop.hops")
      if let text = try smallest(group, subjects, sides) {
        try OutputFile.write(Array("# \(group.cause)\n\(text)".utf8), to: "\(place)/scenario.yaml")
        try copyManifests(of: group, subjects, to: place)
      }
      comparison.groups[number].folder = place
    }
  }

  /// The scenario with as few steps as still show the cause.
  private func smallest(
    _ group: DatapathComparison.Group, _ subjects: [Subject], _ sides: (CompareSide, CompareSide)
  ) throws -> String? {
    guard let subject = subjects.first(where: { $0.loaded.scenario.name == group.group.scenarios.first }),
      let text = subject.text,
      let reduction = ScenarioReduction(text: text, scenario: subject.loaded.scenario)
    else { return nil }
    var failure: (any Error)?
    let kept = DeltaDebugging.minimize(Array(0..<reduction.count)) { steps in
      guard failure == nil, let text = reduction.text(keeping: steps) else { return false }
      let (loaded, findings) = ScenarioLoader.load(text: text, file: subject.loaded.scenario.file)
      guard let loaded else { return false }
      let log = DuelLog()
      do { try duel(Subject(loaded: loaded, findings: findings), sides, log) } catch { failure = error }
      return log.groups.contains { $0.cause == group.cause }
    }
    if let failure { throw failure }
    return reduction.text(keeping: kept)
  }

  /// What the scenario names lies beside it, as in its own folder.
  private func copyManifests(
    of group: DatapathComparison.Group, _ subjects: [Subject], to place: String
  ) throws {
    guard
      let file = subjects.first(where: { $0.loaded.scenario.name == group.group.scenarios.first })?
        .loaded.scenario.file, let slash = file.lastIndex(of: "/")
    else { return }
    let folder = String(file[..<slash])
    let own = file[file.index(after: slash)...]
    for name in Folder.names(in: folder)
    where name.hasSuffix(".yaml") && name != own && name != "scenario.yaml" {
      guard Folder.isFile("\(folder)/\(name)") else { continue }
      try OutputFile.write(try readWholeFile("\(folder)/\(name)"), to: "\(place)/\(name)")
    }
  }
}

/// The Ethernet frames of a capture.
private struct FrameCollector: PacketSink {
  var frames: [[UInt8]] = []

  mutating func take(_ packet: CapturedPacket) {
    frames.append(Array(UnsafeRawBufferPointer(start: packet.base, count: packet.captured)))
  }
}
