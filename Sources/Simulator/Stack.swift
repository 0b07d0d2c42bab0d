import Datapath
public import Wire

/// Whose stack it is.
public enum StackID: Hashable, Sendable {
  case pod(Int)
  case node(Int)
  case external(Int)
  /// A proxy of a node, by the port that it listens on.
  case proxy(node: Int, port: UInt16)
}

/// The sockets of a pod, a node or an outside host.
struct Stack {
  var id: StackID
  /// `namespace/pod`, `node/NAME` or `external/NAME`.
  var name: String
  var addresses: [IPAddress]
  var listeners: [Listener]
  var connections: [SocketPair: Connection] = [:]
  /// The next IPv4 identification.
  var identification: UInt16
  /// Whether it is a proxy's, which takes connections to whatever address and port they were meant for.
  var isProxy = false

  func listener(_ port: UInt16, _ protocol: IPProtocol) -> Listener? {
    if isProxy { return Listener(port: port, protocol: `protocol`, service: .proxied) }
    return listeners.first { $0.port == port && $0.protocol == `protocol` }
  }
}

extension IPAddress {
  var isLinkLocal: Bool {
    switch self {
    case .v4(let address): address.bits >> 16 == 0xa9fe
    case .v6(let address): address.isLinkLocal
    }
  }
}

/// The two ends of a connection, seen from one of them.
struct SocketPair: Hashable {
  var local: IPAddress
  var localPort: UInt16
  var remote: IPAddress
  var remotePort: UInt16
}

/// One end of a TCP connection. Loss is repaired by the probe's timer alone: a simulated network loses packets
/// because somebody wants to see what then happens.
struct Connection {
  enum State: Equatable { case synSent, synReceived, established, closing, closed }

  var state: State
  /// The next sequence number to send, and the next one expected.
  var sending: UInt32
  var expecting: UInt32
  /// The client that the connection belongs to; nil at a server.
  var client: Int?
  /// What a server answers.
  var service: Listener.Service = .plain
}

/// A name's addresses, as the cluster's DNS and the world's know them.
public struct NameTable: Sendable {
  /// Lower-case absolute names without the final dot.
  public var records: [String: [IPAddress]]
  /// Seconds.
  public var ttl: UInt32

  public init(records: [String: [IPAddress]] = [:], ttl: UInt32 = 30) {
    self.records = records
    self.ttl = ttl
  }
}
