import Capture
import Glibc
import Kernel
import Report
import Runner
import Synchronization
import TestObjects

/// One run of `ciliate test`.
struct TestCommandSession {
  let command: TestCommand

  init(_ command: TestCommand) { self.command = command }

  /// Gives the exit code.
  func run() throws -> Int32 {
    guard let all = readObjects() else { return 2 }
    let objects = all.filter { object in object.tests.contains { isChosen(object, $0) } }
    if objects.isEmpty {
      complain("--filter \(command.filter.joined(separator: ", ")): no test of that name")
      return 2
    }
    if command.list {
      list(objects)
      return 0
    }
    if let reason = Doctor.examine().reason {
      complain("the kernel is needed: \(reason)")
      return 4
    }
    let clock = ContinuousClock()
    let start = clock.now
    let progress = Progress(command.output == .text ? reportText : nil, objects)
    let command = command
    let outcomes = TestRunner.run(
      objects, settings, choosing: { Self.isChosen(command, $0, $1) },
      accepting: { $0.tests.allSatisfy { TestReport.Test($0).result <= .skipped } },
      finished: { progress.finished($0, $1) })
    let report = TestReport(objects, outcomes)
    let (seconds, attoseconds) = (clock.now - start).components
    try write(report, UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds) / 1_000_000_000)
    return Self.exitCode(report, outcomes)
  }

  private var settings: TestSettings {
    var settings = TestSettings()
    settings.mapEntries = command.mapEntries
    settings.loadsEverything = command.loadAll
    settings.omitted =
      switch command.without {
      case .pktgen?: .pktgen
      case .setup?: .setup
      case nil: nil
      }
    settings.jobs = command.jobs
    return settings
  }

  /// All objects, or nil when one of them cannot be read: then nothing is run.
  private func readObjects() -> [TestObject]? {
    var objects: [TestObject] = []
    var isBad = false
    for path in command.paths {
      let files = Folder.exists(path) ? Self.objects(in: path) : [path]
      if files.isEmpty {
        complain("\(path): the folder holds no object (*.o)")
        isBad = true
      }
      for file in files {
        do {
          objects.append(try TestObject(try readWholeFile(file), name: file))
        } catch {
          complain("\(error)")
          isBad = true
        }
      }
    }
    return isBad ? nil : objects
  }

  private static func objects(in folder: String) -> [String] {
    let folder = folder.hasSuffix("/") ? String(folder.dropLast()) : folder
    return Folder.names(in: folder).filter { $0.hasSuffix(".o") && !$0.hasPrefix(".") }.map {
      "\(folder)/\($0)"
    }
  }

  private func isChosen(_ object: TestObject, _ test: TestObject.Test) -> Bool {
    Self.isChosen(command, object, test)
  }

  private static func isChosen(_ command: TestCommand, _ object: TestObject, _ test: TestObject.Test) -> Bool
  {
    let name = "\(TestReport.name(of: object.name))/\(test.name)"
    return command.filter.isEmpty || command.filter.contains { name.contains($0) }
  }

  private func list(_ objects: [TestObject]) {
    var output = TextOutput(descriptor: 1)
    for object in objects {
      for test in object.tests where isChosen(object, test) {
        output.put(line: "\(TestReport.name(of: object.name))/\(test.name)")
      }
    }
    output.flush()
  }

  private func write(_ report: TestReport, _ nanoseconds: UInt64) throws {
    if let file = command.junit {
      try OutputFile.write(Array(TestReportDocuments.junit(report).utf8), to: file)
    }
    if let folder = command.pcap {
      if let reason = Folder.make(folder) { throw CaptureError(file: folder, reason: reason) }
      for object in report.objects {
        guard let capture = TestCapture.pcapng(object) else { continue }
        try OutputFile.write(capture, to: "\(folder)/\(Artifacts.fileName(object.name)).pcapng")
      }
    }
    var output = TextOutput(descriptor: 1)
    switch command.output {
    case .text: output.put(text: reportText.summary(report, nanoseconds: nanoseconds))
    case .json: output.put(text: TestReportDocuments.json(report))
    }
    output.flush()
  }

  private var reportText: TestReportText {
    let isColoured =
      switch command.color {
      case .always: true
      case .never: false
      case .auto: isatty(1) == 1 && getenv("NO_COLOR") == nil
      }
    return TestReportText(style: isColoured ? .coloured : .plain, isVerbose: command.verbose)
  }

  /// 2 before 4 before 1: an object that cannot be loaded because of what it is, is bad input.
  static func exitCode(_ report: TestReport, _ outcomes: [TestRunner.Outcome]) -> Int32 {
    let kinds = outcomes.compactMap { outcome in
      if case .failure(let error) = outcome { error.kind } else { nil }
    }
    if kinds.contains(.object) { return 2 }
    if kinds.contains(.notPermitted) { return 4 }
    return report.objects.contains { $0.result > .skipped } ? 1 : 0
  }
}

/// Objects are finished in any order and shown in that of the command line, each as soon as those before it are.
///
/// A terminal on standard error gets a line that counts.
private final class Progress: Sendable {
  private let text: TestReportText?
  private let objects: [TestObject]
  private let isCounting: Bool
  private let state: Mutex<State>

  private struct State {
    var waiting: [Int: TestReport.Object] = [:]
    var shown = 0
    var done = 0
  }

  init(_ text: TestReportText?, _ objects: [TestObject]) {
    self.text = text
    self.objects = objects
    isCounting = isatty(2) == 1
    state = Mutex(State())
  }

  func finished(_ index: Int, _ outcome: TestRunner.Outcome) {
    let object = TestReport.Object(objects[index], outcome)
    state.withLock { state in
      state.done += 1
      state.waiting[index] = object
      if isCounting { count("\r\u{1b}[K") }
      while let next = state.waiting.removeValue(forKey: state.shown) {
        state.shown += 1
        show(next)
      }
      if isCounting, state.done < objects.count { count("[\(state.done)/\(objects.count)] \(object.name)") }
    }
  }

  private func show(_ object: TestReport.Object) {
    guard let text else { return }
    var output = TextOutput(descriptor: 1)
    output.put(text: text.text(object))
    output.flush()
  }

  private func count(_ line: String) {
    var output = TextOutput(descriptor: 2)
    output.put(text: line)
    output.flush()
  }
}
