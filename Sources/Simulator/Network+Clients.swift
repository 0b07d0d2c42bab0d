public import Datapath
import MapABI
import Wire

// Probes: a client in a stack, from the look-up of the name to the end of the connection.
extension Network where Observer: ~Copyable {
  /// Tries the traffic and lets time pass until it has succeeded, failed, or run into its timeout.
  public mutating func probe(_ request: ProbeRequest) -> ProbeResult {
    let client = clients.count
    clients.append(Client(request: request, deadline: clock + request.timeout))
    queue.schedule(.timer(client: client, generation: -1), at: clients[client].deadline)
    begin(client)
    run(client)
    return clients[client].result
  }

  /// The number by which ``continueProbe(_:with:)`` knows the last probe.
  public var lastProbe: Int { clients.lastIndex { $0.upstream == nil } ?? clients.count - 1 }

  /// Sends another request over a connection that an earlier probe left open.
  public mutating func continueProbe(_ client: Int, with request: HTTPRequest?, timeout: Instant.Span)
    -> ProbeResult
  {
    guard clients.indices.contains(client), clients[client].phase == .held else {
      return ProbeResult(outcome: .reset)
    }
    var result = ProbeResult(outcome: .timeout)
    result.destination = clients[client].result.destination
    result.resolved = clients[client].result.resolved
    clients[client].result = result
    clients[client].received = []
    clients[client].generation += 1
    clients[client].deadline = clock + timeout
    queue.schedule(.timer(client: client, generation: -1), at: clients[client].deadline)
    if let request { clients[client].request.traffic = .http(request) }
    clients[client].phase = .awaitingResponse
    if case .http(let http) = clients[client].request.traffic {
      sendData(client, http.octets)
    } else if case .https(let http, _) = clients[client].request.traffic {
      sendData(client, TLSRecord.make(TLSRecord.applicationData, http.octets))
    } else {
      sendData(client, Array("ciliate".utf8))
    }
    run(client)
    return clients[client].result
  }

  private mutating func run(_ client: Int) {
    while clients[client].phase != .done, clients[client].phase != .held, !queue.isEmpty { handleNext() }
    // The last packets of the conversation still arrive; timers of probes that are over do nothing.
    settle()
    // A proxied conversation ends where the proxy took it.
    if let first = clients[client].result.proxied.last ?? clients[client].result.firstJourney,
      case .delivered(let place) = journeys[first].disposition
    {
      clients[client].result.deliveredTo = place
    } else if clients[client].isOneWay, clients[client].result.outcome == .ok {
      clients[client].result.outcome = .timeout
    }
    endConversation()
  }

  private mutating func begin(_ client: Int) {
    let request = clients[client].request
    switch request.target {
    case .address(let address): connect(client, to: address)
    case .name(let name):
      if let address = IPAddress(name) { return connect(client, to: address) }
      let candidates = Resolver.candidates(name, search: request.searchDomains)
      let type: DNSMessage.RecordType = request.family == .ipv6 ? .aaaa : .a
      clients[client].phase = .resolving(candidates: candidates, type: type)
      query(client)
    }
  }

  /// Asks the name server for the first of the names left to try.
  private mutating func query(_ client: Int) {
    guard case .resolving(let candidates, let type) = clients[client].phase, let name = candidates.first,
      case .pod(let pod) = clients[client].request.from, let server = topology.pods[pod].nameserver
    else { return finish(client, .dnsFailure) }
    let target = translateSocket(from: clients[client].request.from, to: server, port: 53, .udp)
    if target.isRefused {
      if let hop = target.hop { noteRefusal(hop, client: client, to: server, port: 53) }
      return finish(client, .dnsFailure)
    }
    guard let source = sourceAddress(of: clients[client].request.from, for: target.address) else {
      return finish(client, .dnsFailure)
    }
    let identifier = UInt16(truncatingIfNeeded: draw())
    guard let octets = DNSMessage(query: name, type: type, identifier: identifier).octets else {
      return finish(client, .dnsFailure)
    }
    let port = ephemeralPort()
    clients[client].pair = SocketPair(
      local: source, localPort: port, remote: target.address, remotePort: target.port)
    transmit(
      client,
      Packet(from: source, to: target.address, .udp(source: port, destination: target.port, octets)),
      retries: true, after: target.hop)
  }

