public import ControlPlane
import Datapath
import MapABI
import Wire

// The way into a node's proxies and out of them: netfilter's TPROXY rules, transparent sockets, marks.
// Source: Cilium `pkg/datapath/iptables/iptables.go`, `pkg/proxy/routes.go`.
extension Network where Observer: ~Copyable {
  /// Takes a packet to the proxy that it is for: by the socket of its connection, else by the port in its mark.
  ///
  /// - Returns: whether the packet's way ends here.
  mutating func divertToProxy(_ flight: Flight, _ node: Int) -> Bool {
    let magic = flight.buffer.mark & Self.markMask
    let isMarked = magic == MARK_MAGIC_TO_PROXY.rawValue
    guard isMarked || !nodes[node].proxySockets.isEmpty else { return false }
    guard let ends = Packet(frame: flight.buffer.frame)?.socketPair else { return false }
    if magic != MARK_MAGIC_SKIP_TPROXY.rawValue, let socket = nodes[node].proxySockets[ends.reversed] {
      deliver(flight, to: socket.stack)
      return true
    }
    guard isMarked else { return false }
    let port = UInt16(truncatingIfNeeded: flight.buffer.mark >> 16).byteSwapped
    guard let proxy = nodes[node].spec.proxies.first(where: { $0.port == port }), proxy.isUp else {
      lose(flight, .noProxy)
      return true
    }
    deliver(flight, to: .proxy(node: node, port: port))
    return true
  }

  private static var markMask: UInt32 { 0x0f00 }

  /// The proxy behind a stack.
  func proxy(_ id: StackID) -> (node: Int, spec: ProxySpec)? {
    guard case .proxy(let node, let port) = id, nodes.indices.contains(node) else { return nil }
    return nodes[node].spec.proxies.first { $0.port == port }.map { (node, $0) }
  }

  /// What marks the packets of a proxy: its direction, and the identity that it speaks for.
  static func proxyMark(_ listener: ProxyListener, identity: UInt32 = 0) -> UInt32 {
    let magic = listener.isIngress ? MARK_MAGIC_PROXY_INGRESS : MARK_MAGIC_PROXY_EGRESS
    return magic.rawValue | (identity & 0xffff) << 16 | (identity >> 16) & 0xff
  }

  /// The packet of a proxy on its way out of the node's stack.
  func launchFromProxy(_ packet: Packet, _ id: StackID) -> (Flight, String)? {
    guard let (node, spec) = proxy(id), let ends = packet.socketPair,
      let frame = packet.frame(from: MACAddress(bits: 0), to: MACAddress(bits: 0))
    else { return nil }
    var buffer = SocketBuffer(frame: frame, ifindex: 0)
    buffer.mark = nodes[node].proxySockets[ends]?.mark ?? Self.proxyMark(spec.listener)
    return (
      Flight(buffer: buffer, node: node, place: .output, journey: journeys.count),
      stacks[id]?.name ?? spec.listener.name
    )
  }

  /// A connection that a proxy has just accepted.
  mutating func acceptProxied(_ pair: SocketPair, at id: StackID, probe: Int?) {
    guard let (node, spec) = proxy(id) else { return }
    nodes[node].proxySockets[pair] = ProxySocket(stack: id, mark: Self.proxyMark(spec.listener))
    nodes[node].proxied[pair] = ProxiedConnection(
      proxy: id, listener: spec.listener, pair: pair, probe: probe.map { origin(of: $0) })
  }

  /// The probe that a client works for, through however many proxies.
  func origin(of client: Int) -> Int {
    var client = client
    while let next = clients[client].upstream?.probe, next != client { client = next }
    return client
  }

  /// The endpoint whose policy a proxied conversation is about, and the identity of the other side: as the program
  /// found it that made the connection's conntrack entry, else as the node's ipcache knows its address.
  func parties(
    _ node: Int, _ listener: ProxyListener, _ pair: SocketPair
  ) -> (endpoint: ProxiedEndpoint, peer: UInt32)? {
    let own = listener.isIngress ? pair.local : pair.remote
    let other = listener.isIngress ? pair.remote : pair.local
    guard let endpoint = agents?.endpoint(at: own, node: nodes[node].spec.name) else { return nil }
    let maps = nodes[node].state.maps
    if listener.isIngress, let source = maps.ingressSource(of: pair) { return (endpoint, source) }
    let known = maps.ipcache[matching: IPCacheKey(other)]?.sec_identity
    return (endpoint, known ?? IDENTITY_WORLD.rawValue.magnitude)
  }

