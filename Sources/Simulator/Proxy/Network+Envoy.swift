import Cluster
import ControlPlane
import Datapath
import Wire

// Envoy: it accepts every connection that is redirected to it, looks at what comes, and goes on to the destination or
// answers itself.
extension Network where Observer: ~Copyable {
  /// Octets of a proxied connection have come from its client.
  mutating func receiveProxied(_ pair: SocketPair, on node: Int, _ octets: [UInt8], journey: Int) {
    guard var proxied = nodes[node].proxied[pair] else { return }
    if proxied.isOpaque {
      if let upstream = proxied.upstream { handUpstream(upstream, octets) }
      return
    }
    proxied.received += octets
    nodes[node].proxied[pair] = proxied
    switch proxied.listener.parser {
    case .http: receiveHTTP(proxied, on: node, journey: journey)
    case .tls: receiveTLS(proxied, on: node, journey: journey)
    case .listener:
      unmodelled.append("\(nodes[node].spec.name): an Envoy listener of a CiliumEnvoyConfig")
      closeProxied(pair, on: node)
    case .dns: closeProxied(pair, on: node)
    }
  }

  private func permissions(_ proxied: ProxiedConnection, on node: Int) -> [ProxyPermission] {
    guard let (endpoint, peer) = parties(node, proxied.listener, proxied.pair) else { return [] }
    return endpoint.policy.permissions(
      isIngress: proxied.listener.isIngress, transport: 6, port: proxied.pair.localPort, identity: peer,
      parser: proxied.listener.parser)
  }

  private mutating func receiveHTTP(_ proxied: ProxiedConnection, on node: Int, journey: Int) {
    let pair = proxied.pair
    switch HTTPMessage.read(proxied.received) {
    case .incomplete: return
    case .malformed:
      // What is no HTTP, TLS for one, is no request that a rule could allow.
      nodes[node].proxied[pair]?.received = []
      noteProxy(proxied.proxy, journey: journey, .answered(status: 400, why: "no HTTP request"))
      answerProxied(pair, on: node, HTTPMessage.answer(400, "", closes: true))
      closeProxied(pair, on: node)
    case .request(let request):
      nodes[node].proxied[pair]?.received = []
      let words = "\(request.method) \(request.path)"
      let rule = permissions(proxied, on: node).rule(forRequest: { HTTPRuleTest(rule: $0).holds(request) })
      guard let rule else {
        noteProxy(proxied.proxy, journey: journey, .answered(status: 403, why: "\(words): no rule allows it"))
        return answerProxied(pair, on: node, HTTPMessage.answer(403, "Access denied\r\n"))
      }
      noteProxy(proxied.proxy, journey: journey, .allowed(what: words, rule: rule))
      goUpstream(pair, on: node, request.forwarded(id: draw()))
    }
  }

  /// Connections are let through by the name that their first message asks for.
  private mutating func receiveTLS(_ proxied: ProxiedConnection, on node: Int, journey: Int) {
    let name = TLSRecord.serverName(proxied.received)
    let words = name.map { "server name \($0)" } ?? "no server name"
    guard let rule = permissions(proxied, on: node).rule(forServerName: name) else {
      noteProxy(proxied.proxy, journey: journey, .closed(why: "\(words): no rule allows it"))
      return closeProxied(proxied.pair, on: node)
    }
    noteProxy(proxied.proxy, journey: journey, .allowed(what: words, rule: rule))
    nodes[node].proxied[proxied.pair]?.isOpaque = true
    nodes[node].proxied[proxied.pair]?.received = []
    goUpstream(proxied.pair, on: node, proxied.received)
  }

  private mutating func goUpstream(_ pair: SocketPair, on node: Int, _ octets: [UInt8]) {
    if let upstream = nodes[node].proxied[pair]?.upstream, clients[upstream].phase == .held {
      return handUpstream(upstream, octets)
    }
    openUpstream(pair, on: node, pending: octets)
  }

