public import Report
import Runner

/// The report for a terminal.
public struct TestReportText: Sendable {
  public var style: TextStyle
  /// Name every test, with its log, not only those that did not pass.
  public var isVerbose: Bool

  public init(style: TextStyle = .plain, isVerbose: Bool = false) {
    self.style = style
    self.isVerbose = isVerbose
  }

  /// One object: a line, and the tests that need words.
  public func text(_ object: TestReport.Object) -> String {
    var lines: [String] = []
    let counts = Self.counts(object.tests.map(\.result))
    lines.append(
      "\(style.result(object.result))  \(object.name)  \(counts)  "
        + "(\(Self.duration(object.loadNanoseconds)) to load \(object.loaded) of \(object.programs) programs, "
        + "\(Self.duration(object.runNanoseconds)) to run)")
    if let failure = object.failure {
      lines[0] = "\(style.result(.error))  \(object.name)  not loaded"
      lines += Self.indented([failure])
    }
    if isVerbose, !object.copiedFunctions.isEmpty {
      lines.append("  called across sections: \(object.copiedFunctions.joined(separator: ", "))")
    }
    for test in object.tests where isVerbose || test.result > .skipped {
      lines.append("  \(style.result(test.result))  \(test.name)  (\(Self.duration(test.nanoseconds)))")
      lines += Self.indented(test.messages).map { "  " + $0 }
      for nested in test.nested where isVerbose || nested.result > .skipped {
        lines.append("    \(style.result(nested.result))  \(nested.name)")
        lines += Self.indented(nested.log).map { "    " + $0 }
      }
      lines += Self.indented(test.assertions.flatMap(\.lines)).map { "  " + $0 }
    }
    return lines.map { $0 + "\n" }.joined()
  }

  /// The last lines. `nanoseconds` is what the whole run took.
  public func summary(_ report: TestReport, nanoseconds: UInt64) -> String {
    let totals = report.totals
    var text = "\(totals.objects) objects, \(totals.tests.values.reduce(0, +)) tests: "
    text += Self.counts(totals.tests)
    if !totals.nested.isEmpty {
      text += "; \(totals.nested.values.reduce(0, +)) nested results: \(Self.counts(totals.nested))"
    }
    if totals.unloaded > 0 { text += "; \(totals.unloaded) objects could not be loaded" }
    return text + "; \(Self.duration(nanoseconds))\n"
  }

  private static func counts(_ words: [ResultWord]) -> String {
    counts(words.reduce(into: [:]) { $0[$1, default: 0] += 1 })
  }

  static func counts(_ counts: [ResultWord: Int]) -> String {
    let parts = ResultWord.allCases.compactMap { word in counts[word].map { "\($0) \(word.rawValue)" } }
    return parts.isEmpty ? "none" : parts.joined(separator: ", ")
  }

  /// `12.3 s`, `45 ms` or `678 µs`.
  static func duration(_ nanoseconds: UInt64) -> String {
    if nanoseconds >= 1_000_000_000 {
      let tenths = nanoseconds / 100_000_000
      return "\(tenths / 10).\(tenths % 10) s"
    }
    return nanoseconds >= 1_000_000 ? "\(nanoseconds / 1_000_000) ms" : "\(nanoseconds / 1000) µs"
  }

  /// Text of programs and of the kernel: its lines, without what would drive a terminal.
  private static func indented(_ texts: [String]) -> [String] {
    texts.flatMap { $0.split(separator: "\n", omittingEmptySubsequences: true) }.map { line in
      "    "
        + String(
          String.UnicodeScalarView(
            line.unicodeScalars.map { $0.value < 0x20 || (0x7f...0x9f).contains($0.value) ? "\u{fffd}" : $0 })
        )
    }
  }
}
