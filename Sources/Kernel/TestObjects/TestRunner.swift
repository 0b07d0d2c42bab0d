import CLibbpf
import Synchronization

/// Runs test objects in the kernel, several at once.
public enum TestRunner {
  public typealias Outcome = Result<TestObjectRun, KernelError>

  /// Runs the tests of `objects` that `isChosen` names, each object in a network namespace of its own.
  ///
  /// An object that `isGood` finds fault with is run once more with maps of the sizes that it asks for: small maps save
  /// time, and must never be what a test fails for.
  ///
  /// `finished` is told of each object when it is done, from any thread, one call at a time. Outcomes are in the order
  /// of `objects`. Nothing stays in the kernel.
  public static func run(
    _ objects: [TestObject], _ settings: TestSettings,
    choosing isChosen: @escaping @Sendable (TestObject, TestObject.Test) -> Bool = { _, _ in true },
    accepting isGood: @escaping @Sendable (TestObjectRun) -> Bool = { _ in true },
    finished: @escaping @Sendable (Int, Outcome) -> Void = { _, _ in }
  ) -> [Outcome] {
    let outcomes = Mutex<[Outcome?]>(Array(repeating: nil, count: objects.count))
    Parallel.forEach(objects.count, threads: settings.jobs) { index in
      var outcome = run(objects[index], settings) { isChosen(objects[index], $0) }
      if case .success(let run) = outcome, run.hasSmallerMaps, !isGood(run) {
        var unbounded = settings
        unbounded.mapEntries = .max
        outcome = Self.run(objects[index], unbounded) { isChosen(objects[index], $0) }
      }
      outcomes.withLock {
        $0[index] = outcome
        finished(index, outcome)
      }
    }
    return outcomes.withLock { $0.compactMap { $0 } }
  }

  private static func run(
    _ object: TestObject, _ settings: TestSettings, _ isChosen: (TestObject.Test) -> Bool
  ) -> Outcome {
    do throws(KernelError) {
      let start = ciliate_monotonic()
      let tests = object.tests.filter(isChosen)
      let prepared = try object.prepared()
      let loaded = try prepared.load(tests, settings)
      let middle = ciliate_monotonic()
      let namespace = try NetworkNamespace.create(isPlain: true)
      try namespace.enter()
      var session = TestSession(loaded, settings)
      let results = tests.map { session.run($0) }
      try NetworkNamespace.leave()
      return .success(
        TestObjectRun(
          tests: results, copiedFunctions: prepared.copiedFunctions,
          loaded: loaded.instance.programs.count, programs: prepared.file.programs.count,
          hasSmallerMaps: loaded.hasSmallerMaps,
          loadNanoseconds: UInt64(middle - start), runNanoseconds: UInt64(ciliate_monotonic() - middle)))
    } catch {
      return .failure(error)
    }
  }
}

/// The tests of one object, one after the other in the same maps.
struct TestSession: ~Copyable {
  private let loaded: TestObject.Prepared.Loaded
  private let settings: TestSettings
  private var kernel = TestRun()
  /// How many failed assertions were there before.
  private var assertionsSeen: UInt32 = 0

  /// What a test's first program gets: the longest frame that a test run may have.
  static let blank = [UInt8](repeating: 0, count: 3520)

  init(_ loaded: TestObject.Prepared.Loaded, _ settings: TestSettings) {
    self.loaded = loaded
    self.settings = settings
  }

  mutating func run(_ test: TestObject.Test) -> TestRunResult {
    let start = ciliate_monotonic()
    var result = TestRunResult(test: test, stages: [])
    do throws(KernelError) {
      try runStages(test, &result)
    } catch {
      result.failure = error
    }
    do throws(KernelError) {
      result.results = try takeResults()
      result.assertions = try takeAssertions()
      try clear("mock_skb_meta_map")
    } catch {
      result.failure = result.failure ?? error
    }
    result.nanoseconds = UInt64(ciliate_monotonic() - start)
    return result
  }

  /// The output of a stage is the input of the next; a check finds what setup returned in four octets before it.
  private mutating func runStages(
    _ test: TestObject.Test, _ result: inout TestRunResult
  ) throws(KernelError) {
    var packet = Self.blank
    kernel.context.initializeMemory(as: UInt8.self, repeating: 0, count: TestRun.skbSize)
    var setupReturned: UInt32?
    for stage in TestObject.Stage.allCases where stage != settings.omitted {
      guard let name = test.functions[stage] else { continue }
      let prefix = stage == .check ? setupReturned.map(littleEndian) ?? [] : []
      let program = try loaded.program(name)
      let size = test.isXDP ? prepareXDP(prefix.count + packet.count) : TestRun.skbSize
      let returned = try kernel.run(program.raw, frame: prefix + packet, contextSize: size)
      let after = Array(kernel.frameOut.dropFirst(prefix.count))
      result.stages.append(StageRun(stage: stage, returned: returned, before: packet, after: after))
      packet = after
      kernel.context.copyMemory(from: kernel.contextOut, byteCount: size)
      if stage == .setup { setupReturned = returned }
      // Error or failure before the check: there is nothing to check.
      if stage != .check, returned == 100 || returned == 102 { return }
    }
  }

  private func prepareXDP(_ count: Int) -> Int {
    kernel.context.initializeMemory(as: UInt8.self, repeating: 0, count: TestRun.xdpSize)
    kernel.context.assumingMemoryBound(to: xdp_md.self).pointee.data_end = UInt32(truncatingIfNeeded: count)
    return TestRun.xdpSize
  }

  private func takeResults() throws(KernelError) -> [UInt8] {
    guard let octets = try value(0, of: "suite_result_map") else { return [] }
    try clear("suite_result_map")
    // The last thing written may be a number of eight octets, and that number zero.
    guard let last = octets.lastIndex(where: { $0 != 0 }) else { return [] }
    return Array(octets[0...min(last + 8, octets.count - 1)])
  }

  private mutating func takeAssertions() throws(KernelError) -> [[UInt8]] {
    var taken: [[UInt8]] = []
    while let octets = try value(assertionsSeen, of: "scapy_assert_map"), octets.contains(where: { $0 != 0 })
    {
      taken.append(octets)
      assertionsSeen += 1
    }
    return taken
  }

  /// An entry of an array; nil if there is no such map or entry.
  private func value(_ index: UInt32, of map: String) throws(KernelError) -> [UInt8]? {
    guard let map = loaded.maps[map], map.shape.keySize == 4, index < map.shape.maxEntries else { return nil }
    var key = index
    var octets = [UInt8](repeating: 0, count: map.shape.transferSize)
    return try map.lookup(&key, into: &octets) ? octets : nil
  }

  private func clear(_ map: String) throws(KernelError) {
    guard let map = loaded.maps[map], map.shape.keySize == 4 else { return }
    var key: UInt32 = 0
    try map.update(&key, [UInt8](repeating: 0, count: map.shape.transferSize))
  }
}
