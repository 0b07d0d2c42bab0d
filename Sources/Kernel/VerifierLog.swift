/// The verifier's words, cut down to what tells a reader something.
enum VerifierLog {
  /// The last lines: the instructions that led to the refusal, with their source lines, and the reason.
  static func shortened(_ log: String, lines: Int = 24) -> String {
    var kept = log.split(separator: "\n", omittingEmptySubsequences: true).filter { line in
      !line.hasPrefix("processed ") && !line.hasPrefix("verification time") && !line.hasPrefix("stack depth")
    }
    let omitted = kept.count - lines
    if omitted > 0 {
      kept.removeFirst(omitted)
      kept.insert("… \(omitted) lines", at: 0)
    }
    return kept.joined(separator: "\n")
  }
}
