import Cluster

/// Puts an answer into one paragraph.
struct Wording {
  let traffic: Traffic
  let answer: DirectionAnswer
  let labels: [IdentityLabel]
  let misses: [NearMiss]

  private var isEgress: Bool { answer.direction == .egress }
  private var own: Subject { isEgress ? traffic.from : traffic.to }
  private var peer: Subject { isEgress ? traffic.to : traffic.from }

  var paragraph: String { ([head] + tail).joined(separator: " ") }

  private var head: String {
    let what =
      isEgress
      ? "Egress of \(own) to \(peer) on \(traffic.transport)"
      : "Ingress from \(peer) to \(own) on \(traffic.transport)"
    switch answer.verdict {
    case .allowed: return "\(what) is allowed: \(why)."
    case .redirected:
      return "\(what) is redirected to the \(answer.proxy?.words ?? "proxy"): \(why)."
    case .denied:
      let drop = answer.drop.map { " (drop \($0.rawValue))" } ?? ""
      return "\(what) is denied\(drop): \(why)."
    }
  }

  private var why: String {
    switch answer.reason {
    case .rule: answer.rule.map { "\($0) \(decides)" } ?? "a rule decides"
    case .defaultDeny: "\(selectedBy) and no \(section) rule matches \(peer)\(labelled)"
    case .defaultAllow: "\(selectedBy), none turns default deny on, and no rule matches"
    case .notEnforced: notEnforced
    case .localHost: "a node reaches its own pods where no rule says otherwise"
    case .itself: "traffic of a pod to itself never leaves it"
    case .fragmentationNeeded: "word that a packet is too large for the path passes every policy"
    }
  }

  private var section: String { isEgress ? "egress" : "ingress" }

  private var decides: String {
    switch answer.verdict {
    case .allowed: "allows it (\(answer.match.rawValue))"
    case .redirected: "asks for layer 7 (\(answer.match.rawValue))"
    case .denied: "denies it (\(answer.match.rawValue)), and deny goes before allow"
    }
  }

  private var selectedBy: String {
    switch answer.enforcement {
    case .defaultDeny(let policies):
      "\(list(policies)) \(policies.count == 1 ? "selects" : "select") \(own), which turns default deny on,"
    case .defaultAllow(let policies): "\(list(policies)) \(policies.count == 1 ? "selects" : "select") \(own)"
    case .always: "policy is always enforced on \(own)"
    case .noEndpoint, .never, .unselected: "\(own) is not selected"
    }
  }

  private var notEnforced: String {
    switch answer.enforcement {
    case .noEndpoint: "no policy is kept for \(own)"
    case .never: "policy enforcement is switched off"
    default: "no policy selects \(own) for \(section)"
    }
  }

  private var labelled: String {
    labels.isEmpty ? "" : " (\(labels.map(\.description).joined(separator: ", ")))"
  }

  private func list(_ policies: [ObjectReference]) -> String {
    policies.map(\.description).joined(separator: ", ")
  }

  private var tail: [String] {
    var result: [String] = []
    if answer.isAudited { result.append("Cilium runs in audit mode, so that it passes all the same.") }
    if answer.drop == .authenticationRequired {
      result.append("It is dropped until the two have authenticated (drop 189).")
    }
    if answer.verdict != .denied, !answer.alsoMatched.isEmpty {
      let others = answer.alsoMatched.map(\.description).joined(separator: "; ")
      result.append("Also matched: \(others).")
    }
    if answer.reason == .defaultDeny, let nearest = misses.first {
      result.append("Nearest rule: \(nearest.words).")
    }
    return result
  }
}

extension NearMiss {
  /// The rule, and what stands in its way.
  public var words: String { "\(rule): \(lack.words)" }
}

extension NearMiss.Lack {
  /// What is missing, as a clause.
  public var words: String {
    switch self {
    case .port(let ports): "its ports are \(ports)"
    case .peer(let text): "it \(text)"
    case .both(let peer, let port): "it \(peer); and its ports are \(port)"
    case .nothing: "it names nobody"
    }
  }
}

extension ProxyKind {
  var words: String {
    switch self {
    case .http: "HTTP proxy"
    case .tls: "TLS proxy"
    case .dns: "DNS proxy"
    case .listener: "listener"
    }
  }
}
