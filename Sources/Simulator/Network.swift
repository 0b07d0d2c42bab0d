import ControlPlane
public import Datapath
public import MapABI
public import Wire

/// The simulated world: nodes with their devices and programs, pods, outside hosts, and the packets between them.
///
/// One virtual clock and one queue of events; every choice comes from the seed. Each run of a hook is shown to
/// the observer before its changes are carried out.
public struct Network<Observer: HopObserver & ~Copyable>: ~Copyable {
  public internal(set) var clock = Instant.start
  public internal(set) var observer: Observer
  /// Every packet's journey, in order of sending.
  public internal(set) var journeys: [Journey] = []
  public var names = NameTable()
  /// Faults of the links between nodes.
  public var faults: [LinkFault] = []
  /// What a hook met that the model does not model; such a packet goes no further.
  public internal(set) var unmodelled: [String] = []

  /// What the proxies of the nodes ask and tell.
  public var agents: (any NodeAgents)?
  public var dnsProxy = DNSProxySettings()

  var topology: Topology
  var nodes: [NodeRuntime]
  var stacks: [StackID: Stack] = [:]
  var queue = EventQueue<NetworkEvent>()
  var clients: [Client] = []
  let model: Model
  var random: Environment
  /// What sockets draw: apart, so that a program at the cgroup does not shift the packets' draws.
  var sockets: Environment

  /// - Parameter profile: the version of Cilium that the nodes run.
  public init(
    _ topology: Topology, seed: UInt64, profile: DatapathProfile = .current, observer: consuming Observer
  ) {
    model = Model(profile)
    self.topology = topology
    self.observer = observer
    nodes = topology.nodes.map(NodeRuntime.init)
    random = Environment(ktime: 0, random: seed)
    sockets = Environment(ktime: 0, random: ~seed)
    rebuildStacks()
  }

  /// What the maps of a node hold now.
  public func withState<Result>(ofNode index: Int, _ body: (borrowing NodeState) -> Result) -> Result {
    body(nodes[index].state)
  }

  public func nodeIndex(named name: String) -> Int? { topology.nodes.firstIndex { $0.name == name } }
  public func podIndex(named name: String) -> Int? { topology.pods.firstIndex { $0.name == name } }
  public func externalIndex(named name: String) -> Int? { topology.externals.firstIndex { $0.name == name } }
  public func addresses(of stack: StackID) -> [IPAddress] { stacks[stack]?.addresses ?? [] }

  /// Pods, devices and addresses change; nodes stay in their order, new ones come behind.
  ///
  /// What changes in a node's maps is given apart, by ``update(node:attachments:endpointConfigs:changes:)``.
  public mutating func replaceTopology(_ topology: Topology) {
    for (index, spec) in topology.nodes.enumerated() {
      if index < nodes.count { nodes[index].spec = spec } else { nodes.append(NodeRuntime(spec)) }
    }
    let old = stacks
    let before = self.topology
    self.topology = topology
    rebuildStacks()
    // Pods that are still there keep their connections, though their place in the list may have changed.
    for (index, pod) in topology.pods.enumerated() {
      guard let was = before.pods.firstIndex(where: { $0.name == pod.name && $0.mac == pod.mac }) else {
        continue
      }
      stacks[.pod(index)]?.connections = old[.pod(was)]?.connections ?? [:]
    }
    for (id, stack) in old {
      if case .proxy = id { stacks[id]?.connections = stack.connections }
    }
  }

  /// What there is now.
  public var currentTopology: Topology { topology }

  /// The agent of a node writes to its maps, and replaces its programs where they are given.
  public mutating func update(
    node index: Int, attachments: [Attachment]?, endpointConfigs: [DatapathConfig]?, changes: [MapChange]
  ) {
    nodes[index].state.reconfigure(
      attachments: attachments, endpointConfigs: endpointConfigs, changes: changes)
    if attachments != nil { nodes[index].indexAttachments() }
  }

  public mutating func setNode(_ index: Int, up: Bool) { nodes[index].isUp = up }

  /// Puts a frame on a node's device as if it had just been received there, and lets it run its course.
  ///
  /// - Returns: the number of its journey.
  public mutating func inject(_ frame: [UInt8], node: Int, ifindex: UInt32) -> Int {
    let number = journeys.count
    let summary = Packet(frame: frame)?.summary ?? "\(frame.count) octets"
    journeys.append(Journey(id: number, summary: summary))
    let flight = Flight(
      buffer: SocketBuffer(frame: frame, ifindex: ifindex, ingressIfindex: ifindex), node: node,
      place: .ingress(ifindex), journey: number)
    note(flight, .sent(by: "inject"))
    schedule(flight, after: Latency.socket)
    settle()
    endConversation()
    return number
  }

  /// Lets virtual time pass; whatever is due happens.
  public mutating func advance(by span: Instant.Span) {
    let end = clock + span
    while let next = queue.nextTime, next <= end { handleNext() }
    clock = max(clock, end)
    endConversation()
  }

