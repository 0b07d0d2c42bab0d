public import Runner

/// What a check wrote into `suite_result_map`: results of nested tests, and a log.
///
/// Modelled: `bpf/tests/common.h` (the macros TEST and test_log) and `bpf/tests/bpftest/trf.proto`.
public struct SuiteResult: Hashable, Sendable {
  /// A nested test: one `TEST(name, body)` of a check.
  public struct Nested: Hashable, Sendable {
    public var name: String
    public var result: ResultWord
    public var log: [String]
  }

  public var nested: [Nested]
  public var log: [String]
  /// Octets at the end that are no message; a check wrote more into the map than fits, or wrote it wrongly.
  public var unread: Int

  /// Reads the map's value; zeros at the end are no part of it.
  public init(_ octets: [UInt8]) {
    let message = ProtocolBuffer(octets)
    unread = message.unread
    nested = message.octets(1).map { octets in
      let test = ProtocolBuffer(octets)
      return Nested(
        name: test.texts(1).last ?? "", result: TestStatus.word(test.numbers(2).last),
        log: test.octets(3).map(Self.line))
    }
    log = message.octets(2).map(Self.line)
  }

  private static func line(_ octets: ArraySlice<UInt8>) -> String {
    let message = ProtocolBuffer(octets)
    return LogText.format(message.texts(1).last ?? "", message.numbers(2))
  }
}

/// The numbers that tests return.
public enum TestStatus {
  public static let error: UInt32 = 100
  public static let pass: UInt32 = 101
  public static let fail: UInt32 = 102
  public static let skip: UInt32 = 103

  /// Anything else than these numbers is an error: it does not say that the test passed.
  static func word(_ status: (some BinaryInteger)?) -> ResultWord {
    switch status.flatMap({ UInt32(exactly: $0) }) {
    case pass: .pass
    case fail: .fail
    case skip: .skipped
    default: .error
    }
  }
}
