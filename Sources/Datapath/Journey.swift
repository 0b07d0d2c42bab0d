public import Wire

/// What happened to one packet, from the stack that sent it to its end.
///
/// What the packet gave rise to on its way (a reply that a program made) is a journey of its own that names this
/// one as its parent: together they are a tree.
public struct Journey: Sendable {
  public var id: Int
  /// What the packet is, in words: `TCP SYN 10.244.2.7:41212 → 10.244.1.9:80`.
  public var summary: String
  public var passages: [Passage]
  public var disposition: Disposition
  /// The journey that this one branched off from.
  public var parent: Int?

  public init(
    id: Int, summary: String, passages: [Passage] = [], disposition: Disposition = .inFlight,
    parent: Int? = nil
  ) {
    self.id = id
    self.summary = summary
    self.passages = passages
    self.disposition = disposition
    self.parent = parent
  }

  /// The hops, in order.
  public var hops: [Hop] {
    passages.compactMap { if case .hook(let hop) = $0 { hop } else { nil } }
  }
}

/// One leg of a journey.
public enum Passage: Sendable {
  case hook(Hop)
  /// Done by the kernel between hooks: simulated, and not compared.
  case kernel(StackStep)
  /// Decided by a proxy of the node: simulated, and not compared.
  case proxy(ProxyStep)
}

/// What a proxy makes of a packet that has come to one of its sockets.
public struct ProxyStep: Sendable {
  public var time: Instant
  public var node: String
  /// `cilium-http-ingress`, `cilium-dns-egress` …
  public var listener: String
  public var action: Action

  public init(time: Instant, node: String, listener: String, action: Action) {
    self.time = time
    self.node = node
    self.listener = listener
    self.action = action
  }

  public enum Action: Sendable, Equatable {
    /// A request, query or connection may go on, by the rule named.
    case allowed(what: String, rule: String)
    /// Answered by the proxy itself.
    case answered(status: Int, why: String)
    /// The DNS proxy answers that it will not ask.
    case refused(what: String)
    /// The connection is closed.
    case closed(why: String)
    /// The agent learns what a name stands for.
    case learnt(name: String, addresses: String)
  }
}

/// What the kernel, or the wire, does between hooks.
public struct StackStep: Sendable {
  public var time: Instant
  public var node: String
  /// The device that it concerns, or empty.
  public var device: String
  public var action: Action
  /// The frame after the action.
  public var frame: [UInt8]

  public init(time: Instant, node: String, device: String, action: Action, frame: [UInt8]) {
    self.time = time
    self.node = node
    self.device = device
    self.action = action
    self.frame = frame
  }

  public enum Action: Sendable, Equatable {
    /// A pod, the node itself or an outside host sent it.
    case sent(by: String)
    /// The tunnel device wrote the outer headers.
    case encapsulated(vni: UInt32, from: IPAddress, to: IPAddress)
    /// The tunnel device took the outer headers off.
    case decapsulated(vni: UInt32)
    /// From one node's device to another's.
    case wire(to: String)
    /// The routing table chose the device.
    case routed(to: String)
    /// Netfilter replaced the source by the node's address, or took that back.
    case masqueraded(IPAddress)
    case unmasqueraded(IPAddress)
    /// A pod's, the node's or an outside host's stack took it.
    case delivered(to: String)
    case lost(Loss)
  }

  /// Why the kernel or the wire let a packet go.
  public enum Loss: String, Sendable {
    case linkDown = "link down"
    case lossyLink = "lost on the link"
    case filteredOnLink = "filtered on the link"
    case tooBig = "larger than the MTU"
    case noRoute = "no route"
    case noNeighbour = "nobody has that address"
    case ttlExpired = "TTL expired"
    case notForThisHost = "not for this host"
    case nodeDown = "node down"
    case malformed = "malformed"
    case noProxy = "no proxy listens"
  }
}

/// How a packet's journey ended.
public enum Disposition: Sendable, Equatable {
  case inFlight
  /// Delivered to a pod, a node or an outside host.
  case delivered(to: String)
  /// Dropped by a program.
  case dropped(DropPlace)
  /// A program answered it, or consumed it.
  case answered
  /// Lost outside the programs.
  case lost(StackStep.Loss)
}

/// Where and why a program dropped a packet.
public struct DropPlace: Sendable, Equatable {
  public var reason: UInt8
  public var node: String
  public var device: String
  public var hook: String
  public var stage: String
  /// `egress` of the sender or `ingress` of the receiver, as metrics count it.
  public var direction: String

  public init(reason: UInt8, node: String, device: String, hook: String, stage: String, direction: String) {
    self.reason = reason
    self.node = node
    self.device = device
    self.hook = hook
    self.stage = stage
    self.direction = direction
  }
}
