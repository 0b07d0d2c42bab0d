import Conformance

extension DatapathComparison {
  /// What a person reads.
  public var text: String {
    var lines = ["baseline \(baseline), candidate \(candidate)"]
    for group in groups {
      lines.append("")
      lines.append("\(group.cause)\(group.isAllowed ? "  (expected)" : "")")
      lines.append("  \(hops(group.group.count)), in \(list(group.group.scenarios))")
      if let first = group.first { lines.append("  first at \(first.node)/\(first.device)") }
      for divergence in group.group.divergences {
        lines.append("    \(divergence.field.rawValue): baseline \(divergence.expected)")
        lines.append("      candidate \(divergence.found)")
        lines += divergence.details.prefix(8).map { "      \($0)" }
      }
      if let folder = group.folder { lines.append("  example: \(folder)") }
    }
    if !groups.isEmpty { lines.append("") }
    lines += hooks.map { "\($0.hook): \($0.agreeing) of \(hops($0.compared)) equal" }
    lines += notRun.map { "not run: \(hops($0.count)): \($0.reason)" }
    lines += unusedEntries.map { "allowed, and not seen: \($0)" }
    for object in objects where object.instructions.baseline != object.instructions.candidate {
      lines.append("\(object.name): \(change(object)) instructions")
    }
    lines.append(summary)
    return lines.joined(separator: "\n") + "\n"
  }

  /// The last line: what was run, and what came of it.
  public var summary: String {
    let expected = groups.count { $0.isAllowed }
    let new = groups.count - expected
    return
      "\(scenarios) scenarios, \(hops(compared)) compared: \(agreeing) equal; \(new) causes of difference"
      + (expected > 0 ? ", and \(expected) that are expected" : "")
  }

  /// A summary for a pull request.
  public var markdown: String {
    var lines = ["### \(baseline) → \(candidate)", "", summary, ""]
    if !groups.isEmpty {
      lines += ["| what changes | hops | first seen | expected |", "|---|---|---|---|"]
      for group in groups {
        let place = group.first.map { " at \($0.node)/\($0.device)" } ?? ""
        lines.append(
          "| \(cell(group.cause)) | \(group.group.count) | \(cell((group.group.scenarios.first ?? "") + place)) "
            + "| \(group.isAllowed ? "yes" : "**no**") |")
      }
      lines.append("")
    }
    let changed = objects.filter { $0.instructions.baseline != $0.instructions.candidate }
    if !changed.isEmpty {
      lines += ["| object | instructions |", "|---|---|"]
      lines += changed.map { "| \(cell($0.name)) | \(change($0)) |" }
      lines.append("")
    }
    lines += notRun.map { "- not run: \(hops($0.count)): \(cell($0.reason))" }
    lines += unusedEntries.map { "- allowed, and not seen: \(cell($0))" }
    return lines.joined(separator: "\n") + "\n"
  }

  private func change(_ object: ObjectSize) -> String {
    func word(_ count: Int?) -> String { count.map { "\($0)" } ?? "none" }
    return "\(word(object.instructions.baseline)) → \(word(object.instructions.candidate))"
  }

  private func hops(_ count: Int) -> String { "\(count) \(count == 1 ? "hop" : "hops")" }

  private func list(_ names: [String]) -> String {
    names.count <= 4
      ? names.joined(separator: ", ")
      : names.prefix(3).joined(separator: ", ") + " and \(names.count - 3) more scenarios"
  }

  /// Text that cannot break a table.
  private func cell(_ text: String) -> String {
    String(text.map { $0 == "|" || $0 == "\n" || $0 == "<" ? " " : $0 })
  }
}
