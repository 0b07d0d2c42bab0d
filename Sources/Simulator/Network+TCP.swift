import Datapath
import MapABI
import Wire

// TCP at both ends of a connection: enough of RFC 9293 for a conversation from SYN to FIN.
extension Network where Observer: ~Copyable {
  mutating func receiveTCP(
    _ packet: Packet, _ header: TCPHeader, _ octets: [UInt8], at id: StackID, journey: Int
  ) {
    let pair = SocketPair(
      local: packet.destination, localPort: header.destinationPort, remote: packet.source,
      remotePort: header.sourcePort)
    guard let connection = stacks[id]?.connections[pair] else {
      return receiveWithoutConnection(packet, header, at: id, pair, journey: journey)
    }
    if header.flags.contains(.rst) { return receiveReset(connection, id, pair, journey: journey) }
    if let client = connection.client {
      receiveAtClient(client, connection, pair, header, octets, journey: journey)
    } else {
      receiveAtServer(connection, pair, header, octets, at: id, journey: journey)
    }
  }

  private mutating func receiveWithoutConnection(
    _ packet: Packet, _ header: TCPHeader, at id: StackID, _ pair: SocketPair, journey: Int
  ) {
    guard !header.flags.contains(.rst) else { return }
    let client = clientOf(journey: journey)
    guard header.flags.contains(.syn), !header.flags.contains(.ack),
      let listener = stacks[id]?.listener(pair.localPort, .tcp)
    else {
      // Nobody listens, or nobody knows the connection: RST (RFC 9293 section 3.10.7.1).
      let carriesAck = header.flags.contains(.ack)
      let reset = TCPHeader(
        sourcePort: pair.localPort, destinationPort: pair.remotePort,
        flags: carriesAck ? .rst : [.rst, .ack],
        sequence: carriesAck ? header.acknowledgment : 0,
        acknowledgment: carriesAck ? 0 : header.sequence &+ 1, window: 0)
      send(Packet(from: pair.local, to: pair.remote, .tcp(reset, [])), from: id, client: client)
      return
    }
    let sequence = draw()
    stacks[id]?.connections[pair] = Connection(
      state: .synReceived, sending: sequence &+ 1, expecting: header.sequence &+ 1, client: nil,
      service: listener.service)
    if listener.service == .proxied { acceptProxied(pair, at: id, probe: client) }
    let answer = TCPHeader(
      sourcePort: pair.localPort, destinationPort: pair.remotePort, flags: [.syn, .ack], sequence: sequence,
      acknowledgment: header.sequence &+ 1, options: header.options)
    send(Packet(from: pair.local, to: pair.remote, .tcp(answer, [])), from: id, client: client)
  }

  private mutating func receiveReset(
    _ connection: Connection, _ id: StackID, _ pair: SocketPair, journey: Int
  ) {
    stacks[id]?.connections[pair] = nil
    guard let client = connection.client else { return }
    finish(client, connection.state == .synSent ? .refused : .reset, journey: journey)
  }

  private mutating func receiveAtServer(
    _ connection: Connection, _ pair: SocketPair, _ header: TCPHeader, _ octets: [UInt8], at id: StackID,
    journey: Int
  ) {
    var connection = connection
    let client = clientOf(journey: journey)
    guard header.sequence == connection.expecting else {
      // Seen before: the acknowledgement was lost, say it again.
      return acknowledge(&connection, pair, at: id, client: client)
    }
    if connection.state == .synReceived { connection.state = .established }
    connection.expecting &+= UInt32(octets.count) &+ (header.flags.contains(.fin) ? 1 : 0)
    if !octets.isEmpty {
      acknowledge(&connection, pair, at: id, client: client)
      if case .proxy(let node, _) = id {
        // What the proxy answers goes by the connection as it now stands.
        stacks[id]?.connections[pair] = connection
        receiveProxied(pair, on: node, octets, journey: journey)
        connection = stacks[id]?.connections[pair] ?? connection
      }
      for part in Self.answer(connection.service, to: octets) {
        sendSegment(&connection, pair, at: id, [.psh, .ack], part, client: client)
      }
    }
    if header.flags.contains(.fin), connection.state == .closing {
      acknowledge(&connection, pair, at: id, client: client)
      connection.state = .closed
    } else if header.flags.contains(.fin) {
      connection.state = .closing
      sendSegment(&connection, pair, at: id, [.fin, .ack], [], client: client)
    } else if connection.state == .closing {
      connection.state = .closed
    }
    stacks[id]?.connections[pair] = connection.state == .closed ? nil : connection
    if case .proxy(let node, _) = id, header.flags.contains(.fin) || connection.state == .closed {
      proxiedEnded(pair, on: node)
    }
  }

