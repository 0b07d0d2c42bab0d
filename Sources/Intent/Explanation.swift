import Cluster
import Wire

/// Why one direction's verdict is what it is, in values and in words.
public struct Explanation: Hashable, Sendable {
  public var answer: DirectionAnswer
  /// The policies that select the endpoint in this direction.
  public var policies: [ObjectReference]
  /// The labels that the policies saw on the peer.
  public var peerLabels: [IdentityLabel]
  /// Rules that would have allowed it, had something been different; the nearest first, at most three.
  public var nearMisses: [NearMiss]
  /// One paragraph.
  public var text: String
}

/// A rule that does not match, and what it lacks.
public struct NearMiss: Hashable, Sendable {
  public enum Lack: Hashable, Sendable {
    /// The peer is meant, on other ports: these.
    case port(String)
    /// The port is meant, for other peers: what the nearest of them asks, and what was found.
    case peer(String)
    /// Neither is meant.
    case both(peer: String, port: String)
    /// The rule has no peers and no ports, or an empty list of them: it never matches.
    case nothing
  }

  public var rule: RuleSite
  public var lack: Lack
}

extension Intent {
  /// Why a conversation passes or not, at both ends.
  public func explain(_ traffic: Traffic) -> (egress: Explanation, ingress: Explanation) {
    let source = policy(of: traffic.from)
    let destination = policy(of: traffic.to)
    let answer = answer(traffic, source, destination)
    func explanation(_ direction: PolicyDirection, _ answer: DirectionAnswer) -> Explanation {
      let policy = direction == .egress ? source.egress : destination.ingress
      let question = question(traffic, direction, source, destination)
      let isOpen = answer.verdict != .denied || passesUnseen(traffic) != nil
      let misses = isOpen ? [] : policy.nearMisses(question)
      let labels = question.peer.identity.labels
      return Explanation(
        answer: answer, policies: policy.rules.policies, peerLabels: labels, nearMisses: misses,
        text: Wording(traffic: traffic, answer: answer, labels: labels, misses: misses).paragraph)
    }
    return (explanation(.egress, answer.egress), explanation(.ingress, answer.ingress))
  }
}

extension DirectionPolicy {
  /// The allow rules nearest to a question that none of them matches.
  func nearMisses(_ question: Question) -> [NearMiss] {
    var ranked: [(distance: Int, miss: NearMiss)] = []
    for rule in rules where rule.action == .allow {
      if let found = nearMiss(rule, question) { ranked.append(found) }
    }
    let order = ranked.enumerated().sorted {
      ($0.element.distance, $0.offset) < ($1.element.distance, $1.offset)
    }
    return order.prefix(3).map(\.element.miss)
  }

  private func nearMiss(_ rule: Rule, _ question: Question) -> (distance: Int, miss: NearMiss)? {
    let port = lackOfPort(rule, question)
    switch rule.peers {
    case .nobody:
      return (1000, NearMiss(rule: rule.site(nil, nil), lack: .nothing))
    case .unspecified:
      guard let port else {
        return rule.ports == nil ? (1000, NearMiss(rule: rule.site(nil, nil), lack: .nothing)) : nil
      }
      return (1, NearMiss(rule: rule.site(nil, nil), lack: .port(port)))
    case .any(let peers):
      let nearest = peers.enumerated().map { index, peer in
        (index, lackOfPeer(peer.test, question))
      }.min { ($0.1?.distance ?? 0, $0.0) < ($1.1?.distance ?? 0, $1.0) }
      guard let (index, lack) = nearest else { return nil }
      let site = rule.site(peers[index], nil)
      switch (lack, port) {
      case (nil, nil): return nil
      case (nil, let port?): return (1, NearMiss(rule: site, lack: .port(port)))
      case (let peer?, nil): return (1 + peer.distance, NearMiss(rule: site, lack: .peer(peer.text)))
      case (let peer?, let port?):
        return (10 + peer.distance, NearMiss(rule: site, lack: .both(peer: peer.text, port: port)))
      }
    }
  }

  /// The ports of a rule, when none of them is the one asked for.
  private func lackOfPort(_ rule: Rule, _ question: Question) -> String? {
    guard let ports = rule.ports else { return nil }
    for port in ports
    where port.matchLength(
      question.number, question.transport.port, question.ports, question.transport.named) != nil
    {
      return nil
    }
    return ports.isEmpty ? "none" : ports.map(\.words).joined(separator: ", ")
  }

  private func lackOfPeer(_ test: PeerTest, _ question: Question) -> (distance: Int, text: String)? {
    if test.matches(question.peer, question.names) { return nil }
    switch test {
    case .labels(let requirements):
      let failing = requirements.filter { !$0.holds(for: question.peer.identity) }
      return (failing.count, failing.map { $0.lack(in: question.peer.identity) }.joined(separator: " and "))
    case .block, .wholeBlock, .groups:
      if let address = question.peer.address, !question.peer.identity.isMatchedByAddress {
        return (3, "\(address) is in the cluster, where prefixes do not count")
      }
      return (3, "its address is not in the prefix")
    case .name:
      return (3, "no name that leads to its address is known")
    case .everyone:
      return nil
    }
  }
}

extension Requirement {
  /// What is asked and what was found, as a clause.
  fileprivate func lack(in identity: Identity) -> String {
    let name = source == "any" ? key : "\(source):\(key)"
    let found =
      identity.value(source, key).map { $0.isEmpty ? "it is there" : "it is \($0)" } ?? "it has none"
    return switch op {
    case .in where values == [""] || values.isEmpty: "needs \(name)"
    case .in where values.count == 1: "needs \(name)=\(values[0]), and \(found)"
    case .in: "needs \(name) in (\(values.joined(separator: ", "))), and \(found)"
    case .notIn: "needs \(name) not in (\(values.joined(separator: ", "))), and \(found)"
    case .exists: "needs \(name), and \(found)"
    case .doesNotExist: "needs no \(name), and \(found)"
    }
  }
}

extension Port {
  /// `80/TCP`, `8000-8080/UDP`, `every port/TCP`, `http/TCP`, `ICMP type 8`.
  var words: String {
    let names: [UInt8: String] = [6: "TCP", 17: "UDP", 132: "SCTP", 1: "ICMP", 58: "ICMPv6"]
    let name = names[protocolNumber] ?? "protocol \(protocolNumber)"
    switch span {
    case .every where protocolNumber == 1 || protocolNumber == 58: return "every type of \(name)"
    case .every: return "every port/\(name)"
    case .range(let low, _) where protocolNumber == 1 || protocolNumber == 58: return "\(name) type \(low)"
    case .range(let low, let high): return low == high ? "\(low)/\(name)" : "\(low)-\(high)/\(name)"
    case .named(let port): return "\(port)/\(name)"
    }
  }
}
