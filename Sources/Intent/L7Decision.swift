public import Cluster

/// What is asked of a proxy, once a conversation has come to it.
public enum L7Question: Hashable, Sendable {
  case request(HTTPRequest)
  /// A name that a DNS query asks for.
  case query(String)
  /// The server that a TLS client names.
  case serverName(String?)
}

/// What a proxy makes of it, and by which rule.
public enum L7Verdict: Hashable, Sendable {
  /// Nothing looks at it.
  case unrestricted
  /// The rule that lets it pass, by its place in the manifest.
  case allowed(SourceLocation)
  /// Answered 403, or REFUSED, or closed.
  case denied
}

extension L7Permission {
  /// The first rule that lets it pass, in the order of the policies; denied when there are rules and none does.
  public func verdict(_ question: L7Question) -> L7Verdict {
    switch question {
    case .request(let request):
      guard allows(serverName: nil) else { return .denied }
      guard let http else { return .unrestricted }
      return http.first { $0.allows(request) }.map { .allowed($0.location) } ?? .denied
    case .query(let name):
      guard let dns else { return .unrestricted }
      return dns.first { NamePattern($0).matches(name) }.map { .allowed($0.location) } ?? .denied
    case .serverName(let name):
      if serverNames.isEmpty { return .unrestricted }
      return allows(serverName: name) ? .allowed(.none) : .denied
    }
  }
}

extension PolicyAnswer {
  /// What the proxies on the way make of it: the first that denies, else what the last one says; nil where there is none.
  public func verdict(_ question: L7Question) -> (direction: PolicyDirection, verdict: L7Verdict)? {
    var result: (PolicyDirection, L7Verdict)?
    for answer in [egress, ingress] where answer.verdict == .redirected {
      let verdict = (answer.permission ?? .everything).verdict(question)
      result = (answer.direction, verdict)
      if verdict == .denied { return result }
    }
    return result
  }
}
