public import ControlPlane
public import Wire

/// A port that one of a node's proxies listens on.
public struct ProxySpec: Sendable, Equatable {
  public var listener: ProxyListener
  public var port: UInt16
  /// Whether its process runs: Envoy's, or the agent's for DNS.
  public var isUp: Bool

  public init(_ listener: ProxyListener, port: UInt16, isUp: Bool) {
    self.listener = listener
    self.port = port
    self.isUp = isUp
  }
}

/// What a proxy knows of an endpoint of its node.
public struct ProxiedEndpoint: Sendable {
  public var id: UInt16
  public var identity: UInt32
  public var policy: ProxyPolicy

  public init(id: UInt16, identity: UInt32, policy: ProxyPolicy) {
    self.id = id
    self.identity = identity
    self.policy = policy
  }
}

/// The agents, as the proxies of their nodes know them.
public protocol NodeAgents: AnyObject {
  /// The endpoint of a node that has an address; nil when it is nobody's there.
  func endpoint(at address: IPAddress, node: String) -> ProxiedEndpoint?
  /// A name server has answered: what the agents write into their maps before the answer goes on.
  func learn(_ lesson: NameLesson) -> [NodeUpdate]
}

/// How the DNS proxies are set up.
public struct DNSProxySettings: Sendable, Equatable {
  /// Whether names that may not be asked for are answered "no such name" rather than "refused".
  public var deniesExistence: Bool
  /// Whether name servers in the cluster see the pod's own address.
  public var isTransparent: Bool

  public init(deniesExistence: Bool = false, isTransparent: Bool = true) {
    self.deniesExistence = deniesExistence
    self.isTransparent = isTransparent
  }
}

/// A socket of a proxy, by which packets find it.
struct ProxySocket: Equatable {
  var stack: StackID
  /// What its packets are marked with.
  var mark: UInt32
}

/// A connection that a proxy has accepted.
struct ProxiedConnection {
  var proxy: StackID
  var listener: ProxyListener
  /// As the proxy sees it: local is the address that the client meant.
  var pair: SocketPair
  /// The probe that it belongs to.
  var probe: Int?
  /// What has come and has not been dealt with.
  var received: [UInt8] = []
  /// The client at the proxy that goes on to the destination.
  var upstream: Int?
  /// Whether what comes is handed on unseen.
  var isOpaque = false
}

/// What a client at a proxy works for.
struct UpstreamLink: Equatable {
  /// The connection, or the query's socket, that it answers to.
  var downstream: SocketPair
  var proxy: StackID
  var probe: Int?
  /// What it sends as soon as it is connected.
  var pending: [UInt8]
  var since: UInt64
}
