/// How test objects are loaded and run.
public struct TestSettings: Sendable {
  /// The most entries that a hash map, an LRU map or a trie gets. Objects ask for the sizes of a production node, and
  /// making those takes longer than all tests.
  public var mapEntries: UInt32 = 4096
  /// Load every program of an object, also what no chosen test reaches: then the verifier judges all of them.
  public var loadsEverything = false
  /// A stage to leave out: a control, for a test that passes without its setup proves nothing.
  public var omitted: TestObject.Stage?
  /// How many objects are worked on at once; nil for as many as there are processors.
  public var jobs: Int?

  public init() {}
}

/// One program of a test, run once.
public struct StageRun: Sendable {
  public var stage: TestObject.Stage
  public var returned: UInt32
  /// The packet, without the return value that a check finds before it.
  public var before: [UInt8]
  public var after: [UInt8]
}

/// What came of a test, as the kernel gave it.
public struct TestRunResult: Sendable {
  public var test: TestObject.Test
  /// Those that ran, in order.
  public var stages: [StageRun]
  /// Why a stage could not be run.
  public var failure: KernelError?
  /// What the test wrote into `suite_result_map`: protocol buffers, with a few zeros at the end.
  public var results: [UInt8] = []
  /// What the test added to `scapy_assert_map`.
  public var assertions: [[UInt8]] = []
  public var nanoseconds: UInt64 = 0
}

/// What came of an object.
public struct TestObjectRun: Sendable {
  public var tests: [TestRunResult]
  /// Functions that programs of other sections call; they were copied into `.text` for libbpf.
  public var copiedFunctions: [String]
  /// Programs loaded, and programs that the object holds.
  public var loaded: Int
  public var programs: Int
  /// Whether some map has less room than the object asks for.
  public var hasSmallerMaps: Bool
  public var loadNanoseconds: UInt64
  public var runNanoseconds: UInt64
}
