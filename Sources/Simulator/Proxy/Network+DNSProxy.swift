public import ControlPlane
import Datapath
import MapABI
import Wire

// The agent's DNS proxy: it asks on behalf of pods what their policy lets them ask, and has the agent learn the answers
// before the pods do.
// Source: Cilium `pkg/fqdn/dnsproxy/proxy.go` (`ServeDNS`).
extension Network where Observer: ~Copyable {
  /// A query that was redirected to the proxy.
  ///
  /// - Parameter pair: as the proxy sees it: local is the name server that was meant.
  mutating func receiveQuery(_ octets: [UInt8], _ pair: SocketPair, at id: StackID, journey: Int) {
    guard let (node, spec) = proxy(id), spec.listener.parser == .dns else { return }
    let probe = clientOf(journey: journey).map { origin(of: $0) }
    guard let query = DNSMessage(octets), !query.isResponse,
      let (endpoint, server) = parties(node, spec.listener, pair)
    else { return }
    let words = "query \(query.name)"
    let rule = endpoint.policy.permissions(
      isIngress: false, transport: 17, port: pair.localPort, identity: server, parser: .dns
    ).rule(forQuery: query.name)
    guard let rule else {
      let code: DNSMessage.ResponseCode = dnsProxy.deniesExistence ? .nameError : .refused
      noteProxy(id, journey: journey, .refused(what: words))
      return answerQuery(query, code, [], 0, pair, at: id, probe: probe)
    }
    noteProxy(id, journey: journey, .allowed(what: words, rule: rule))
    ask(octets, query, pair, at: id, node, endpoint, server: server, probe: probe)
  }

  private mutating func ask(
    _ octets: [UInt8], _ query: DNSMessage, _ pair: SocketPair, at id: StackID, _ node: Int,
    _ endpoint: ProxiedEndpoint, server: UInt32, probe: Int?
  ) {
    var ends = pair.reversed
    if !dnsProxy.isTransparent || !isCluster(server) {
      guard let source = sourceAddress(of: .node(node), for: pair.local) else { return }
      ends.local = source
      ends.localPort = ephemeralPort()
    }
    // A query that is repeated meanwhile is answered with the first.
    guard nodes[node].proxySockets[ends] == nil else { return }
    let client = addUpstream(
      ends, id, downstream: pair, probe: probe, pending: octets,
      mark: Self.proxyMark(ProxyListener(.dns, isIngress: false), identity: endpoint.identity),
      traffic: .dns(name: query.name, type: query.type == .aaaa ? "AAAA" : "A"), timeout: .seconds(10))
    transmit(
      client,
      Packet(
        from: ends.local, to: ends.remote,
        .udp(source: ends.localPort, destination: ends.remotePort, octets)),
      retries: false, isFirst: true)
    noteProxied(client)
  }

  /// Whether an identity is that of something in the cluster other than this node.
  private func isCluster(_ identity: UInt32) -> Bool {
    switch identity {
    case 0, IDENTITY_HOST.rawValue.magnitude, IDENTITY_WORLD.rawValue.magnitude,
      IDENTITY_WORLD_IPV4.rawValue.magnitude, IDENTITY_WORLD_IPV6.rawValue.magnitude:
      false
    default: identity & IDENTITY_SCOPE_LOCAL.rawValue.magnitude == 0
    }
  }

  /// The name server has answered the proxy.
  mutating func upstreamAnswered(_ client: Int, _ octets: [UInt8], journey: Int) {
    guard let link = clients[client].upstream, case .proxy(let node, _) = link.proxy else { return }
    defer { finish(client, .ok, journey: journey) }
    guard let answer = DNSMessage(octets), answer.isResponse, let query = DNSMessage(link.pending),
      let (endpoint, _) = parties(node, ProxyListener(.dns, isIngress: false), link.downstream)
    else { return }
    if answer.code == .success, !answer.answers.isEmpty {
      let lesson = NameLesson(
        node: nodes[node].spec.name, endpoint: endpoint.id, name: answer.name, addresses: answer.answers,
        ttl: answer.ttl, time: clock.nanoseconds)
      carryOut(agents?.learn(lesson) ?? [])
      let words = answer.answers.map(\.description).joined(separator: ", ")
      noteProxy(link.proxy, journey: journey, .learnt(name: answer.name, addresses: words))
    }
    answerQuery(
      query, answer.code, answer.answers, answer.ttl, link.downstream, at: link.proxy, probe: link.probe)
  }

  /// What agents write into their maps.
  public mutating func carryOut(_ updates: [NodeUpdate]) {
    for update in updates {
      guard let index = nodeIndex(named: update.node) else { continue }
      self.update(
        node: index, attachments: update.attachments, endpointConfigs: update.endpointConfigs,
        changes: update.changes)
    }
  }

  /// Nobody has answered, or the server is not there.
  mutating func upstreamQueryFailed(_ client: Int, _ outcome: ProbeResult.Outcome) {
    guard let link = clients[client].upstream, case .proxy(let node, _) = link.proxy else { return }
    if let pair = clients[client].pair { nodes[node].proxySockets[pair] = nil }
    // A time-out is left to the pod's own.
    guard outcome != .ok, outcome != .timeout, let query = DNSMessage(link.pending) else { return }
    answerQuery(query, .serverFailure, [], 0, link.downstream, at: link.proxy, probe: link.probe)
  }

  private mutating func answerQuery(
    _ query: DNSMessage, _ code: DNSMessage.ResponseCode, _ addresses: [IPAddress], _ ttl: UInt32,
    _ pair: SocketPair, at id: StackID, probe: Int?
  ) {
    var answer = query
    answer.isResponse = true
    answer.code = code
    answer.answers = addresses
    answer.ttl = ttl
    guard let octets = answer.octets else { return }
    send(
      Packet(
        from: pair.local, to: pair.remote,
        .udp(source: pair.localPort, destination: pair.remotePort, octets)),
      from: id, client: probe)
  }
}
