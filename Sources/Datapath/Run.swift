internal import MapABI
internal import Wire

/// One run of a program, with everything that the run reads and changes except the maps themselves.
///
/// The stages are extensions of it, one file each; the maps are passed along as `state`. `R` says how much is
/// kept. Nothing is allocated on the way but what ends up in the result.
///
/// Many methods are `mutating` though they change nothing: a run that is merely borrowed is copied into the callee's
/// frame, which costs more than most of them do.
struct Run<R: Recording>: ~Copyable {
  var packet: PacketBuffer
  private let configuration: UnsafeMutablePointer<DatapathConfig>
  /// The version of Cilium whose behaviour is followed.
  let profile: DatapathProfile
  /// Which of Cilium's objects the running code belongs to.
  var object: SourceObject

  // The metadata of the packet (`struct __sk_buff`).
  let ifindex: UInt32
  let ingressIfindex: UInt32
  /// The ethertype as the kernel understood it on reception; programs that rewrite headers do not change it.
  let etherType: UInt16
  var mark: UInt32
  var tcIndex: UInt16
  var cb: ControlBlock
  var tunnelKey: TunnelKey?
  var packetType: PacketType

  /// Where a redirect goes; counts only when the run ends with one.
  var redirection: Redirect?
  /// More detail for a drop event (`ext_err`); every tail call starts with none.
  var extError: Int8 = 0
  var environment: Environment
  var pending: PendingChanges
  var steps: [Step] = []
  var events: [Event] = []
  /// Set when the run came to something that the model does not have.
  var unmodelled: String?

  init(
    _ packet: PacketBuffer, _ buffer: borrowing SocketBuffer, profile: DatapathProfile, object: SourceObject,
    environment: Environment, _ memory: RunMemory
  ) {
    self.packet = packet
    self.profile = profile
    configuration = memory.config
    self.object = object
    ifindex = buffer.ifindex
    ingressIfindex = buffer.ingressIfindex
    etherType = Self.receivedEtherType(packet)
    mark = buffer.mark
    tcIndex = buffer.tcIndex
    cb = buffer.cb
    tunnelKey = buffer.tunnelKey
    packetType = buffer.packetType
    self.environment = environment
    pending = PendingChanges(memory.changes)
    if R.isFull {
      steps.reserveCapacity(24)
      events.reserveCapacity(3)
    }
  }

  /// The program's own configuration; the endpoint-policy stage has another than the hook that called it.
  var config: DatapathConfig {
    @inline(__always) get { configuration.pointee }
    @inline(__always) nonmutating set { configuration.pointee = newValue }
  }

  /// `eth_type_trans`: 802.3 frames have a length where others have the ethertype.
  private static func receivedEtherType(_ packet: PacketBuffer) -> UInt16 {
    guard let type = packet.load(12, as: UInt16.self).map(UInt16.init(bigEndian:)) else { return 0 }
    if type >= 0x0600 { return type }
    return packet.load(14, as: UInt16.self) == 0xffff ? 0x0001 : 0x0004
  }

  /// Records a step; the value is not even made when only the verdict is wanted.
  @inline(__always)
  mutating func note(_ step: @autoclosure () -> Step) {
    if R.isFull { steps.append(step()) }
  }

  /// Ends the run without an answer.
  mutating func stopUnmodelled(_ what: String) -> Drop {
    unmodelled = what
    return Drop(.invalid)
  }

  /// The clock of conntrack and affinity: seconds, or 256 jiffies (`bpf_mono_now`).
  @inline(__always)
  var now: UInt32 {
    if config.enable_jiffies != 0 {
      let tick = 1_000_000_000 / UInt64(max(config.kernel_hz, 1))
      return UInt32(truncatingIfNeeded: (environment.ktime / max(tick, 1)) >> 8)
    }
    return UInt32(truncatingIfNeeded: environment.ktime / 1_000_000_000)
  }

  /// A number of seconds on that clock (`bpf_sec_to_mono`).
  @inline(__always)
  func clock(_ seconds: UInt32) -> UInt32 {
    config.enable_jiffies != 0 ? (seconds &* config.kernel_hz) >> 8 : seconds
  }

  var isDualStack: Bool { config.enable_ipv4 != 0 && config.enable_ipv6 != 0 }