  private mutating func connect(_ client: Int, to destination: IPAddress) {
    let request = clients[client].request
    clients[client].result.destination = destination
    clients[client].phase = .connecting
    if request.traffic == .resolve { return finish(client, .ok) }
    let target = socketTarget(request, destination)
    if target.isRefused {
      if let hop = target.hop { noteRefusal(hop, client: client, to: destination, port: request.port) }
      return finish(client, .unreachable)
    }
    // The route, and so the source, is chosen for the address that the program gave the socket.
    guard let source = sourceAddress(of: request.from, for: target.address) else {
      return finish(client, .unreachable)
    }
    if isTooBig(request) { return finish(client, .fragNeeded) }
    let port = request.sourcePort ?? ephemeralPort()
    clients[client].pair = SocketPair(
      local: source, localPort: port, remote: target.address, remotePort: target.port)
    var retries = true
    let body: Packet.Body
    switch request.traffic {
    case .tcp, .http, .https:
      let sequence = draw()
      var options: [TCPOption] = [.maximumSegmentSize(UInt16(clamping: mss(request, target.address)))]
      options += [.selectiveAcknowledgmentPermitted, .noOperation, .windowScale(7)]
      let header = TCPHeader(
        sourcePort: port, destinationPort: target.port, flags: .syn, sequence: sequence,
        options: TCPOptions(options))
      stacks[request.from]?.connections[clients[client].pair!] = Connection(
        state: .synSent, sending: sequence &+ 1, expecting: 0, client: client)
      body = .tcp(header, [])
    case .udp:
      body = .udp(source: port, destination: target.port, Payload.make(request.size ?? 7))
      retries = false
    case .sctp:
      let header = SCTPHeader(sourcePort: port, destinationPort: target.port, verificationTag: 0)
      body = .sctp(header, SCTPChunk.make(SCTPChunk.initiation, tag: draw()))
    case .icmp where !clients[client].isOneWay:
      body = .echo(request: true, identifier: port, sequence: 1, Payload.make(request.size ?? 56))
      clients[client].pair?.remotePort = 0
      retries = false
    case .icmp(let type, let code):
      let kind = Packet.ErrorKind.other(type: type ?? 0, code: code ?? 0)
      body = .error(kind, quoted: Payload.make(request.size ?? 0))
      retries = false
    case .dns(let name, let type):
      let record: DNSMessage.RecordType = type.uppercased() == "AAAA" ? .aaaa : .a
      let identifier = UInt16(truncatingIfNeeded: draw())
      guard let octets = DNSMessage(query: name, type: record, identifier: identifier).octets else {
        return finish(client, .dnsFailure)
      }
      body = .udp(source: port, destination: target.port, octets)
    case .resolve: return
    }
    let packet = Packet(from: source, to: target.address, body)
    transmit(client, packet, retries: retries, isFirst: true, after: target.hop)
    if clients[client].isOneWay { finish(client, .ok) }
  }

  /// TCP, UDP and the name server's sockets connect; those of SCTP and ICMP pass no program.
  private mutating func socketTarget(_ request: ProbeRequest, _ destination: IPAddress) -> SocketTranslation {
    switch request.traffic {
    case .tcp, .http, .https: translateSocket(from: request.from, to: destination, port: request.port, .tcp)
    case .udp, .dns: translateSocket(from: request.from, to: destination, port: request.port, .udp)
    case .sctp, .icmp, .resolve: SocketTranslation(address: destination, port: request.port)
    }
  }

  /// Sends a client's packet, and again after a while if it is to be repeated.
  ///
  /// - Parameter hop: what the program at the cgroup did when the socket connected.
  mutating func transmit(
    _ client: Int, _ packet: Packet, retries: Bool, isFirst: Bool = false, after hop: Hop? = nil
  ) {
    let journey = send(packet, from: clients[client].request.from, client: client)
    if let journey, let hop { journeys[journey].passages.insert(.hook(hop), at: 0) }
    if isFirst { clients[client].result.firstJourney = journey }
    guard journey != nil else { return finish(client, .unreachable) }
    clients[client].generation += 1
    clients[client].unanswered = retries ? packet : nil
    clients[client].backoff = .seconds(1)
    guard retries else { return }
    queue.schedule(
      .timer(client: client, generation: clients[client].generation), at: clock + clients[client].backoff)
  }

  /// Whether a timer has nothing to do any more.
  func isVoid(_ client: Int, _ generation: Int) -> Bool {
    let phase = clients[client].phase
    if phase == .done || phase == .held { return true }
    return generation != -1 && generation != clients[client].generation
  }

  /// Generation -1 is the deadline, others the repetition of what has not been answered.
  mutating func timerFired(_ client: Int, _ generation: Int) {
    guard clients[client].phase != .done, clients[client].phase != .held else { return }
    if generation == -1 {
      guard clock >= clients[client].deadline else { return }
      if case .resolving = clients[client].phase { return finish(client, .dnsFailure) }
      if clients[client].phase == .closing { return finish(client, clients[client].result.outcome) }
      return finish(client, .timeout)
    }
    guard generation == clients[client].generation, let packet = clients[client].unanswered else { return }
    clients[client].backoff.nanoseconds &*= 2
    let next = clock + clients[client].backoff
    send(packet, from: clients[client].request.from, client: client)
    queue.schedule(.timer(client: client, generation: generation), at: next)
  }

  /// The answer to what was sent last has come: it is not repeated any more.
  mutating func stopRepeating(_ client: Int) {
    clients[client].generation += 1
    clients[client].unanswered = nil
  }

