import Datapath
import MapABI
import Wire

/// What a program at the node's cgroup made of a socket's connect().
struct SocketTranslation {
  var address: IPAddress
  var port: UInt16
  /// Nil where no program looks at the socket.
  var hop: Hop?
  /// The call failed with EHOSTUNREACH; no packet is made.
  var isRefused = false
}

// Socket load balancing: programs at the node's cgroup that translate a service's address when a socket connects.
extension Network where Observer: ~Copyable {
  /// Runs the node's socket hook on a connect() of a stack.
  ///
  /// Datagram sockets connect, too: that is what resolvers and netcat do. Source: `bpf/bpf_sock.c`; with
  /// `socketLB.hostNamespaceOnly` the program lets pods' sockets go at once, and is not run for them here.
  mutating func translateSocket(
    from stack: StackID, to address: IPAddress, port: UInt16, _ protocol: IPProtocol
  ) -> SocketTranslation {
    var translation = SocketTranslation(address: address, port: port)
    let hook: Hook = address.family == .ipv4 ? .sock4Connect : .sock6Connect
    guard let (node, pod) = place(of: stack), let attachment = nodes[node].attachment(hook, 0),
      pod == nil || attachment.config.enable_socket_lb_host_only == 0
    else { return translation }
    let environment = Environment(
      ktime: clock.ktime, random: UInt64(sockets.draw()) << 32 | UInt64(sockets.draw()))
    let input = HookInput(
      .socket(
        SocketAddress(
          destination: address, port: port, protocol: `protocol`.rawValue, cookie: UInt64(sockets.draw()),
          netnsCookie: namespaceCookie(pod, attachment.config))), environment: environment)
    let result: HookResult
    do {
      result = try model.run(attachment, on: input, state: nodes[node].state)
    } catch {
      unmodelled.append("\(nodes[node].spec.name)/\(attachment.device):\(hook.rawValue): \(error)")
      return translation
    }
    let hop = Hop(
      time: clock, node: nodes[node].spec.name, attachment: attachment, input: input, result: result,
      position: nodes[node].state.position)
    observer.observe(hop, state: nodes[node].state)
    nodes[node].state.apply(result.changes)
    translation.hop = hop
    translation.isRefused = result.verdict == .drop
    if case .socket(let chosen) = result.subject {
      (translation.address, translation.port) = (chosen.destination, chosen.port)
    }
    return translation
  }

  /// The node whose kernel a stack's sockets are in, and the pod if it is one's.
  private func place(of stack: StackID) -> (node: Int, pod: Int?)? {
    switch stack {
    case .node(let index): return (index, nil)
    case .pod(let index):
      return nodes.firstIndex { $0.spec.name == topology.pods[index].node }.map { ($0, index) }
    // A proxy connects to what the datapath has chosen already.
    case .external, .proxy: return nil
    }
  }

  /// The kernel numbers network namespaces as they come; the first is 1, unless the agent says that its own is
  /// another. A pod's is made of the index of its device, which is its node's alone.
  private func namespaceCookie(_ pod: Int?, _ config: DatapathConfig) -> UInt64 {
    if let pod { return 1 << 32 | UInt64(topology.pods[pod].ifindex) }
    return config.endpoint_netns_cookie == 0 ? 1 : config.endpoint_netns_cookie
  }

  /// A connect() that a program refused: a journey without a packet.
  mutating func noteRefusal(_ hop: Hop, client: Int, to address: IPAddress, port: UInt16) {
    let journey = Journey(
      id: journeys.count, summary: "connect to \(address) port \(port)", passages: [.hook(hop)],
      disposition: .dropped(
        DropPlace(
          reason: DropReason.noService.rawValue, node: hop.node, device: hop.device, hook: hop.hook.rawValue,
          stage: "service", direction: "egress")))
    journeys.append(journey)
    clients[client].result.journeys.append(journey.id)
    if clients[client].result.firstJourney == nil { clients[client].result.firstJourney = journey.id }
  }
}
