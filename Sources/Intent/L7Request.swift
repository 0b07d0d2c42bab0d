import Cluster
import RegularExpressions

/// A request as the HTTP proxy sees it.
public struct HTTPRequest: Hashable, Sendable {
  public var method: String
  /// With the query, as in the request line.
  public var path: String
  public var host: String
  /// Each name once, or with its values joined.
  public var headers: Labels

  public init(method: String = "GET", path: String = "/", host: String = "", headers: Labels = [:]) {
    self.method = method
    self.path = path
    self.host = host
    self.headers = headers
  }
}

extension L7Permission {
  /// Whether a request passes; one that does not is answered 403.
  public func allows(_ request: HTTPRequest) -> Bool {
    guard let http else { return true }
    return http.contains { $0.allows(request) }
  }

  /// Whether a DNS query passes; one that does not is answered REFUSED.
  public func allows(query name: String) -> Bool {
    guard let dns else { return true }
    return dns.contains { NamePattern($0).matches(name) }
  }

  /// Whether a TLS connection passes that asks for a name; one that names none does not, where names are asked.
  public func allows(serverName: String?) -> Bool {
    if serverNames.isEmpty { return true }
    guard let serverName else { return false }
    return serverNames.contains { NamePattern(FQDNSelector(matchPattern: $0)).matches(serverName) }
  }
}

extension HTTPRule {
  /// Whether every part that is given matches: expressions the whole of their text, headers literally.
  ///
  /// An expression that cannot be read matches nothing; the agent refuses its policy.
  /// Source: Cilium `pkg/envoy/policy/envoy_l7_rules_translator.go`.
  public func allows(_ request: HTTPRequest) -> Bool {
    for (pattern, text) in [(method, request.method), (path, request.path), (host, request.host)] {
      guard let pattern, !pattern.isEmpty else { continue }
      guard let expression = try? RegularExpression(pattern), expression.matchesWhole(text) else {
        return false
      }
    }
    return headers.allSatisfy { HeaderTest($0.value).holds(request.headers) }
      && headerMatches.allSatisfy { $0.allows(request.headers) }
  }
}

/// An entry of `headers`: a name, or a name and its exact value after a blank.
struct HeaderTest: Hashable, Sendable {
  let name: String
  let value: String?

  init(_ text: String) {
    if let blank = text.firstIndex(of: " ") {
      var name = text[..<blank]
      while name.last == ":" { name.removeLast() }
      self.name = String(name)
      value = String(text[text.index(after: blank)...])
    } else {
      name = text
      value = nil
    }
  }

  func holds(_ headers: Labels) -> Bool {
    guard let found = headers.first(where: { $0.key.lowercased() == name.lowercased() }) else { return false }
    // To Envoy an empty value asks for presence alone.
    return value.map { $0.isEmpty || $0 == found.value } ?? true
  }
}

extension HTTPRule.HeaderMatch {
  /// A mismatch drops the request unless the rule says what else to do.
  func allows(_ headers: Labels) -> Bool {
    if mismatch != nil { return true }
    let found = headers.first { $0.key.lowercased() == name.lowercased() }
    guard let found else { return false }
    return value.isEmpty || found.value == value
  }
}