  /// Sends something over a connection that stands, or keeps it until it does.
  private mutating func handUpstream(_ client: Int, _ octets: [UInt8]) {
    guard clients[client].phase == .held || clients[client].phase == .awaitingResponse else {
      clients[client].upstream?.pending += octets
      return
    }
    clients[client].received = []
    clients[client].phase = .awaitingResponse
    clients[client].upstream?.since = clock.nanoseconds
    sendData(client, octets)
  }

  /// The connection behind stands: what was kept for it goes out.
  mutating func upstreamConnected(_ client: Int) {
    guard let link = clients[client].upstream else { return }
    clients[client].upstream?.pending = []
    clients[client].phase = .awaitingResponse
    // From here on the answer takes as long as it takes.
    if !link.pending.isEmpty { sendData(client, link.pending) }
  }

  /// Octets have come from behind.
  mutating func upstreamReceived(_ client: Int, _ octets: [UInt8]) {
    guard let link = clients[client].upstream, case .proxy(let node, _) = link.proxy else { return }
    guard nodes[node].proxied[link.downstream]?.isOpaque == false else {
      clients[client].phase = .held
      return answerProxied(link.downstream, on: node, octets)
    }
    clients[client].received += octets
    guard HTTPResponse.isComplete(clients[client].received) else { return }
    let answer = clients[client].received
    clients[client].received = []
    clients[client].phase = .held
    let elapsed = (clock.nanoseconds &- link.since) / 1_000_000
    answerProxied(link.downstream, on: node, HTTPMessage.handedOn(answer, milliseconds: elapsed))
  }

  /// The connection behind has failed, or ended.
  mutating func upstreamFinished(_ client: Int, _ outcome: ProbeResult.Outcome) {
    guard let link = clients[client].upstream, case .proxy(let node, _) = link.proxy else { return }
    if let pair = clients[client].pair { nodes[node].proxySockets[pair] = nil }
    guard let proxied = nodes[node].proxied[link.downstream] else { return }
    nodes[node].proxied[link.downstream]?.upstream = nil
    let hasAnswered = outcome == .ok
    guard !hasAnswered else { return }
    guard proxied.listener.parser == .http else { return closeProxied(link.downstream, on: node) }
    let why =
      switch outcome {
      case .timeout: "connection timeout"
      case .refused: "remote connection failure, transport failure reason: delayed connect error: 111"
      case .reset: "connection termination"
      default: "remote connection failure"
      }
    let text = "upstream connect error or disconnect/reset before headers. reset reason: \(why)"
    answerProxied(link.downstream, on: node, HTTPMessage.answer(503, text))
  }

  /// Sends octets to the client of a proxied connection.
  private mutating func answerProxied(_ pair: SocketPair, on node: Int, _ octets: [UInt8]) {
    guard let proxied = nodes[node].proxied[pair],
      var connection = stacks[proxied.proxy]?.connections[pair]
    else { return }
    sendSegment(&connection, pair, at: proxied.proxy, [.psh, .ack], octets, client: proxied.probe)
    stacks[proxied.proxy]?.connections[pair] = connection
  }

  /// Closes a proxied connection from the proxy's side.
  mutating func closeProxied(_ pair: SocketPair, on node: Int) {
    guard let proxied = nodes[node].proxied[pair],
      var connection = stacks[proxied.proxy]?.connections[pair]
    else { return }
    sendSegment(&connection, pair, at: proxied.proxy, [.fin, .ack], [], client: proxied.probe)
    connection.state = .closing
    stacks[proxied.proxy]?.connections[pair] = connection
  }

  /// The client of a proxied connection has closed it: the one behind is closed as well.
  mutating func proxiedEnded(_ pair: SocketPair, on node: Int) {
    guard let proxied = nodes[node].proxied.removeValue(forKey: pair) else { return }
    nodes[node].proxySockets[pair] = nil
    guard let upstream = proxied.upstream else { return }
    close(upstream)
    if clients[upstream].phase == .closing { clients[upstream].result.outcome = .ok }
  }
}
