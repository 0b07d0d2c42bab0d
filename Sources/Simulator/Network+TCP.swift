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
      receiveAtServer(connection, pair, header, octets, at: id, client: clientOf(journey: journey))
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
    client: Int?
  ) {
    var connection = connection
    guard header.sequence == connection.expecting else {
      // Seen before: the acknowledgement was lost, say it again.
      return acknowledge(&connection, pair, at: id, client: client)
    }
    if connection.state == .synReceived { connection.state = .established }
    connection.expecting &+= UInt32(octets.count) &+ (header.flags.contains(.fin) ? 1 : 0)
    if !octets.isEmpty {
      acknowledge(&connection, pair, at: id, client: client)
      for part in Self.answer(connection.service, to: octets) {
        sendSegment(&connection, pair, at: id, [.psh, .ack], part, client: client)
      }
    }
    if header.flags.contains(.fin) {
      connection.state = .closing
      sendSegment(&connection, pair, at: id, [.fin, .ack], [], client: client)
    } else if connection.state == .closing {
      connection.state = .closed
    }
    stacks[id]?.connections[pair] = connection.state == .closed ? nil : connection
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
    if !octets.isEmpty {
      clients[client].received += octets
      if HTTPResponse.isComplete(clients[client].received) || !isHTTP(client) { responded(client) }
    }
    if header.flags.contains(.fin) { finish(client, clients[client].result.outcome, journey: journey) }
  }

  private func isHTTP(_ client: Int) -> Bool {
    if case .http = clients[client].request.traffic { true } else { false }
  }

  /// The connection stands: ask, hold, or close.
  private mutating func connected(_ client: Int) {
    if case .http(let request) = clients[client].request.traffic {
      clients[client].phase = .awaitingResponse
      return sendData(client, request.octets)
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

  private mutating func close(_ client: Int) {
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

  private mutating func sendSegment(
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
    case .http(let behaviour): HTTPResponse.segments(behaviour, to: octets)
    }
  }
}
