import Datapath
import MapABI

// A packet at a device: which program sees it, and where it goes by what the program says.
extension Network where Observer: ~Copyable {
  /// Handles a packet at the place where it is; schedules the next place.
  mutating func advance(_ flight: Flight) {
    guard let node = flight.node else { return handleOutside(flight) }
    guard nodes[node].isUp else { return lose(flight, .nodeDown) }
    switch flight.place {
    case .ingress(let ifindex): receive(flight, node, ifindex)
    case .egress(let ifindex): send(flight, node, ifindex)
    case .stack(let ifindex): handleStack(flight, node, from: ifindex)
    case .output: routeOutput(flight, node)
    case .pod(let pod): deliver(flight, to: .pod(pod))
    case .router, .external: lose(flight, .noRoute)
    }
  }

  /// A frame came in by a device.
  private mutating func receive(_ flight: Flight, _ node: Int, _ ifindex: UInt32) {
    var flight = flight
    guard let device = nodes[node].device(ifindex) else { return lose(flight, .noRoute) }
    flight.buffer.ifindex = ifindex
    flight.buffer.ingressIfindex = ifindex
    let hook: Hook =
      switch device.kind {
      case .lxc: .fromContainer
      case .tunnel: .fromOverlay
      case .ethernet: .fromNetdev
      case .ciliumHost, .ciliumNet: .toHost
      }
    guard run(hook, on: &flight, node, ifindex) else { return }
    flight.place = .stack(ifindex)
    flight.buffer.cb = ControlBlock()
    schedule(flight, after: Latency.stack)
  }

  /// A frame goes out by a device.
  private mutating func send(_ flight: Flight, _ node: Int, _ ifindex: UInt32) {
    var flight = flight
    guard let device = nodes[node].device(ifindex) else { return lose(flight, .noRoute) }
    flight.buffer.ifindex = ifindex
    let hook: Hook? =
      switch device.kind {
      case .lxc: .toContainer
      case .tunnel: .toOverlay
      case .ethernet: .toNetdev
      case .ciliumHost: .fromHost
      case .ciliumNet: nil
      }
    if let hook { guard run(hook, on: &flight, node, ifindex) else { return } }
    transmit(flight, node, device)
  }

  /// The device itself: the other end of a veth pair, the tunnel, the wire.
  private mutating func transmit(_ flight: Flight, _ node: Int, _ device: NodeDevice) {
    var flight = flight
    switch device.kind {
    case .lxc: enterPod(flight, node, device.ifindex)
    case .tunnel: encapsulate(flight, node, device)
    case .ethernet: putOnWire(flight, node, device)
    case .ciliumHost, .ciliumNet:
      // Two ends of one veth pair.
      let peerKind: NodeDevice.Kind = device.kind == .ciliumHost ? .ciliumNet : .ciliumHost
      guard let peer = nodes[node].device(peerKind) else { return lose(flight, .noRoute) }
      flight.buffer.packetType = .host
      flight.place = .ingress(peer.ifindex)
      schedule(flight, after: Latency.stack)
    }
  }

  /// Into the network namespace of the pod whose lxc device this is.
  private mutating func enterPod(_ flight: Flight, _ node: Int, _ ifindex: UInt32) {
    let name = nodes[node].spec.name
    guard let pod = topology.pods.firstIndex(where: { $0.node == name && $0.ifindex == ifindex }) else {
      return lose(flight, .noRoute)
    }
    var flight = flight
    flight.place = .pod(pod)
    schedule(flight, after: Latency.socket)
  }