  /// Offset of the network header. Only a native device can be without an Ethernet header.
  @inline(__always)
  var l3: Int { object == .host ? Int(config.eth_header_length) : 14 }

  /// The program's own identity in events about a packet of this family (`SECLABEL_IPV4`).
  @inline(__always)
  func ownIdentity<F: IPFamily>(_: F.Type) -> UInt32 {
    object == .overlay ? worldIdentity(F.self) : config.security_label
  }

  /// The identity of the world; two of them in dual stack.
  @inline(__always)
  func worldIdentity<F: IPFamily>(_: F.Type) -> UInt32 {
    if !isDualStack { return Identity.world }
    return F.isIPv6 ? Identity.worldIPv6 : Identity.worldIPv4
  }

  /// `revalidate_data`: whether the family's header lies in the packet.
  @inline(__always)
  func requireHeader<F: IPFamily>(_: F.Type) throws(Drop) {
    guard packet.count >= l3 + F.headerLength else { throw Drop(.invalid) }
  }

  @inline(__always)
  func source<F: IPFamily>(_: F.Type) throws(Drop) -> F.Address {
    try packet.require(l3 + F.sourceOffset, as: F.Address.self)
  }

  @inline(__always)
  func destination<F: IPFamily>(_: F.Type) throws(Drop) -> F.Address {
    try packet.require(l3 + F.destinationOffset, as: F.Address.self)
  }

  /// Where the transport header is. (Not `F.transport` at the place of use: that would not be inlined.)
  @inline(__always)
  func transport<F: IPFamily>(_: F.Type) throws(Drop) -> Transport {
    if F.isIPv6 { return try IPv6.transport(packet, l3: l3) }
    return try IPv4.transport(packet, l3: l3)
  }

  /// `bpf_clear_meta`
  mutating func clearControlBlock() { cb = ControlBlock() }

  mutating func takeControlBlock(_ slot: Int) -> UInt32 {
    defer { cb[slot] = 0 }
    return cb[slot]
  }

  /// `bpf_redirect` and its kin.
  mutating func redirect(_ ifindex: UInt32, _ mode: Redirect.Mode) -> Outcome {
    redirection = Redirect(ifindex: ifindex, mode: mode)
    return .redirect
  }
}

/// What a run needs besides itself. It is lent: a run is handed from stage to stage, and so is to be small.
struct RunMemory {
  fileprivate let config: UnsafeMutablePointer<DatapathConfig>
  fileprivate let changes: UnsafeMutableBufferPointer<MapChange>

  /// How many changes have their place on the stack: allocations above 1 KiB would come from the heap.
  private static let changeCount = 1000 / MemoryLayout<MapChange>.stride

  /// Lends memory on the stack for the time of `body`.
  @inline(__always)
  static func with<Result>(_ config: DatapathConfig, _ body: (RunMemory) -> Result) -> Result {
    withUnsafeTemporaryAllocation(of: DatapathConfig.self, capacity: 1) { configs in
      configs.initialize(repeating: config)
      return withUnsafeTemporaryAllocation(of: MapChange.self, capacity: changeCount) { changes in
        guard let config = configs.baseAddress else { preconditionFailure("an allocation has an address") }
        return body(RunMemory(config: config, changes: changes))
      }
    }
  }
}

/// Cilium's object that holds the running code (`__id_for_file`).
enum SourceObject: UInt8 {
  case host = 1
  case lxc = 2
  case overlay = 3
  case xdp = 4
  case sock = 5
}

/// Slots of the control block. One slot serves purposes that do not overlap in time.
enum ControlSlot {
  static let sourceLabel = 0
  static let proxyMagic = 0
  static let verdict = 0
  static let deliveryFlags = 1
  static let clusterIDEgress = 1
  static let addressIdentity = 1
  static let clusterIDIngress = 2
  static let natFlags = 2
  static let fromHost = 3
  static let conntrackState = 4
  static let fromTunnel = 4
}

/// How much of the packet a trace may show, and why the packet goes on (`struct trace_ctx`).
struct TraceContext {
  var reason: TraceReason
  var monitor: UInt32
}

/// `enum trace_reason`
enum TraceReason: UInt8 {
  case policy = 0
  case established = 1
  case reply = 2
  case related = 3
  case unknown = 5
}
