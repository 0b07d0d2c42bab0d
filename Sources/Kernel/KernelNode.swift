public import Datapath
import MapABI

/// One node's datapath in this kernel: its maps, its programs, its devices in a private network namespace.
///
/// `run` hands a packet to a real eBPF program with BPF_PROG_TEST_RUN and reads back what it did. Nothing is pinned,
/// attached or named: everything vanishes with the value. The calling thread stays in the private namespace between
/// runs, and comes back when the value is destroyed on it or when `leave` is called.
public struct KernelNode: ~Copyable {
  /// When the maps' contents are compared with the state.
  public enum MapReading: Sendable {
    /// After every run: `HookResult.changes` says what the program did.
    case everyHop
    /// Only when the caller asks with `compareMaps`; `HookResult.changes` stays empty.
    case conversation
  }

  public let objects: DatapathObjects
  public let reading: MapReading
  /// What the last run was given by the kernel, and could not be told.
  public internal(set) var given = GivenValues()

  let namespace: NetworkNamespace
  let maps: NodeMapSet
  var programs: ProgramTable
  var test: TestRun
  let driver: Driver
  var environment: MappedArray?
  var events: EventRings?
  var signals: EventRings?
  var sync: LogSync
  var sockets: SocketRunner?
  /// The endpoints' configurations as they were at the last run: the same array while nothing has changed.
  var endpoints: [DatapathConfig]
  /// Devices that the namespace has, by index; without its loopback.
  private(set) var devices: [UInt32: KernelDevice] = [:]
  /// Whether the namespace has been given addresses and routes.
  var isRouted = false

  /// Makes a node. Its devices, maps and programs come into being when they are first needed, the maps filled from
  /// the state that `run` is given then.
  public static func make(
    _ state: borrowing NodeState, objects: DatapathObjects, reading: MapReading = .everyHop
  ) throws(KernelError) -> KernelNode {
    var node = try make(state, objects, reading, MapRoom())
    if state.image.endpointConfigs.contains(where: { $0.drop_notify == 0 }) { try node.preload(state) }
    return node
  }

  /// The same, with maps of the sizes that are forecast.
  static func make(
    _ state: borrowing NodeState, _ objects: DatapathObjects, _ reading: MapReading, _ room: MapRoom
  ) throws(KernelError) -> KernelNode {
    let namespace = try NetworkNamespace.create()
    let driver = try Driver.load(objects.driver)
    return KernelNode(
      namespace: namespace, driver: driver, objects: objects, reading: reading, room: room, state)
  }

  private init(
    namespace: consuming NetworkNamespace, driver: consuming Driver, objects: DatapathObjects,
    reading: MapReading, room: MapRoom, _ state: borrowing NodeState
  ) {
    self.namespace = namespace
    self.driver = driver
    self.objects = objects
    self.reading = reading
    maps = NodeMapSet(layouts: objects.layouts, room: room)
    programs = ProgramTable(objects)
    test = TestRun()
    sync = LogSync(position: state.position)
    endpoints = state.image.endpointConfigs
    environment = nil
    events = nil
    signals = nil
    sockets = nil
  }

  /// Moves the calling thread back to where the process lives.
  public func leave() throws(KernelError) { try NetworkNamespace.leave() }

  /// Loads every program that the image names, on several threads. Without it a program is loaded when a packet
  /// first reaches it.
  public mutating func preload(_ state: borrowing NodeState) throws(KernelError) {
    try preload(state, state.image.attachments, state.image.endpointConfigs)
  }

  /// Loads these programs and policy stages, on several threads.
  mutating func preload(
    _ state: borrowing NodeState, _ attachments: [Attachment], _ endpoints: [DatapathConfig]
  ) throws(KernelError) {
    let crew = Crew()
    let pending = Result { () throws(KernelError) in
      try programs.pendingLoads(attachments, endpoints, state, maps, crew)
    }
    crew.finish()
    try finish(pending.get(), attachments, state)
  }

  /// Takes over what has been loaded, and makes the devices that packets will come by.
  mutating func finish(
    _ pending: [ProgramTable.PendingLoad], _ attachments: [Attachment], _ state: borrowing NodeState
  ) throws(KernelError) {
    for attachment in attachments { try addDevice(of: attachment) }
    for load in pending { try programs.finish(load, maps) }
    try programs.installPolicies(state, maps)
    try openRings()
  }

  /// The program behind an attachment; loaded when it is new.
  mutating func program(_ attachment: Attachment, _ state: borrowing NodeState) throws(KernelError) -> Int {
    if let index = programs.known(attachment) { return index }
    try addDevice(of: attachment)
    let index = try programs.index(of: attachment, state, maps, driver.hooks)
    try openRings()
    return index
  }

  private mutating func openRings() throws(KernelError) {
    if events == nil, let map = maps["cilium_events"] { events = try EventRings(map) }
    if signals == nil, let map = maps["cilium_signals"] { signals = try EventRings(map, pages: 1) }
    if environment == nil, let map = maps["ciliate_env"] {
      environment = try MappedArray(map, size: MemoryLayout<PinnedEnvironment>.size)
    }
  }

  mutating func addDevice(of attachment: Attachment) throws(KernelError) {
    if devices[attachment.ifindex] == nil { try addDevice(KernelDevice(of: attachment)) }
  }

  /// Adds a device that is not there yet.
  mutating func addDevice(_ device: KernelDevice) throws(KernelError) {
    guard device.ifindex > 1, devices[device.ifindex] == nil else { return }
    devices[device.ifindex] = device
    try namespace.add(device)
  }
}

/// What a run took from the kernel instead of from its input.
public struct GivenValues: Sendable, Equatable {
  /// The flow hash that the kernel computed; nil when the run did not show it.
  public var flowHash: UInt32?
  /// Seconds between the image's clock and the kernel's, for programs that read the latter.
  public var clockShift: Int64 = 0
  /// What the program signalled to the agent (`cilium_signals`): records as they came.
  public var signals: [[UInt8]] = []
  /// Event records that did not fit into the ring.
  public var lostEvents: UInt64 = 0
}