  /// Runs the program attached there, if there is one. False when the packet does not go on from here.
  private mutating func run(_ hook: Hook, on flight: inout Flight, _ node: Int, _ ifindex: UInt32) -> Bool {
    guard let attachment = nodes[node].attachment(hook, ifindex) else { return true }
    let environment = Environment(
      ktime: clock.ktime, random: UInt64(draw()) << 32 | UInt64(draw()), flowHash: 0)
    let input = HookInput(.skb(flight.buffer), environment: environment)
    let result: HookResult
    do {
      result = try model.run(attachment, on: input, state: nodes[node].state)
    } catch {
      unmodelled.append("\(nodes[node].spec.name)/\(attachment.device):\(hook.rawValue): \(error)")
      lose(flight, .noRoute)
      return false
    }
    let hop = Hop(
      time: clock, node: nodes[node].spec.name, attachment: attachment, input: input, result: result,
      position: nodes[node].state.position)
    observer.observe(hop, state: nodes[node].state)
    nodes[node].state.apply(result.changes)
    journeys[flight.journey].passages.append(.hook(hop))
    if case .skb(let buffer) = result.subject { flight.buffer = buffer }
    return follow(hop, flight, node)
  }

  /// Where the packet goes by the program's verdict. True when it simply goes on.
  private mutating func follow(_ hop: Hop, _ flight: Flight, _ node: Int) -> Bool {
    var flight = flight
    switch hop.result.verdict {
    case .pass, .other: return true
    case .drop:
      journeys[flight.journey].disposition = .dropped(hop.dropPlace)
      return false
    case .transmit:
      flight.place = .egress(hop.attachment.ifindex)
    case .redirect(let target?):
      if hop.result.steps.contains(where: { if case .answered = $0 { true } else { false } }) {
        branchOff(&flight)
      }
      switch target.mode {
      case .ingress:
        // Forwarding into a device strips the tunnel metadata, and looks at the destination address anew.
        flight.buffer.tunnelKey = nil
        let mac = nodes[node].device(target.ifindex)?.mac
        flight.buffer.packetType = FrameEdit.destinationMAC(flight.buffer.frame) == mac ? .host : .otherHost
        flight.place = .ingress(target.ifindex)
      case .egress, .neighbour: flight.place = .egress(target.ifindex)
      case .peer:
        enterPod(flight, node, target.ifindex)
        return false
      }
    case .redirect(nil):
      lose(flight, .noRoute)
      return false
    }
    schedule(flight, after: Latency.hook)
    return false
  }

  /// The program turned the packet into an answer: from here on it is another journey.
  private mutating func branchOff(_ flight: inout Flight) {
    journeys[flight.journey].disposition = .answered
    let summary = Packet(frame: flight.buffer.frame)?.summary ?? "answer made by the program"
    let parent = flight.journey
    flight.journey = journeys.count
    journeys.append(Journey(id: flight.journey, summary: summary, parent: parent))
  }

  mutating func schedule(_ flight: Flight, after span: Instant.Span) {
    queue.schedule(.flight(flight), at: clock + span)
  }

  mutating func lose(_ flight: Flight, _ loss: StackStep.Loss) {
    note(flight, .lost(loss))
    journeys[flight.journey].disposition = .lost(loss)
  }

  /// Records what the kernel or the wire does to a packet.
  mutating func note(_ flight: Flight, _ action: StackStep.Action, device: String = "") {
    let node = flight.node.map { nodes[$0].spec.name } ?? ""
    journeys[flight.journey].passages.append(
      .kernel(
        StackStep(time: clock, node: node, device: device, action: action, frame: flight.buffer.frame)))
  }
}

extension Hop {
  /// Where this hop dropped the packet, by the event that says so.
  var dropPlace: DropPlace {
    var stage = Step.Stage.entry
    for step in result.steps { if case .stage(let next) = step { stage = next } }
    var isIngress = true
    for change in result.changes where change.map == .metrics {
      let key = change.key(as: MetricsKey.self)
      if key.reason >= 130 { isIngress = UInt32(key.dir) == METRIC_INGRESS.rawValue }
    }
    return DropPlace(
      reason: result.drop?.rawValue ?? 0, node: node, device: device, hook: hook.rawValue,
      stage: stage == .policy ? "lxc_policy" : "\(stage)", direction: isIngress ? "ingress" : "egress")
  }
}