  /// Opens the connection behind a proxied one.
  ///
  /// On egress it keeps the pod's address and port, unless the destination is a pod of the same node.
  /// Source: Cilium `pkg/proxy/envoyproxy.go`, and Envoy's `cilium.bpf_metadata`.
  mutating func openUpstream(_ pair: SocketPair, on node: Int, pending: [UInt8]) {
    guard let proxied = nodes[node].proxied[pair], let parties = parties(node, proxied.listener, pair) else {
      return
    }
    let name = nodes[node].spec.name
    let isLocal = topology.pods.contains { $0.node == name && $0.addresses.contains(pair.local) }
    let identity = proxied.listener.isIngress ? parties.peer : parties.endpoint.identity
    var ends = SocketPair(
      local: pair.remote, localPort: pair.remotePort, remote: pair.local, remotePort: pair.localPort)
    if proxied.listener.isIngress || isLocal {
      guard let source = sourceAddress(of: .node(node), for: pair.local) else { return }
      ends.local = source
      ends.localPort = ephemeralPort()
    }
    let client = addUpstream(
      ends, proxied.proxy, downstream: pair, probe: proxied.probe, pending: pending,
      mark: Self.proxyMark(proxied.listener, identity: identity), traffic: .tcp, timeout: Self.connectTimeout)
    nodes[node].proxied[pair]?.upstream = client
    let sequence = draw()
    stacks[proxied.proxy]?.connections[ends] = Connection(
      state: .synSent, sending: sequence &+ 1, expecting: 0, client: client)
    let header = TCPHeader(
      sourcePort: ends.localPort, destinationPort: ends.remotePort, flags: .syn, sequence: sequence,
      options: TCPOptions([.maximumSegmentSize(1460)]))
    transmit(
      client, Packet(from: ends.local, to: ends.remote, .tcp(header, [])), retries: true, isFirst: true)
    noteProxied(client)
  }

  /// Envoy's `connect_timeout` in Cilium's clusters.
  private static var connectTimeout: Instant.Span { .seconds(2) }

  /// A client at a proxy.
  mutating func addUpstream(
    _ ends: SocketPair, _ proxy: StackID, downstream: SocketPair, probe: Int?, pending: [UInt8], mark: UInt32,
    traffic: ProbeRequest.Traffic, timeout: Instant.Span
  ) -> Int {
    let request = ProbeRequest(
      from: proxy, target: .address(ends.remote), port: ends.remotePort, traffic: traffic, timeout: timeout)
    var client = Client(request: request, deadline: clock + timeout)
    client.pair = ends
    client.upstream = UpstreamLink(
      downstream: downstream, proxy: proxy, probe: probe, pending: pending, since: clock.nanoseconds)
    clients.append(client)
    let number = clients.count - 1
    queue.schedule(.timer(client: number, generation: -1), at: client.deadline)
    if case .proxy(let node, _) = proxy {
      nodes[node].proxySockets[ends] = ProxySocket(stack: proxy, mark: mark)
    }
    return number
  }

  /// Tells the probe where its conversation goes on.
  mutating func noteProxied(_ client: Int) {
    guard let probe = clients[client].upstream?.probe, clients.indices.contains(probe),
      let journey = clients[client].result.firstJourney
    else { return }
    if case .resolving = clients[probe].phase { return }
    clients[probe].result.proxied.append(journey)
  }

  /// Records what a proxy decides, on the journey of the packet that made it decide.
  mutating func noteProxy(_ id: StackID, journey: Int, _ action: ProxyStep.Action) {
    guard let (node, spec) = proxy(id), journeys.indices.contains(journey) else { return }
    journeys[journey].passages.append(
      .proxy(
        ProxyStep(time: clock, node: nodes[node].spec.name, listener: spec.listener.name, action: action)))
  }

  /// A process of proxies has ended: its sockets are gone, and what was connected is told so.
  public mutating func stopProxies(_ node: Int, where matches: (ProxyListener) -> Bool) {
    let gone = nodes[node].proxied.filter { matches($0.value.listener) }
    for (pair, proxied) in gone.sorted(by: { $0.key.localPort < $1.key.localPort }) {
      if let upstream = proxied.upstream { finish(upstream, .reset) }
      closeProxied(pair, on: node)
    }
    let ports = Set(nodes[node].spec.proxies.filter { matches($0.listener) }.map(\.port))
    for (pair, socket) in nodes[node].proxySockets {
      if case .proxy(_, let port) = socket.stack, ports.contains(port) {
        nodes[node].proxySockets[pair] = nil
      }
    }
    for port in ports { stacks[.proxy(node: node, port: port)]?.connections = [:] }
    settle()
  }
}

extension SocketPair {
  var reversed: SocketPair {
    SocketPair(local: remote, localPort: remotePort, remote: local, remotePort: localPort)
  }
}

/// `TUPLE_F_IN`: a connection to an endpoint.
private let tupleIn: UInt8 = 1

extension NodeMaps {
  /// The sender's identity in the conntrack entry of a connection to an endpoint; nil where there is none.
  fileprivate func ingressSource(of pair: SocketPair) -> UInt32? {
    let entry: CTEntry?
    // The tuple of a connection stands as that of its answers: addresses crosswise, ports as they are.
    switch (pair.local, pair.remote) {
    case (.v4(let local), .v4(let remote)):
      entry =
        ct4TCP[
          CTTuple4(
            daddr: remote.bits.bigEndian, saddr: local.bits.bigEndian, dport: pair.localPort.bigEndian,
            sport: pair.remotePort.bigEndian, nexthdr: 6, flags: tupleIn)]
    case (.v6(let local), .v6(let remote)):
      entry =
        ct6TCP[
          CTTuple6(
            daddr: AddressWords(remote), saddr: AddressWords(local), dport: pair.localPort.bigEndian,
            sport: pair.remotePort.bigEndian, nexthdr: 6, flags: tupleIn)]
    default: entry = nil
    }
    return entry.flatMap { $0.src_sec_id == 0 ? nil : $0.src_sec_id }
  }
}