  /// Handles events until nothing is left that moves.
  public mutating func settle() {
    while !queue.isEmpty { handleNext() }
  }

  /// Shows the observer what the nodes' maps have come to.
  mutating func endConversation() {
    for node in nodes { observer.conversationEnded(on: node.state) }
    observer.conversationEnded()
  }

  mutating func handleNext() {
    guard let (time, event) = queue.next() else { return }
    // What a probe that is over still had to wait for does not hold time up.
    if case .timer(let client, let generation) = event, isVoid(client, generation) { return }
    clock = max(clock, time)
    switch event {
    case .flight(let flight): advance(flight)
    case .timer(let client, let generation): timerFired(client, generation)
    }
  }

  /// A number drawn from the seed.
  mutating func draw() -> UInt32 { random.draw() }

  private mutating func rebuildStacks() {
    stacks = [:]
    for (index, pod) in topology.pods.enumerated() {
      stacks[.pod(index)] = Stack(
        id: .pod(index), name: pod.name, addresses: pod.addresses, listeners: pod.listeners,
        identification: Self.identification(pod.name))
    }
    for (index, node) in topology.nodes.enumerated() {
      stacks[.node(index)] = Stack(
        id: .node(index), name: "node/" + node.name, addresses: node.addresses + node.routerAddresses,
        listeners: node.listeners, identification: Self.identification(node.name))
      for proxy in node.proxies {
        let name = "\(node.name)/\(proxy.listener.name)"
        stacks[.proxy(node: index, port: proxy.port)] = Stack(
          id: .proxy(node: index, port: proxy.port), name: name, addresses: [], listeners: [],
          identification: Self.identification(name), isProxy: true)
      }
    }
    for (index, host) in topology.externals.enumerated() {
      stacks[.external(index)] = Stack(
        id: .external(index), name: "external/" + host.name, addresses: host.addresses,
        listeners: host.listeners, identification: Self.identification(host.name))
    }
  }

  /// Where a host's IPv4 identifications begin: a number from its name.
  private static func identification(_ name: String) -> UInt16 {
    UInt16(
      truncatingIfNeeded: name.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 } >> 8)
  }
}

enum NetworkEvent {
  case flight(Flight)
  case timer(client: Int, generation: Int)
}

/// A node as it runs.
final class NodeRuntime {
  var spec: NodeSpec
  var state: NodeState
  var isUp = true
  var masquerades: [SocketPair: IPAddress] = [:]
  /// Connections whose first packet netfilter has seen, by that packet's ends: it translates no reply of theirs.
  var tracked: Set<SocketPair> = []
  /// The sockets of its proxies by their own ends.
  var proxySockets: [SocketPair: ProxySocket] = [:]
  /// The connections that its proxies have accepted.
  var proxied: [SocketPair: ProxiedConnection] = [:]
  /// Positions in `state.image.attachments`, by hook and device.
  private var attachments: [AttachmentKey: Int] = [:]

  private struct AttachmentKey: Hashable {
    var hook: Hook
    var ifindex: UInt32
  }

  init(_ spec: NodeSpec) {
    self.spec = spec
    state = NodeState(spec.image)
    indexAttachments()
  }

  func indexAttachments() {
    attachments = [:]
    for (position, attachment) in state.image.attachments.enumerated() {
      attachments[AttachmentKey(hook: attachment.hook, ifindex: attachment.ifindex)] = position
    }
  }

  func attachment(_ hook: Hook, _ ifindex: UInt32) -> Attachment? {
    attachments[AttachmentKey(hook: hook, ifindex: ifindex)].map { state.image.attachments[$0] }
  }

  func device(_ ifindex: UInt32) -> NodeDevice? { spec.devices.first { $0.ifindex == ifindex } }
  func device(_ kind: NodeDevice.Kind) -> NodeDevice? { spec.devices.first { $0.kind == kind } }
}

/// What ails the link between two nodes, in both directions.
public struct LinkFault: Sendable, Equatable {
  public var between: [String]
  public var isDown: Bool
  /// Drops packets of these protocols and destination ports on the underlay.
  public var filters: [Filter]
  public var mtu: Int?
  /// Lost packets in a million.
  public var lossPerMillion: UInt32
  public var delay: Instant.Span

  public struct Filter: Sendable, Equatable {
    public var `protocol`: IPProtocol
    /// Nil for every port.
    public var port: UInt16?
    public init(protocol: IPProtocol, port: UInt16?) {
      self.protocol = `protocol`
      self.port = port
    }
  }

  public init(
    between: [String], isDown: Bool = false, filters: [Filter] = [], mtu: Int? = nil,
    lossPerMillion: UInt32 = 0,
    delay: Instant.Span = Instant.Span(nanoseconds: 0)
  ) {
    self.between = between
    self.isDown = isDown
    self.filters = filters
    self.mtu = mtu
    self.lossPerMillion = lossPerMillion
    self.delay = delay
  }

  func concerns(_ a: String, _ b: String) -> Bool { between.contains(a) && between.contains(b) }
}
