import Capture
public import Cluster
import Manifests
public import Scenario

/// A lab in its folder.
public struct Lab: Sendable {
  public var folder: String
  public var file: LabFile

  /// The folder in which a lab keeps an answer to its task; not the learner's.
  static let solution = "solution"

  /// The labs in a folder of labs, by name; those whose file is in error come with their findings.
  public static func all(in folder: String) -> (labs: [Lab], findings: [Finding]) {
    var labs: [Lab] = []
    var findings: [Finding] = []
    for name in Folder.names(in: folder) where Folder.holds("\(folder)/\(name)/\(LabFile.fileName)") {
      let (lab, found) = LabFile.load("\(folder)/\(name)/\(LabFile.fileName)")
      findings += found
      if let lab { labs.append(Lab(folder: "\(folder)/\(name)", file: lab)) }
    }
    return (labs, findings)
  }

  /// The files that the learner gets: those of the folder, without the lab's own file and the solution.
  private var handouts: [String] {
    Folder.names(in: folder).filter { $0 != LabFile.fileName && !Folder.exists("\(folder)/\($0)") }
  }

  /// Copies the lab's files, and makes its capture and its list of identities.
  ///
  /// - Returns: the names of the files.
  /// - Throws: when something of one of the names is there already, or a file cannot be written.
  public func open(to target: String) throws(LabError) -> [String] {
    var files: [(name: String, bytes: [UInt8])] = []
    for name in handouts { files.append((name, try read("\(folder)/\(name)"))) }
    files += try generated()
    for file in files where Folder.holds("\(target)/\(file.name)") {
      throw LabError("\(target)/\(file.name) is there already; choose another folder with --to")
    }
    if let reason = Folder.make(target) { throw LabError("\(target): \(reason)") }
    for file in files {
      do {
        try OutputFile.write(file.bytes, to: "\(target)/\(file.name)")
      } catch {
        throw LabError("\(error)")
      }
    }
    return files.map(\.name)
  }

  /// What is made by running the scenario: the same octets each time.
  private func generated() throws(LabError) -> [(name: String, bytes: [UInt8])] {
    guard file.capture != nil || file.identities != nil else { return [] }
    let outcome = try run(in: folder, steps: nil)
    var files: [(name: String, bytes: [UInt8])] = []
    if let capture = file.capture {
      let all = JourneyCapture(outcome.journeys, comment: "lab \(file.name)")
      guard let underlay = all.underlays.first(where: { $0.node == capture.node }) else {
        throw LabError("lab \(file.name): nothing was seen on node \(capture.node)")
      }
      files.append((capture.file, underlay.pcap))
    }
    if let name = file.identities { files.append((name, Array(Self.identityList(outcome.names).utf8))) }
    return files
  }

  /// In the form of `cilium-dbg identity list`: a line for each label, the number before the first.
  private static func identityList(_ names: NameBook) -> String {
    var text = "ID      LABELS\n"
    for (number, labels) in names.labels.sorted(by: { $0.key < $1.key }) {
      for (index, label) in labels.sorted().enumerated() {
        let first = index == 0 ? "\(number)" : ""
        text += first + String(repeating: " ", count: max(1, 8 - first.count)) + label + "\n"
      }
    }
    return text
  }

  /// Looks whether the task is done in the learner's folder.
  ///
  /// - Parameter answer: in place of the file that the learner writes the answer into.
  /// - Throws: when files are missing, not to be changed, or in error.
  public func check(in work: String, answer: String? = nil) throws(LabError) -> LabResult {
    switch file.check {
    case .steps(let steps):
      try requireHandouts(in: work)
      let outcome = try run(in: work, steps: steps)
      return LabResult(
        items: outcome.steps.map { step in
          LabResult.Item(isMet: step.result == .pass, text: step.name, details: step.messages)
        })
    case .sender(let step, let answerFile):
      let given: String
      if let answer {
        given = answer
      } else {
        given = Self.answer(in: String(decoding: try read("\(work)/\(answerFile)"), as: UTF8.self))
      }
      let outcome = try run(in: folder, steps: nil)
      return LabResult(items: [try judge(given, step: step.value, outcome)])
    }
  }

  /// Everything but the learner's own files must be as it was handed out: otherwise another task would be solved.
  private func requireHandouts(in work: String) throws(LabError) {
    guard Folder.exists(work) else {
      throw LabError("there is no folder \(work); `ciliate lab open \(file.name)` makes it")
    }
    for name in handouts {
      let theirs = try read("\(work)/\(name)")
      if file.files.contains(name) { continue }
      let ours = try read("\(folder)/\(name)")
      guard theirs == ours else {
        let own = file.files.joined(separator: ", ")
        throw LabError("\(work)/\(name) is not as it was handed out; only \(own) is to be changed")
      }
    }
  }

  private func run(in place: String, steps: YAMLValue?) throws(LabError) -> ScenarioOutcome {
    let (scenario, findings) = ScenarioLoader.load("\(place)/\(file.scenario.value)", steps: steps)
    guard let scenario else {
      throw LabError(findings.filter { $0.severity == .error }.map(\.description).joined(separator: "\n"))
    }
    return ScenarioRunner.run(scenario, findings: findings, seed: nil, observer: NoObserver())
  }

  /// The first line that is neither empty nor a remark.
  private static func answer(in text: String) -> String {
    text.split(whereSeparator: \.isNewline).first { !$0.hasPrefix("#") && $0.contains { !$0.isWhitespace } }
      .map(String.init) ?? ""
  }

  private func judge(_ answer: String, step: String, _ outcome: ScenarioOutcome) throws(LabError)
    -> LabResult.Item
  {
    guard let sender = LabSender(ofStep: step, outcome) else {
      throw LabError("lab \(file.name): no packet of step \"\(step)\" went through a tunnel")
    }
    let isMet = sender.isMeant(by: answer)
    return LabResult.Item(
      isMet: isMet, text: "the sender is \(answer.isEmpty ? "(no answer)" : answer)",
      details: isMet ? ["VNI \(sender.identity): \(sender.labels.joined(separator: ", "))"] : [])
  }

  private func read(_ path: String) throws(LabError) -> [UInt8] {
    do {
      return try readWholeFile(path)
    } catch {
      throw LabError("\(error)")
    }
  }
}

/// Why a lab could not be opened or checked.
public struct LabError: Error, CustomStringConvertible {
  public var description: String
  init(_ description: String) { self.description = description }
}

/// What a check found.
public struct LabResult: Sendable {
  public struct Item: Sendable {
    public var isMet: Bool
    public var text: String
    public var details: [String]
  }

  public var items: [Item]
  public var isDone: Bool { !items.isEmpty && items.allSatisfy(\.isMet) }
}
