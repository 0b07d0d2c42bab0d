public import Wire

/// What a program is run on: a value that every interpreter understands.
public struct HookInput: Sendable, Equatable {
  public var subject: Subject
  public var environment: Environment

  public init(_ subject: Subject, environment: Environment) {
    self.subject = subject
    self.environment = environment
  }
}

/// What a hook gets and gives back: a packet at tc, a packet at XDP, or a socket's address.
public enum Subject: Sendable, Equatable {
  case skb(SocketBuffer)
  case xdp(XDPBuffer)
  case socket(SocketAddress)

  /// The frame's octets, if it is a packet.
  public var frame: [UInt8]? {
    switch self {
    case .skb(let buffer): buffer.frame
    case .xdp(let buffer): buffer.frame
    case .socket: nil
    }
  }
}

/// A packet at a tc hook: its octets from the Ethernet header on, and the metadata of `struct __sk_buff` that
/// programs read or write.
public struct SocketBuffer: Sendable, Equatable {
  public var frame: [UInt8]
  /// The device that the program runs on.
  public var ifindex: UInt32
  /// The device that the packet came in by; 0 when it was made here.
  public var ingressIfindex: UInt32
  public var mark: UInt32
  public var tcIndex: UInt16
  public var cb: ControlBlock
  public var tunnelKey: TunnelKey?
  public var packetType: PacketType

  public init(
    frame: [UInt8], ifindex: UInt32, ingressIfindex: UInt32 = 0, mark: UInt32 = 0, tcIndex: UInt16 = 0,
    cb: ControlBlock = ControlBlock(), tunnelKey: TunnelKey? = nil, packetType: PacketType = .host
  ) {
    self.frame = frame
    self.ifindex = ifindex
    self.ingressIfindex = ingressIfindex
    self.mark = mark
    self.tcIndex = tcIndex
    self.cb = cb
    self.tunnelKey = tunnelKey
    self.packetType = packetType
  }
}

/// The five words of `skb->cb` that programs see.
public struct ControlBlock: Sendable, Equatable {
  public var words: (UInt32, UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0, 0)

  public init() {}

  /// The word in slot 0…4.
  public subscript(slot: Int) -> UInt32 {
    get {
      switch slot {
      case 0: words.0
      case 1: words.1
      case 2: words.2
      case 3: words.3
      default: words.4
      }
    }
    set {
      switch slot {
      case 0: words.0 = newValue
      case 1: words.1 = newValue
      case 2: words.2 = newValue
      case 3: words.3 = newValue
      default: words.4 = newValue
      }
    }
  }

  public static func == (a: Self, b: Self) -> Bool { a.words == b.words }
}

/// Who a received frame is for, as the driver saw it (`skb->pkt_type`).
public enum PacketType: UInt32, Sendable {
  case host = 0
  case broadcast = 1
  case multicast = 2
  case otherHost = 3
  case outgoing = 4
}

/// What a tunnel device is to write into the outer header, or what it read there (`struct bpf_tunnel_key`).
public struct TunnelKey: Sendable, Equatable {
  /// The VNI: the sender's identity.
  public var id: UInt32
  /// The other node.
  public var remote: IPAddress
  public var tos: UInt8
  public var ttl: UInt8
  /// Geneve options, as they stand on the wire.
  public var options: [UInt8]

  public init(id: UInt32, remote: IPAddress, tos: UInt8 = 0, ttl: UInt8 = 64, options: [UInt8] = []) {
    self.id = id
    self.remote = remote
    self.tos = tos
    self.ttl = ttl
    self.options = options
  }
}

/// A packet at an XDP hook.
public struct XDPBuffer: Sendable, Equatable {
  public var frame: [UInt8]
  public var ingressIfindex: UInt32

  public init(frame: [UInt8], ingressIfindex: UInt32) {
    self.frame = frame
    self.ingressIfindex = ingressIfindex
  }
}

/// A socket that connects or sends, at a cgroup hook.
public struct SocketAddress: Sendable, Equatable {
  public var destination: IPAddress
  public var port: UInt16
  /// IPPROTO_TCP or IPPROTO_UDP.
  public var `protocol`: UInt8
  public var cookie: UInt64
  public var netnsCookie: UInt64

  public init(destination: IPAddress, port: UInt16, protocol: UInt8, cookie: UInt64, netnsCookie: UInt64) {
    self.destination = destination
    self.port = port
    self.protocol = `protocol`
    self.cookie = cookie
    self.netnsCookie = netnsCookie
  }
}

/// What a program asks its surroundings for.
public struct Environment: Sendable, Equatable {
  /// The monotonic clock, in nanoseconds.
  public var ktime: UInt64
  /// State of the generator behind `bpf_get_prandom_u32` (see ``Environment/draw()``).
  public var random: UInt64
  /// The flow hash that the kernel has computed for the packet.
  public var flowHash: UInt32
  /// A choice that another interpreter made and that is to be made here too: the backend's id.
  public var chosenBackend: UInt32?
  /// The same for source NAT: the port that the connection was given. Taken if it is in range and free.
  public var chosenPort: UInt16?

  public init(
    ktime: UInt64, random: UInt64, flowHash: UInt32 = 0, chosenBackend: UInt32? = nil,
    chosenPort: UInt16? = nil
  ) {
    self.ktime = ktime
    self.random = random
    self.flowHash = flowHash
    self.chosenBackend = chosenBackend
    self.chosenPort = chosenPort
  }

  /// The next random number: the upper half of a splitmix64 draw, as `bpf/lib/env.h` makes it.
  public mutating func draw() -> UInt32 {
    random &+= 0x9e37_79b9_7f4a_7c15
    var z = random
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return UInt32(truncatingIfNeeded: (z ^ (z >> 31)) >> 32)
  }
}
