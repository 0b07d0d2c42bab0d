public import Kernel
public import Runner

/// What came of test objects, judged.
public struct TestReport: Sendable {
  public struct Object: Sendable {
    /// As it was given.
    public var path: String
    public var result: ResultWord
    public var tests: [Test]
    /// Why the object could not be loaded.
    public var failure: String?
    public var copiedFunctions: [String]
    /// Programs loaded, of those that the object holds.
    public var loaded: Int
    public var programs: Int
    public var loadNanoseconds: UInt64
    public var runNanoseconds: UInt64

    /// The file's name without `.o`.
    public var name: String { TestReport.name(of: path) }
  }

  public struct Test: Sendable {
    public var name: String
    public var isXDP: Bool
    public var result: ResultWord
    /// Why it did not pass, and what it logged.
    public var messages: [String]
    public var nested: [SuiteResult.Nested]
    public var assertions: [PacketAssertion]
    public var stages: [StageRun]
    public var nanoseconds: UInt64
  }

  public var objects: [Object]

  public init(_ objects: [TestObject], _ outcomes: [TestRunner.Outcome]) {
    self.objects = zip(objects, outcomes).map { Object($0, $1) }
  }

  /// How many tests, and how many nested results, ended with each word.
  public struct Totals: Sendable, Equatable {
    public var objects = 0
    public var tests: [ResultWord: Int] = [:]
    public var nested: [ResultWord: Int] = [:]
    /// Objects that could not be loaded.
    public var unloaded = 0
  }

  public var totals: Totals {
    var totals = Totals(objects: objects.count)
    for object in objects {
      if object.failure != nil { totals.unloaded += 1 }
      for test in object.tests {
        totals.tests[test.result, default: 0] += 1
        for nested in test.nested { totals.nested[nested.result, default: 0] += 1 }
      }
    }
    return totals
  }

  public static func name(of path: String) -> String {
    let file = path.split(separator: "/").last.map(String.init) ?? path
    return file.hasSuffix(".o") ? String(file.dropLast(2)) : file
  }
}

extension TestReport.Object {
  public init(_ object: TestObject, _ outcome: TestRunner.Outcome) {
    path = object.name
    switch outcome {
    case .success(let run):
      tests = run.tests.map(TestReport.Test.init)
      result = tests.map(\.result).max() ?? .skipped
      failure = nil
      copiedFunctions = run.copiedFunctions
      (loaded, programs) = (run.loaded, run.programs)
      (loadNanoseconds, runNanoseconds) = (run.loadNanoseconds, run.runNanoseconds)
    case .failure(let error):
      tests = []
      result = .error
      failure = error.description
      copiedFunctions = []
      (loaded, programs, loadNanoseconds, runNanoseconds) = (0, 0, 0, 0)
    }
  }
}

extension TestReport.Test {
  /// The test's result is the worst of what its check returned and of its nested results.
  public init(_ run: TestRunResult) {
    let suite = SuiteResult(run.results)
    name = run.test.name
    isXDP = run.test.isXDP
    stages = run.stages
    nanoseconds = run.nanoseconds
    nested = suite.nested
    assertions = run.assertions.compactMap(PacketAssertion.init(entry:))
    messages = []
    var result = ResultWord.error
    if let failure = run.failure {
      let next = TestObject.Stage.allCases.first { stage in
        run.test.functions[stage] != nil && !run.stages.contains { $0.stage == stage }
      }
      messages.append("\(next?.rawValue ?? "results"): \(failure)")
    } else if let last = run.stages.last, last.stage == .check {
      result = TestStatus.word(last.returned)
      if result == .error {
        messages.append("check returned \(last.returned): \(Self.meaning(last.returned))")
      }
    } else if let last = run.stages.last {
      messages.append("\(last.stage.rawValue) returned \(last.returned): \(Self.meaning(last.returned))")
    }
    if suite.unread > 0 {
      messages.append("suite_result_map: \(suite.unread) octets are no test results")
    }
    messages += suite.log
    self.result = ([result] + nested.map(\.result).filter { $0 != .skipped }).max() ?? result
  }

  private static func meaning(_ status: UInt32) -> String {
    switch status {
    case TestStatus.error: "error (a tail call that found no program, or a map that is missing)"
    case TestStatus.fail: "fail"
    default: "no result (100 error, 101 pass, 102 fail, 103 skip)"
    }
  }
}
