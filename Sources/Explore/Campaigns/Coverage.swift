import Datapath
import MapABI

/// What a campaign has reached: each hook with the reasons it went through and how it ended.
public enum Coverage {
  /// Equal for hops that went the same way: hook, kinds of steps in their order, verdict, drop reason.
  public static func signature(_ hop: Hop) -> String {
    var text = hop.hook.rawValue
    for step in hop.result.steps {
      text += " "
      text += word(step)
    }
    switch hop.result.verdict {
    case .pass: text += " = pass"
    case .drop: text += " = drop \(hop.result.drop?.rawValue ?? 0)"
    case .redirect: text += " = redirect"
    case .transmit: text += " = transmit"
    case .other(let code): text += " = \(code)"
    }
    return text
  }

  private static func word(_ step: Step) -> String {
    switch step {
    case .stage(let stage): "\(stage):"
    case .parsed(let number, _, _, let isFragment): isFragment ? "fragment" : "ip\(number)"
    case .spoofedSource: "spoofed"
    case .answered(let answer): "\(answer)"
    case .service4(_, let entry): entry == nil ? "no-service" : "service"
    case .service6(_, let entry): entry == nil ? "no-service" : "service"
    case .serviceWildcard: "wildcard"
    case .backend(_, _, let choice): "backend-\(choice)"
    case .translated4, .translated6: "translated"
    case .reverseTranslated: "reverse"
    case .conntrack4(_, let direction, let status), .conntrack6(_, let direction, let status):
      "ct-\(direction)-\(status)"
    case .conntrackCreated: "created"
    case .ipcache(_, let entry): entry == nil ? "no-ipcache" : "ipcache"
    case .endpoint(_, let entry): entry == nil ? "no-endpoint" : "endpoint"
    case .policy(let decision): "policy-\(decision.match)-\(word(decision.verdict))"
    case .encapsulated: "encapsulated"
    case .decapsulated: "decapsulated"
    case .ttl: "ttl"
    case .deliver: "deliver"
    case .toStack: "stack"
    case .toHost: "host"
    case .toProxy: "proxy"
    case .natLookup(let hit): hit ? "nat" : "no-nat"
    case .dropped: "dropped"
    }
  }

  private static func word(_ verdict: PolicyDecision.Verdict) -> String {
    switch verdict {
    case .allow: "allow"
    case .redirect: "redirect"
    case .deny(let reason): "deny\(reason.rawValue)"
    }
  }
}
