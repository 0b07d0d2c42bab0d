import Datapath
import MapABI
import Wire

// Sending from a socket, and receiving at one.
extension Network where Observer: ~Copyable {
  /// Sends a packet from a stack; the journey's number, or nil when the stack cannot send it.
  @discardableResult
  mutating func send(_ packet: Packet, from stack: StackID, client: Int? = nil) -> Int? {
    var packet = packet
    packet.identification = packet.source.family == .ipv4 ? nextIdentification(stack) : 0
    guard let (flight, by) = launch(packet, from: stack) else { return nil }
    journeys.append(Journey(id: flight.journey, summary: packet.summary))
    if let client {
      clients[client].result.journeys.append(flight.journey)
      if let probe = clients[client].upstream?.probe {
        clients[probe].result.journeys.append(flight.journey)
      }
    }
    note(flight, .sent(by: by))
    schedule(flight, after: Latency.socket)
    return flight.journey
  }

  private func launch(_ packet: Packet, from stack: StackID) -> (Flight, String)? {
    switch stack {
    case .pod(let index):
      let pod = topology.pods[index]
      guard let node = nodeIndex(named: pod.node) else { return nil }
      if pod.addresses.contains(packet.destination) {
        // The pod's own loopback: the packet never leaves its network namespace, and no program sees it.
        guard let frame = packet.frame(from: pod.mac, to: pod.mac) else { return nil }
        return (
          Flight(
            buffer: SocketBuffer(frame: frame, ifindex: 0), node: node, place: .pod(index),
            journey: journeys.count), pod.name
        )
      }
      guard let frame = packet.frame(from: pod.mac, to: pod.hostMAC) else { return nil }
      return (
        Flight(
          buffer: SocketBuffer(frame: frame, ifindex: pod.ifindex, ingressIfindex: pod.ifindex), node: node,
          place: .ingress(pod.ifindex), journey: journeys.count), pod.name
      )
    case .node(let index):
      guard let frame = packet.frame(from: MACAddress(bits: 0), to: MACAddress(bits: 0)) else { return nil }
      return (
        Flight(
          buffer: SocketBuffer(frame: frame, ifindex: 0), node: index, place: .output,
          journey: journeys.count), "node/" + topology.nodes[index].name
      )
    case .external(let index):
      guard let frame = packet.frame(from: MACAddress(bits: 0), to: topology.underlay.gatewayMAC) else {
        return nil
      }
      return (
        Flight(
          buffer: SocketBuffer(frame: frame, ifindex: 0), node: nil, place: .router, journey: journeys.count),
        "external/" + topology.externals[index].name
      )
    case .proxy: return launchFromProxy(packet, stack)
    }
  }

  /// A packet has come to a stack.
  mutating func deliver(_ flight: Flight, to id: StackID) {
    guard let stack = stacks[id] else { return lose(flight, .noRoute) }
    if case .pod(let pod) = id, let mac = FrameEdit.destinationMAC(flight.buffer.frame),
      mac != topology.pods[pod].mac, !mac.isMulticast
    {
      return lose(flight, .notForThisHost)
    }
    guard let packet = Packet(frame: flight.buffer.frame) else { return lose(flight, .malformed) }
    guard stack.isProxy || stack.addresses.contains(packet.destination) else {
      return lose(flight, .notForThisHost)
    }
    note(flight, .delivered(to: stack.name), device: deviceName(flight, id))
    journeys[flight.journey].disposition = .delivered(to: stack.name)
    receive(packet, at: id, journey: flight.journey, frame: flight.buffer.frame)
  }

  /// The device by which a packet left the node's own network namespace for a pod's; empty for other stacks.
  private func deviceName(_ flight: Flight, _ id: StackID) -> String {
    guard case .pod(let pod) = id, let node = flight.node, flight.buffer.ifindex != 0 else { return "" }
    return nodes[node].device(topology.pods[pod].ifindex)?.name ?? ""
  }

