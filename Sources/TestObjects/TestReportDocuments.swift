import Capture
import Kernel
import Report
import Runner
import Wire

/// The report for other programs.
public enum TestReportDocuments {
  /// `ciliate.test/v1`. Durations are measured: they are all that differs between two runs.
  public static func json(_ report: TestReport) -> String {
    let totals = report.totals
    var text = ""
    JSONValue.members(
      ("schema", .string("ciliate.test/v1")), ("objects", .array(report.objects.map(object))),
      (
        "totals",
        .members(
          ("objects", .integer(totals.objects)), ("notLoaded", .integer(totals.unloaded)),
          ("tests", counts(totals.tests)), ("nested", counts(totals.nested)))
      )
    ).write(into: &text)
    return text + "\n"
  }

  private static func counts(_ counts: [ResultWord: Int]) -> JSONValue {
    .object(
      ResultWord.allCases.compactMap { word in
        counts[word].map { JSONValue.Member(name: word.rawValue, value: .integer($0)) }
      })
  }

  private static func object(_ object: TestReport.Object) -> JSONValue {
    .members(
      ("name", .string(object.name)), ("file", .string(object.path)),
      ("result", .string(object.result.rawValue)), ("failure", .text(object.failure)),
      ("programs", .integer(object.programs)), ("programsLoaded", .integer(object.loaded)),
      ("calledAcrossSections", .array(object.copiedFunctions.map(JSONValue.string))),
      ("loadNanoseconds", .integer(object.loadNanoseconds)),
      ("runNanoseconds", .integer(object.runNanoseconds)), ("tests", .array(object.tests.map(test))))
  }

  private static func test(_ test: TestReport.Test) -> JSONValue {
    .members(
      ("name", .string(test.name)), ("kind", .string(test.isXDP ? "xdp" : "tc")),
      ("result", .string(test.result.rawValue)),
      ("messages", .array(test.messages.map(JSONValue.string))),
      (
        "stages",
        .array(
          test.stages.map {
            .members(("stage", .string($0.stage.rawValue)), ("returned", .integer($0.returned)))
          })
      ),
      (
        "nested",
        .array(
          test.nested.map {
            .members(
              ("name", .string($0.name)), ("result", .string($0.result.rawValue)),
              ("log", .array($0.log.map(JSONValue.string))))
          })
      ),
      ("assertions", .array(test.assertions.map(assertion))), ("nanoseconds", .integer(test.nanoseconds)))
  }

  private static func assertion(_ assertion: PacketAssertion) -> JSONValue {
    .members(
      ("name", .string(assertion.name)), ("file", .string(assertion.file)),
      ("line", .string(assertion.line)), ("firstLayer", .string(assertion.firstLayer)),
      ("expected", .string(hex(assertion.expected))), ("found", .string(hex(assertion.found))),
      ("foundLength", .integer(assertion.foundLength)),
      (
        "differences",
        .array(
          assertion.differences.map {
            .members(
              ("field", .string($0.path)), ("expected", .string($0.left)), ("found", .string($0.right)))
          })
      ))
  }

  private static func hex(_ octets: [UInt8]) -> String {
    octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// JUnit's XML: a suite for each object, a case for each test.
  public static func junit(_ report: TestReport) -> String {
    var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
    for object in report.objects { suite(object, into: &text) }
    return text + "</testsuites>\n"
  }

  private static func suite(_ object: TestReport.Object, into text: inout String) {
    func count(_ word: ResultWord) -> Int { object.tests.count { $0.result == word } }
    let name = JUnitReport.escape(object.name)
    let errors = count(.error) + (object.failure == nil ? 0 : 1)
    text +=
      "  <testsuite name=\"\(name)\" tests=\"\(object.tests.count + (object.failure == nil ? 0 : 1))\""
      + " failures=\"\(count(.fail))\" errors=\"\(errors)\" skipped=\"\(count(.skipped))\""
      + " time=\"\(seconds(object.loadNanoseconds &+ object.runNanoseconds))\">\n"
    if let failure = object.failure {
      text += "    <testcase classname=\"\(name)\" name=\"load\">"
      text += "<error type=\"error\" message=\"\(JUnitReport.escape(failure))\"/></testcase>\n"
    }
    for test in object.tests {
      text +=
        "    <testcase classname=\"\(name)\" name=\"\(JUnitReport.escape(test.name))\""
        + " time=\"\(seconds(test.nanoseconds))\""
      let message = JUnitReport.escape(words(test).joined(separator: "\n"))
      switch test.result {
      case .pass: text += "/>\n"
      case .skipped: text += "><skipped message=\"\(message)\"/></testcase>\n"
      case .error: text += "><error type=\"error\" message=\"\(message)\"/></testcase>\n"
      case .fail, .differs, .unmodelled:
        text += "><failure type=\"\(test.result.rawValue)\" message=\"\(message)\"/></testcase>\n"
      }
    }
    text += "  </testsuite>\n"
  }

  private static func words(_ test: TestReport.Test) -> [String] {
    test.messages
      + test.nested.filter { $0.result > .skipped }.map { nested in
        ([nested.name + ": " + nested.result.rawValue] + nested.log).joined(separator: "; ")
      } + test.assertions.flatMap(\.lines)
  }

  private static func seconds(_ nanoseconds: UInt64) -> String {
    let micros = String(nanoseconds / 1000 % 1_000_000)
    return "\(nanoseconds / 1_000_000_000)." + String(repeating: "0", count: 6 - micros.count) + micros
  }
}
