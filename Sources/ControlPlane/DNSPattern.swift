public import Cluster
import RegularExpressions

/// A name or pattern of names as Cilium's agent holds it: an anchored regular expression over the lower-case name with
/// its final dot.
///
/// Source: Cilium `pkg/fqdn/matchpattern/matchpattern.go`, `pkg/policy/api/fqdn.go` (`ToRegex`).
public struct DNSPattern: Hashable, Sendable {
  /// As the policy has it.
  public let text: String
  private let expression: RegularExpression?

  public init(_ selector: FQDNSelector) {
    let name = selector.matchName ?? ""
    text = name.isEmpty ? selector.matchPattern ?? "" : name
    expression = try? RegularExpression(DNSPattern.expression(text))
  }

  /// Case and a final dot do not count.
  public func matches(_ name: String) -> Bool {
    var name = name.lowercased()
    if !name.hasSuffix(".") { name += "." }
    return expression?.matchesWhole(name) ?? false
  }

  private static let character = "[-a-zA-Z0-9_]"

  static func expression(_ pattern: String) -> String {
    let pattern = pattern.lowercased()
    let stars = pattern.utf8.prefix { $0 == UInt8(ascii: "*") }.count
    let rest = pattern.dropFirst(stars)
    if stars > 0, rest.isEmpty || rest == "." { return "(\(character)+[.])+|[.]" }
    var text = ""
    var tail = Substring(pattern.hasSuffix(".") ? pattern : pattern + ".")
    // Two stars and a dot at the start stand for whole labels.
    if stars >= 2, rest.hasPrefix(".") {
      text = "(\(character)+[.])+"
      tail = tail.dropFirst(stars + 1)
    }
    for element in tail {
      switch element {
      case "*": text += "\(character)*"
      case ".": text += "[.]"
      default: text.append(element)
      }
    }
    return text
  }
}
