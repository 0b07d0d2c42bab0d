import Cluster
import RegularExpressions

/// Whether a request meets a rule, as Envoy is told to decide.
///
/// Expressions match the whole of method, path (with its query) and host; headers are compared octet by octet.
/// Source: Cilium `pkg/envoy/policy/envoy_l7_rules_translator.go`.
struct HTTPRuleTest {
  let rule: HTTPRule

  func holds(_ request: HTTPMessage) -> Bool {
    matches(rule.method, request.method) && matches(rule.path, request.path)
      && matches(rule.host, request.host)
      && rule.headers.allSatisfy { holds(header: $0.value, request) }
      && rule.headerMatches.allSatisfy { holds($0, request) }
  }

  /// An expression that Envoy cannot read fails its whole update; nothing passes by it.
  private func matches(_ pattern: String?, _ text: String) -> Bool {
    guard let pattern, !pattern.isEmpty else { return true }
    return (try? RegularExpression(pattern))?.matchesWhole(text) ?? false
  }

  /// `Name`, or `Name: value`.
  private func holds(header text: String, _ request: HTTPMessage) -> Bool {
    guard let blank = text.firstIndex(of: " ") else { return request.header(text) != nil }
    let name = text[..<blank].reversed().drop { $0 == ":" }.reversed()
    guard let found = request.header(String(name)) else { return false }
    let wanted = text[text.index(after: blank)...]
    return wanted.isEmpty || found == wanted
  }

  /// A rule that says what to do about a mismatch lets the request pass.
  private func holds(_ match: HTTPRule.HeaderMatch, _ request: HTTPMessage) -> Bool {
    if match.mismatch != nil { return true }
    guard let found = request.header(match.name) else { return false }
    return match.value.isEmpty || found == match.value
  }
}
