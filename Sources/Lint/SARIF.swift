import Cluster

/// Findings as a SARIF log, which code hosts show beside the lines.
///
/// The same findings give the same text. Source: OASIS SARIF 2.1.0, sections 3.13 (log), 3.27 (result).
public struct SARIF {
  private let findings: [Finding]

  public init(_ findings: [Finding]) { self.findings = findings }

  public var text: String {
    let ids = Array(Set(findings.map(\.id))).sorted()
    let rules = ids.map { id -> String in
      let summary = LintCatalogue[id]?.summary ?? id
      return #"{"id":\#(quoted(id)),"shortDescription":{"text":\#(quoted(summary))}}"#
    }
    let results = findings.map(result)
    return #"{"$schema":"https://json.schemastore.org/sarif-2.1.0.json","version":"2.1.0","runs":[{"#
      + #""tool":{"driver":{"name":"ciliate","rules":[\#(rules.joined(separator: ","))]}},"#
      + #""results":[\#(results.joined(separator: ",\n"))]}]}"# + "\n"
  }

  private func result(_ finding: Finding) -> String {
    let level =
      switch finding.severity {
      case .error: "error"
      case .warning: "warning"
      case .unmodelled: "note"
      }
    let by = finding.authority.map { " (refused by the \($0.rawValue))" } ?? ""
    let head =
      #"{"ruleId":\#(quoted(finding.id)),"level":"\#(level)","message":{"text":\#(quoted(finding.message + by))}"#
    guard finding.location.isKnown else { return head + "}" }
    let place = finding.location
    return head
      + #","locations":[{"physicalLocation":{"artifactLocation":{"uri":\#(quoted(place.file))},"#
      + #""region":{"startLine":\#(place.line),"startColumn":\#(max(1, place.column))}}}]}"#
  }

  /// A JSON string: RFC 8259, section 7.
  private func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case _ where scalar.value < 0x20 || scalar.value == 0x7f:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
