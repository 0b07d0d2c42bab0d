import Cluster
public import Intent
import Wire

/// Who opens a conversation, as the oracle is asked about it.
enum IntentSource: Equatable {
  case pod(NamespacedName)
  case node(String)
  case external(IPAddress)
}

/// What the oracle says of a conversation, in plain words and numbers.
struct IntentOpinion: Equatable {
  /// `allowed`, `denied` or `redirected`; nil where no policy was asked.
  var verdict: String?
  var egress: String?
  var ingress: String?
  /// The drop that policy makes, and in which direction.
  var drop: UInt8?
  var dropDirection: String?
  /// What is to come of it: `delivered`, `refused`, `dropped`, `proxied`, `denied by proxy`, `no such port`,
  /// `no backends`.
  var disposition: String
  /// The rule that decided, with its place in the manifest.
  var rule: String?
  /// The rule of layer 7 that decided, by its place in the manifest.
  var l7Rule: String?
  /// The pod that gets it.
  var destination: String?
}

/// What policies say of a probe's conversation, and why: from the manifests alone.
public struct ProbeExplanation: Sendable {
  public var from: String
  public var to: String
  /// The port that the destination sees, after a service's translation.
  public var port: String
  public var egress: Explanation
  public var ingress: Explanation
}

/// The oracle that reads the manifests directly, fed with the facts that it cannot know: where pods are, which
/// addresses they and their services have, and what listens.
struct IntentOracle {
  private let intent: Intent
  private let serviceAddresses: [IPAddress: NamespacedName]
  private let isReady: (NamespacedName) -> Bool
  private let listening: [IPAddress: Set<String>]

  /// A pod as it was placed.
  struct Placement {
    var pod: Pod
    var node: String?
    var addresses: [IPAddress]
    var isReady: Bool
  }

  init(
    _ state: ClusterState, settings: Settings, placements: [Placement],
    serviceAddresses: [IPAddress: NamespacedName], services: [Service], listening: [IPAddress: Set<String>],
    names: [LearntName] = []
  ) {
    var state = state
    for placement in placements {
      var pod = placement.pod
      pod.spec.nodeName = placement.node ?? pod.spec.nodeName
      state.apply(.pod(pod))
    }
    for service in services { state.apply(.service(service)) }
    let subjects = placements.filter { !$0.addresses.isEmpty }.map {
      Subject.pod($0.pod, in: state, node: $0.node, addresses: $0.addresses)
    }
    intent = Intent(state, settings: settings, options: IntentOptions(names: names), endpoints: subjects)
    self.serviceAddresses = serviceAddresses
    self.listening = listening
    let ready = Set(placements.filter(\.isReady).map(\.pod.id))
    isReady = { ready.contains($0) }
  }

  /// What may come of a conversation: one opinion for each place that it may end at.
  func opinions(
    from source: IntentSource, to destination: IPAddress, _ transport: Transport, asking question: L7Question?
  ) -> [IntentOpinion] {
    guard let from = subject(source) else { return [] }
    if let service = serviceAddresses[destination] {
      return opinions(from: from, toService: service, at: destination, transport, question)
    }
    let traffic = Traffic(
      from: from, to: intent.subject(at: destination), transport, family: destination.family)
    return [opinion(intent.outcome(traffic, listens: listens), traffic, question, at: nil)]
  }

  private func opinions(
    from: Subject, toService service: NamespacedName, at address: IPAddress, _ transport: Transport,
    _ question: L7Question?
  ) -> [IntentOpinion] {
    switch intent.service(service, transport, family: address.family, isReady: isReady) {
    case .backends(let backends)?:
      return backends.map { backend in
        let traffic = Traffic(
          from: from, to: intent.subject(at: backend.address), transport.to(backend.port),
          family: address.family)
        return opinion(
          intent.outcome(traffic, listens: listens), traffic, question, at: backend.pod?.description)
      }
    case .noSuchPort?: return [IntentOpinion(disposition: "no such port")]
    case .noBackends?: return [IntentOpinion(disposition: "no backends")]
    case nil: return []
    }
  }

  /// What an HTTP request asks of proxies.
  static func request(_ method: String, _ path: String, host: String, _ headers: Labels) -> L7Question {
    .request(HTTPRequest(method: method, path: path, host: host, headers: headers))
  }

  /// What policies say of a conversation, and why: one explanation for each place that it may end at.
  func explanations(
    from source: IntentSource, to destination: IPAddress, _ transport: Transport
  ) -> [ProbeExplanation] {
    guard let from = subject(source) else { return [] }
    func explanation(_ to: Subject, _ transport: Transport) -> ProbeExplanation {
      let traffic = Traffic(from: from, to: to, transport, family: destination.family)
      let (egress, ingress) = intent.explain(traffic)
      return ProbeExplanation(
        from: "\(from)", to: "\(to)", port: "\(transport)", egress: egress, ingress: ingress)
    }
    guard let service = serviceAddresses[destination] else {
      return [explanation(intent.subject(at: destination), transport)]
    }
    guard
      case .backends(let backends)? = intent.service(
        service, transport, family: destination.family, isReady: isReady)
    else { return [] }
    return backends.map { explanation(intent.subject(at: $0.address), transport.to($0.port)) }
  }

  private func subject(_ source: IntentSource) -> Subject? {
    switch source {
    case .pod(let id): intent.endpoints.first { $0.id == id }
    case .node(let name): intent.cluster.nodes["", name].map(Subject.node)
    case .external(let address): .world(address)
    }
  }

  private func listens(_ subject: Subject, _ transport: Transport) -> Bool {
    subject.addresses.contains { listening[$0]?.contains("\(transport)") ?? false }
  }

  private func opinion(
    _ outcome: ProbeOutcome, _ traffic: Traffic, _ question: L7Question?, at pod: String?
  ) -> IntentOpinion {
    var opinion = IntentOpinion(disposition: "")
    if let policy = outcome.policy {
      // What still has to authenticate is denied as far as its packets can tell.
      let verdicts = [policy.egress, policy.ingress].map { $0.passes ? $0.verdict : .denied }
      opinion.verdict = policy.dropping == nil ? policy.verdict.rawValue : Verdict.denied.rawValue
      opinion.egress = verdicts[0].rawValue
      opinion.ingress = verdicts[1].rawValue
      opinion.rule = (policy.dropping ?? policy.ingress).rule.map { "\($0)" }
    }
    opinion.destination = pod
    switch outcome.disposition {
    case .delivered: opinion.disposition = "delivered"
    case .refused: opinion.disposition = "refused"
    case .proxied:
      opinion.disposition = listens(traffic.to, traffic.transport) ? "delivered" : "proxied"
      guard let question, let (_, verdict) = outcome.policy?.verdict(question) else { break }
      switch verdict {
      case .unrestricted: break
      case .allowed(let place): opinion.l7Rule = place.isKnown ? "\(place)" : nil
      case .denied: opinion.disposition = "denied by proxy"
      }
    case .noSuchPort: opinion.disposition = "no such port"
    case .noBackends: opinion.disposition = "no backends"
    case .dropped(let reason, let direction):
      opinion.disposition = "dropped"
      opinion.drop = reason.rawValue
      opinion.dropDirection = "\(direction)"
    }
    return opinion
  }
}