  private mutating func receiveAtClient(
    _ client: Int, _ connection: Connection, _ pair: SocketPair, _ header: TCPHeader, _ octets: [UInt8],
    journey: Int
  ) {
    var connection = connection
    let id = clients[client].request.from
    if connection.state == .synSent {
      guard header.flags.isSuperset(of: [.syn, .ack]) else { return }
      connection.expecting = header.sequence &+ 1
      connection.state = .established
      stopRepeating(client)
      acknowledge(&connection, pair, at: id, client: client)
      stacks[id]?.connections[pair] = connection
      return connected(client)
    }
    guard header.sequence == connection.expecting else { return }
    connection.expecting &+= UInt32(octets.count) &+ (header.flags.contains(.fin) ? 1 : 0)
    if !octets.isEmpty || header.flags.contains(.fin) {
      acknowledge(&connection, pair, at: id, client: client)
      stopRepeating(client)
    }
    stacks[id]?.connections[pair] = connection
    if !octets.isEmpty, clients[client].upstream != nil {
      upstreamReceived(client, octets)
    } else if !octets.isEmpty {
      clients[client].received += octets
      switch clients[client].request.traffic {
      case .http: if HTTPResponse.isComplete(clients[client].received) { responded(client) }
      case .https(let request, _): receiveRecord(client, request)
      default: responded(client)
      }
    }
    if header.flags.contains(.fin) { closedByServer(client, journey: journey) }
  }

  /// The server has closed the connection: too early where an answer is still awaited.
  private mutating func closedByServer(_ client: Int, journey: Int) {
    guard clients[client].phase == .awaitingResponse, clients[client].result.outcome == .timeout else {
      return finish(client, clients[client].result.outcome, journey: journey)
    }
    if case .https = clients[client].request.traffic {
      clients[client].result.curlCode = 35
    } else {
      clients[client].result.curlCode = 52
    }
    finish(client, .reset, journey: journey)
  }

  /// A record of TLS: behind the server's hello comes the request, behind that the answer.
  private mutating func receiveRecord(_ client: Int, _ request: HTTPRequest) {
    let received = clients[client].received
    if TLSRecord.body(received, TLSRecord.handshake) != nil {
      clients[client].received = []
      return sendData(client, TLSRecord.make(TLSRecord.applicationData, request.octets))
    }
    guard let body = TLSRecord.body(received, TLSRecord.applicationData) else { return }
    clients[client].received = body
    responded(client)
  }

  /// The connection stands: ask, hold, or close.
  private mutating func connected(_ client: Int) {
    if clients[client].upstream != nil { return upstreamConnected(client) }
    if case .http(let request) = clients[client].request.traffic {
      clients[client].phase = .awaitingResponse
      return sendData(client, request.octets)
    }
    if case .https(_, let name) = clients[client].request.traffic {
      clients[client].phase = .awaitingResponse
      return sendData(client, TLSRecord.clientHello(name))
    }
    clients[client].result.outcome = .ok
    if clients[client].request.holdsOpen { clients[client].phase = .held } else { close(client) }
  }

  /// The whole answer is there.
  private mutating func responded(_ client: Int) {
    clients[client].result.outcome = .ok
    if let response = HTTPResponse(clients[client].received) {
      clients[client].result.httpStatus = response.status
      clients[client].result.body = response.body
    }
    if clients[client].request.holdsOpen { clients[client].phase = .held } else { close(client) }
  }

  mutating func sendData(_ client: Int, _ octets: [UInt8]) {
    let id = clients[client].request.from
    guard let pair = clients[client].pair, var connection = stacks[id]?.connections[pair] else { return }
    let header = segment(connection, pair, [.psh, .ack])
    connection.sending &+= UInt32(octets.count)
    stacks[id]?.connections[pair] = connection
    transmit(client, Packet(from: pair.local, to: pair.remote, .tcp(header, octets)), retries: true)
  }

  mutating func close(_ client: Int) {
    let id = clients[client].request.from
    guard let pair = clients[client].pair, var connection = stacks[id]?.connections[pair] else { return }
    clients[client].phase = .closing
    sendSegment(&connection, pair, at: id, [.fin, .ack], [], client: client)
    stacks[id]?.connections[pair] = connection
  }

  private mutating func acknowledge(
    _ connection: inout Connection, _ pair: SocketPair, at id: StackID, client: Int?
  ) {
    sendSegment(&connection, pair, at: id, .ack, [], client: client)
  }

  mutating func sendSegment(
    _ connection: inout Connection, _ pair: SocketPair, at id: StackID, _ flags: TCPFlags, _ octets: [UInt8],
    client: Int?
  ) {
    let header = segment(connection, pair, flags)
    connection.sending &+= UInt32(octets.count) &+ (flags.contains(.fin) ? 1 : 0)
    send(Packet(from: pair.local, to: pair.remote, .tcp(header, octets)), from: id, client: client)
  }

  private func segment(_ connection: Connection, _ pair: SocketPair, _ flags: TCPFlags) -> TCPHeader {
    TCPHeader(
      sourcePort: pair.localPort, destinationPort: pair.remotePort, flags: flags,
      sequence: connection.sending, acknowledgment: connection.expecting, window: 502)
  }

  /// What a server sends back, segment by segment.
  private static func answer(_ service: Listener.Service, to octets: [UInt8]) -> [[UInt8]] {
    switch service {
    case .plain, .dns: [octets]
    case .proxied: []
    case .http(let behaviour): answer(behaviour, to: octets)
    }
  }

  /// HTTP as it comes, or inside of TLS.
  private static func answer(_ behaviour: HTTPBehaviour, to octets: [UInt8]) -> [[UInt8]] {
    if TLSRecord.isHandshake(octets) { return [TLSRecord.serverHello] }
    guard let request = TLSRecord.body(octets, TLSRecord.applicationData) else {
      return HTTPResponse.segments(behaviour, to: octets)
    }
    let answer = HTTPResponse.segments(behaviour, to: request).flatMap(\.self)
    return [TLSRecord.make(TLSRecord.applicationData, answer)]
  }
}