  private mutating func receive(_ packet: Packet, at id: StackID, journey: Int, frame: [UInt8]) {
    switch packet.body {
    case .tcp(let header, let octets): receiveTCP(packet, header, octets, at: id, journey: journey)
    case .udp(let source, let destination, let octets):
      receiveUDP(packet, source, destination, octets, at: id, journey: journey, frame: frame)
    case .sctp(let header, let octets): receiveSCTP(packet, header, octets, at: id, journey: journey)
    case .echo(true, let identifier, let sequence, let octets):
      var reply = Packet(
        from: packet.destination, to: packet.source,
        .echo(request: false, identifier: identifier, sequence: sequence, octets))
      reply.ttl = 64
      send(reply, from: id, client: clientOf(journey: journey))
    case .echo(false, let identifier, _, _):
      if let client = client(waitingAt: id, localPort: identifier, from: packet.source) {
        finish(client, .ok, journey: journey)
      }
    case .error(let kind, let quoted): receiveError(kind, quoted, at: id, journey: journey)
    case .other: break
    }
  }

  private mutating func receiveUDP(
    _ packet: Packet, _ source: UInt16, _ destination: UInt16, _ octets: [UInt8], at id: StackID,
    journey: Int,
    frame: [UInt8]
  ) {
    if let client = client(waitingAt: id, localPort: destination, from: packet.source) {
      return receiveDatagram(octets, client: client, journey: journey)
    }
    if case .proxy = id {
      let pair = SocketPair(
        local: packet.destination, localPort: destination, remote: packet.source, remotePort: source)
      return receiveQuery(octets, pair, at: id, journey: journey)
    }
    guard let listener = stacks[id]?.listener(destination, .udp) else {
      // Linux quotes the IP header and as much as fits; 548 octets of the packet at most over IPv4.
      let quoted = Array(
        frame.dropFirst(FrameEdit.ethernetLength).prefix(packet.source.family == .ipv4 ? 548 : 1232))
      send(
        Packet(from: packet.destination, to: packet.source, .error(.portUnreachable, quoted: quoted)),
        from: id, client: clientOf(journey: journey))
      return
    }
    var answer = octets
    if listener.service == .dns {
      guard let query = DNSMessage(octets), !query.isResponse, let octets = query.answer(from: names).octets
      else { return }
      answer = octets
    }
    send(
      Packet(
        from: packet.destination, to: packet.source, .udp(source: destination, destination: source, answer)),
      from: id, client: clientOf(journey: journey))
  }

  /// SCTP as far as a probe sees it: INIT is answered by INIT ACK, or by ABORT where nobody listens.
  private mutating func receiveSCTP(
    _ packet: Packet, _ header: SCTPHeader, _ octets: [UInt8], at id: StackID, journey: Int
  ) {
    if let client = client(waitingAt: id, localPort: header.destinationPort, from: packet.source) {
      return finish(client, octets.first == SCTPChunk.abort ? .refused : .ok, journey: journey)
    }
    guard octets.first == SCTPChunk.initiation, octets.count >= 8 else { return }
    let tag = octets[4..<8].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    let accepted = stacks[id]?.listener(header.destinationPort, .sctp) != nil
    let answer = SCTPHeader(
      sourcePort: header.destinationPort, destinationPort: header.sourcePort, verificationTag: tag)
    let chunk = accepted ? SCTPChunk.make(SCTPChunk.initiationAck, tag: draw()) : [SCTPChunk.abort, 0, 0, 4]
    send(
      Packet(from: packet.destination, to: packet.source, .sctp(answer, chunk)), from: id,
      client: clientOf(journey: journey))
  }

  /// The probe that a journey belongs to.
  func clientOf(journey: Int) -> Int? {
    clients.indices.reversed().first { clients[$0].result.journeys.contains(journey) }
  }
}

/// The chunks of an SCTP association's beginning. Source: RFC 9260 section 3.3.
enum SCTPChunk {
  static let initiation: UInt8 = 1
  static let initiationAck: UInt8 = 2
  static let abort: UInt8 = 6

  /// INIT or INIT ACK: window 106496, ten streams each way.
  static func make(_ type: UInt8, tag: UInt32) -> [UInt8] {
    func octets(_ value: UInt32) -> [UInt8] {
      (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
    }
    return [type, 0, 0, 20] + octets(tag) + octets(106_496) + [0, 10, 0, 10] + octets(tag)
  }
}
