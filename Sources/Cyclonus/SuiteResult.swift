/// What an oracle made of a suite.
public struct SuiteResult: Sendable {
  public var cases = 0
  public var probes = 0
  /// `cyclonus-001 step 1: x/a → x/b 80/TCP: expected X, got .`
  public var mismatches: [String] = []

  public init() {}
}
