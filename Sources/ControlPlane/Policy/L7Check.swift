import Cluster
import RegularExpressions

/// What the agent refuses of rules for layer 7.
///
/// Source: Cilium `pkg/policy/api/rule_validation.go`, `pkg/policy/api/{http,fqdn}.go`.
struct L7Check {
  struct Problem {
    var message: String
    var location: SourceLocation
  }

  let settings: Settings

  init(_ settings: Settings) { self.settings = settings }

  func problems(_ rule: PortRule, isIngress: Bool) -> [Problem] {
    var found: [Problem] = []
    func refuse(_ message: String, _ location: SourceLocation) {
      found.append(Problem(message: message, location: location))
    }
    let http = rule.rules?.http ?? []
    let dns = rule.rules?.dns ?? []
    let place = rule.rules?.location ?? rule.location
    let hasRules = !http.isEmpty || !dns.isEmpty
    if hasRules, !settings.policy.l7Proxy {
      refuse("L7 policy is not supported since L7 proxy is not enabled", place)
    }
    if isIngress, !dns.isEmpty { refuse("DNS rules are not allowed on ingress", place) }
    if !http.isEmpty, !dns.isEmpty {
      refuse("multiple L7 protocol rule types specified in single rule", place)
    }
    if !dns.isEmpty, rule.ports?.isEmpty ?? true { refuse("port 53 must be specified for DNS rules", place) }
    for port in rule.ports ?? [] where hasRules { check(port, hasDNS: !dns.isEmpty, refuse) }
    for request in http { check(request, refuse) }
    for name in dns {
      if let problem = L7Check.problem(name) { refuse(problem, name.location) }
    }
    if rule.serverNames?.isEmpty == false, hasRules, rule.terminatingTLS == nil {
      refuse("ServerNames are not allowed with L7 rules without TLS termination", place)
    }
    for name in rule.serverNames ?? [] where name.value.isEmpty {
      refuse("empty server name is not allowed", name.location)
    }
    if let listener = rule.listener {
      if isIngress { refuse("Listener is not allowed on ingress (\(listener.name))", listener.location) }
      if hasRules {
        refuse("Listener is not allowed with L7 rules (\(listener.name))", listener.location)
      }
    }
    return found
  }

  private func check(
    _ port: PortProtocol, hasDNS: Bool, _ refuse: (String, SourceLocation) -> Void
  ) {
    if case .number(let number) = port.port {
      if number == 0 { refuse("L7 rules can not be used when a port is 0", port.location) }
      if hasDNS, let end = port.endPort, end > number {
        refuse("DNS rules do not support port ranges", port.location)
      }
    }
    if !hasDNS, port.protocol != .tcp {
      refuse(
        "L7 rules can only apply to TCP (not \(port.protocol.rawValue)) except for DNS rules", port.location)
    }
  }

  /// The host's expression is left to Envoy.
  private func check(_ rule: HTTPRule, _ refuse: (String, SourceLocation) -> Void) {
    for pattern in [rule.path, rule.method] {
      guard let pattern, !pattern.isEmpty else { continue }
      do throws(RegularExpression.SyntaxError) {
        _ = try RegularExpression(pattern)
      } catch {
        refuse("error parsing regexp \(pattern): \(error)", rule.location)
      }
    }
    for match in rule.headerMatches where match.name.isEmpty {
      refuse("header name missing", match.location)
    }
  }

  /// What is wrong with a name or pattern; nil when nothing is.
  static func problem(_ selector: FQDNSelector) -> String? {
    let name = selector.matchName ?? ""
    let pattern = selector.matchPattern ?? ""
    if !name.isEmpty, !pattern.isEmpty {
      return "only one of MatchName or MatchPattern is allowed in an FQDNSelector"
    }
    func isAllowed(_ octet: UInt8) -> Bool {
      switch octet {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "A")...UInt8(ascii: "Z"):
        true
      default: octet == UInt8(ascii: "-") || octet == UInt8(ascii: "_") || octet == UInt8(ascii: ".")
      }
    }
    if !name.utf8.allSatisfy(isAllowed) { return "Invalid characters in MatchName: \"\(name)\"" }
    if !pattern.utf8.allSatisfy({ isAllowed($0) || $0 == UInt8(ascii: "*") }) {
      return "Invalid characters in MatchPattern: \"\(pattern)\""
    }
    if pattern.utf8.count > 255 { return "Invalid MatchPattern: must be <= 255 characters long" }
    return nil
  }
}