  mutating func finish(_ client: Int, _ outcome: ProbeResult.Outcome, journey: Int? = nil) {
    guard clients[client].phase != .done else { return }
    stopRepeating(client)
    clients[client].result.outcome = outcome
    clients[client].phase = .done
    if let journey, !clients[client].result.journeys.contains(journey) {
      clients[client].result.journeys.append(journey)
    }
    if let pair = clients[client].pair { stacks[clients[client].request.from]?.connections[pair] = nil }
    guard clients[client].upstream != nil else { return }
    if case .dns = clients[client].request.traffic {
      upstreamQueryFailed(client, outcome)
    } else {
      upstreamFinished(client, outcome)
    }
  }

  /// The client whose socket this is: by its port, and whom it talks to.
  func client(waitingAt id: StackID, localPort: UInt16, from remote: IPAddress) -> Int? {
    clients.indices.reversed().first { index in
      let client = clients[index]
      guard client.request.from == id, client.phase != .done, let pair = client.pair else { return false }
      return pair.localPort == localPort && pair.remote == remote
    }
  }

  /// A datagram for a client: the answer of a name server, or of the target.
  mutating func receiveDatagram(_ octets: [UInt8], client: Int, journey: Int) {
    if clients[client].upstream != nil { return upstreamAnswered(client, octets, journey: journey) }
    guard case .resolving(let candidates, let type) = clients[client].phase else {
      if case .dns = clients[client].request.traffic { receiveAnswer(octets, client: client) }
      return finish(
        client, clients[client].result.outcome == .timeout ? .ok : clients[client].result.outcome,
        journey: journey)
    }
    stopRepeating(client)
    guard let answer = DNSMessage(octets), answer.isResponse else { return finish(client, .dnsFailure) }
    if let address = answer.answers.first {
      clients[client].result.resolved = answer.answers
      return connect(client, to: address)
    }
    // No such record: IPv6 where IPv4 was not wanted explicitly, then the next search domain.
    if answer.code == .success, type == .a, clients[client].request.family == nil {
      clients[client].phase = .resolving(candidates: candidates, type: .aaaa)
    } else {
      let next: DNSMessage.RecordType = clients[client].request.family == .ipv6 ? .aaaa : .a
      clients[client].phase = .resolving(candidates: Array(candidates.dropFirst()), type: next)
    }
    query(client)
  }

  private mutating func receiveAnswer(_ octets: [UInt8], client: Int) {
    guard let answer = DNSMessage(octets) else { return }
    clients[client].result.resolved = answer.answers
    clients[client].result.outcome =
      switch answer.code {
      case .success: .ok
      case .refused: .refused
      default: .dnsFailure
      }
  }

  /// An ICMP error about something that a client sent.
  mutating func receiveError(_ kind: Packet.ErrorKind, _ quoted: [UInt8], at id: StackID, journey: Int) {
    guard let pair = Packet.quotedPair(quoted),
      let client = client(waitingAt: id, localPort: pair.localPort, from: pair.remote)
    else { return }
    switch kind {
    case .portUnreachable:
      // An answer that a program made, instead of letting the packet through, is a decision of the datapath.
      let isMadeByProgram = journeys[journey].parent != nil
      finish(client, isMadeByProgram ? .rejected : .refused, journey: journey)
    case .networkUnreachable, .hostUnreachable: finish(client, .unreachable, journey: journey)
    case .prohibited: finish(client, .rejected, journey: journey)
    case .tooBig: finish(client, .fragNeeded, journey: journey)
    case .timeExceeded, .other: break
    }
  }

  /// A port of the kernel's default local range, drawn from the seed.
  mutating func ephemeralPort() -> UInt16 { UInt16(32768 + draw() % 28232) }

  private func mss(_ request: ProbeRequest, _ destination: IPAddress) -> Int {
    routeMTU(request.from) - (destination.family == .ipv4 ? 40 : 60)
  }

  func routeMTU(_ stack: StackID) -> Int {
    if case .pod(let index) = stack { return topology.pods[index].routeMTU }
    return topology.underlay.mtu
  }

  private func isTooBig(_ request: ProbeRequest) -> Bool {
    guard let size = request.size else { return false }
    return size + 28 > routeMTU(request.from)
  }
}

/// What a resolver tries, in order: glibc's `ndots:5` with search domains, as kubelet writes resolv.conf.
enum Resolver {
  static func candidates(_ name: String, search: [String]) -> [String] {
    if name.hasSuffix(".") { return [String(name.dropLast())] }
    let dots = name.utf8.filter { $0 == UInt8(ascii: ".") }.count
    let searched = search.map { "\(name).\($0)" }
    return dots >= 5 ? [name] + searched : searched + [name]
  }
}

enum Payload {
  /// That many octets of a pattern that reads well in a dump.
  static func make(_ count: Int) -> [UInt8] {
    let pattern = Array("ciliate".utf8)
    return (0..<max(0, min(count, 65_000))).map { pattern[$0 % pattern.count] }
  }
}
