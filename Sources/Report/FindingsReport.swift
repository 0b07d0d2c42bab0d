import Capture
public import Cluster

/// Findings as `ciliate.lint/v1`.
public enum FindingsReport {
  public static func text(_ findings: [Finding]) -> String {
    var text = ""
    JSONValue.members(
      ("schema", .string("ciliate.lint/v1")), ("findings", .array(findings.map(document)))
    ).write(into: &text)
    return text + "\n"
  }

  private static func document(_ finding: Finding) -> JSONValue {
    .members(
      ("id", .string(finding.id)), ("severity", .string(finding.severity.rawValue)),
      ("message", .string(finding.message)), ("location", RuleJSON.location(finding.location)),
      ("refusedBy", .text(finding.authority?.rawValue)))
  }
}
