import CLibbpf
public import Datapath
public import MapABI

extension KernelNode: HookInterpreter {
  /// Runs the attached program on `input`, in maps that stand as `state` says.
  ///
  /// Throws `notRun` for input that the kernel refuses (frames too short or too long), and other kinds when the
  /// program cannot be loaded or run.
  public mutating func run(
    _ attachment: Attachment, on input: HookInput, state: borrowing NodeState
  ) throws(KernelError) -> HookResult {
    try run(attachment, on: input, state: state, readingMaps: reading == .everyHop)
  }

  /// The same; with `readingMaps` the result says what the program did to the maps.
  public mutating func run(
    _ attachment: Attachment, on input: HookInput, state: borrowing NodeState, readingMaps: Bool
  ) throws(KernelError) -> HookResult {
    if objects.isForeign { try CompiledValues.check(objects, attachment, input, state) }
    try SocketAffinity.check(input, state)
    try namespace.enter()
    let index = try program(attachment, state)
    try follow(state)
    try setClock(input.environment.ktime)
    var result: HookResult
    do {
      result = try runOnce(index, attachment, input)
    } catch {
      // The program may have run all the same: what it told and wrote is not the next hop's.
      _ = collectEvents()
      try reset(to: state)
      throw error
    }
    // A policy program is loaded when a packet first reaches its endpoint: everything is put back, and run again.
    while result.verdict == .drop, result.drop == .epNotReady,
      let endpoint = result.subject.endpoint(in: state.maps),
      try programs.loadPolicy(endpoint: endpoint, state, maps)
    {
      try reset(to: state)
      try setClock(input.environment.ktime)
      result = try runOnce(index, attachment, input)
    }
    if readingMaps {
      try readMaps(into: &result, state, ktime: input.environment.ktime)
    } else {
      sync.didRunUnread()
    }
    return result
  }

  private mutating func runOnce(
    _ index: Int, _ attachment: Attachment, _ input: HookInput
  ) throws(KernelError) -> HookResult {
    maps.clearScratch()
    environment?.store(
      PinnedEnvironment(ktime_ns: input.environment.ktime, random_state: input.environment.random))
    given.flowHash = nil
    given.signals.removeAll(keepingCapacity: true)
    let result =
      switch input.subject {
      case .skb(let buffer): try run(index, buffer, attachment)
      case .xdp(let buffer): try run(index, buffer)
      case .socket(let address): try run(index, address, attachment.hook)
      }
    given.lostEvents = events?.lost ?? 0
    collectSignals()
    return result
  }

  /// Tells that the programs' own runs have brought the maps to this position of the log, so that its changes are
  /// not sent. Only of use when maps are read per conversation.
  public mutating func adopt(through position: Int) { sync.adopt(position) }

  /// Carries over what has been added to the log, then compares.
  public mutating func mapDifferences(from state: borrowing NodeState) throws(KernelError) -> [MapChange] {
    try follow(state)
    return try compareMaps(state)
  }

  /// What turns `state` into the kernel's maps, map by map and ascending by key: empty when they agree.
  public mutating func compareMaps(_ state: borrowing NodeState) throws(KernelError) -> [MapChange] {
    var changes: [MapChange] = []
    for map in MapID.allCases where map != .policy {
      if let difference = try maps.difference(map, state.maps) { changes += difference.changes }
    }
    for endpoint in maps.policies.keys.sorted() {
      if let difference = try maps.difference(.policy, endpoint: endpoint, state.maps) {
        changes += difference.changes
      }
    }
    return changes
  }

  /// Brings the kernel's maps back to `state`, whatever has happened to them; far cheaper than loading again.
  public mutating func reset(to state: borrowing NodeState) throws(KernelError) {
    for change in try compareMaps(state) { try maps.send(MapEntryKey(change), from: state.maps) }
    sync.adopt(state.position)
  }

  /// Moves the maps' times to the kernel's clock, for programs that read it. Done last before a run.
  @inline(__always)
  private mutating func setClock(_ ktime: UInt64) throws(KernelError) {
    guard objects.isForeign else { return }
    let shift = ClockShift.now(ktime: ktime)
    try maps.move(to: shift)
    given.clockShift = shift.seconds
  }

  /// Carries over what has changed in the state since the last run.
  @inline(__always)
  private mutating func follow(_ state: borrowing NodeState) throws(KernelError) {
    if !sync.isCurrent(state) { try catchUp(state) }
    if !Self.isSame(endpoints, state.image.endpointConfigs) {
      endpoints = state.image.endpointConfigs
      try programs.followPolicies(state, maps)
    }
  }

  /// Whether two arrays are the same storage, and so have the same contents.
  @inline(__always)
  private static func isSame(_ a: [DatapathConfig], _ b: [DatapathConfig]) -> Bool {
    a.count == b.count
      && a.withUnsafeBufferPointer { a in b.withUnsafeBufferPointer { b in a.baseAddress == b.baseAddress } }
  }

  private mutating func catchUp(_ state: borrowing NodeState) throws(KernelError) {
    if state.position < sync.position { return try reset(to: state) }
    for key in sync.pending(state) { try maps.send(key, from: state.maps) }
  }

  private mutating func readMaps(
    into result: inout HookResult, _ state: borrowing NodeState, ktime: UInt64
  ) throws(KernelError) {
    var values: [MapEntryKey: [UInt8]?] = [:]
    for map in MapID.allCases where map.isWrittenByPrograms {
      guard let difference = try maps.difference(map, state.maps) else { continue }
      result.changes +=
        objects.isForeign ? difference.changes.map { $0.rebased(state, ktime) } : difference.changes
      values.merge(difference.values) { $1 }
    }
    sync.didRun(values)
  }

  private mutating func run(
    _ index: Int, _ buffer: SocketBuffer, _ attachment: Attachment
  ) throws(KernelError) -> HookResult {
    let context = test.context.assumingMemoryBound(to: __sk_buff.self)
    context.pointee.mark = buffer.mark
    context.pointee.ifindex = buffer.ifindex
    context.pointee.ingress_ifindex = buffer.ingressIfindex
    context.pointee.cb = buffer.cb.words
    if let key = buffer.tunnelKey, !key.options.isEmpty {
      throw KernelError(.notRun, call: "run hook", detail: "a packet that came with tunnel options")
    }
    let padded = ShortFrame.padded(buffer.frame)
    driver.prepare(
      slot: UInt32(truncatingIfNeeded: index), buffer, cutTo: padded == nil ? nil : buffer.frame.count)
    let verdict = try test.run(
      driver.descriptor, frame: padded ?? buffer.frame, contextSize: TestRun.skbSize)
    let out = test.contextOut.assumingMemoryBound(to: __sk_buff.self)
    let noted = driver.noted
    var after = buffer
    after.frame = Array(test.frameOut)
    after.mark = out.pointee.mark
    after.cb.words = out.pointee.cb
    after.adopt(noted)
    given.flowHash = noted.hash
    let reported = collectEvents()
    return HookResult(
      verdict: TCVerdict.verdict(verdict, reported, attachment), subject: .skb(after), events: reported)
  }

  private mutating func run(_ index: Int, _ buffer: XDPBuffer) throws(KernelError) -> HookResult {
    let program = programs.descriptor(index)
    let context = test.context.assumingMemoryBound(to: xdp_md.self)
    context.pointee = xdp_md()
    context.pointee.data_end = UInt32(truncatingIfNeeded: buffer.frame.count)
    context.pointee.ingress_ifindex = buffer.ingressIfindex
    defer { test.context.initializeMemory(as: UInt8.self, repeating: 0, count: TestRun.xdpSize) }
    let verdict = try test.run(program, frame: buffer.frame, contextSize: TestRun.xdpSize)
    var after = buffer
    after.frame = Array(test.frameOut)
    return HookResult(
      verdict: XDPVerdict.verdict(verdict), subject: .xdp(after), events: collectEvents())
  }

  private mutating func run(
    _ index: Int, _ address: SocketAddress, _ hook: Hook
  ) throws(KernelError) -> HookResult {
    if sockets == nil { sockets = try SocketRunner.create() }
    let outcome = try sockets?.run(hook, programs.program(index), address)
    guard let (verdict, reached) = outcome else {
      throw KernelError(.unavailable, call: "run hook", detail: "no sockets")
    }
    return HookResult(verdict: verdict, subject: .socket(reached), events: collectEvents())
  }

  private mutating func collectSignals() {
    var collected: [[UInt8]] = []
    signals?.drain { collected.append(Array($0)) }
    if !collected.isEmpty { given.signals = collected }
  }

  @inline(__always)
  private mutating func collectEvents() -> [Event] {
    var collected: [Event] = []
    if objects.isForeign {
      events?.drain { collected.append(EventVersions.event($0, objects.profile)) }
    } else {
      events?.drain { collected.append(Event(bytes: $0)) }
    }
    return collected
  }
}

extension MapChange {
  /// A new token bucket is filled at the kernel's time of the run, which is the run's own to less than a second: given,
  /// and set to that. Later times follow from it by whole intervals.
  fileprivate func rebased(_ state: borrowing NodeState, _ ktime: UInt64) -> MapChange {
    guard map == .rateLimit, operation == .put,
      state.maps.rateLimit[key(as: RateLimitKey.self)] == nil
    else { return self }
    var bucket = value(as: RateLimitValue.self)
    guard bucket.last_topup / 1_000_000_000 == ktime / 1_000_000_000 else { return self }
    bucket.last_topup = ktime
    return MapChange(put: bucket, at: key(as: RateLimitKey.self), in: .rateLimit)
  }
}

extension Subject {
  /// The endpoint of this node that a frame is addressed to.
  fileprivate func endpoint(in maps: borrowing NodeMaps) -> UInt16? {
    guard let frame, frame.count >= 34 else { return nil }
    let address: AddressWords
    switch (frame[12], frame[13]) {
    case (0x08, 0x00): address = AddressWords(w0: Self.word(frame, 30), w1: 0, w2: 0, w3: 0)
    case (0x86, 0xdd) where frame.count >= 54:
      address = AddressWords(
        w0: Self.word(frame, 38), w1: Self.word(frame, 42), w2: Self.word(frame, 46), w3: Self.word(frame, 50)
      )
    default: return nil
    }
    let family = frame[12] == 0x08 ? ENDPOINT_KEY_IPV4 : ENDPOINT_KEY_IPV6
    let key = EndpointKey(ip: address, family: UInt8(family.rawValue), key: 0, cluster_id: 0)
    return maps.endpoints[key]?.lxc_id
  }

  private static func word(_ frame: [UInt8], _ offset: Int) -> UInt32 {
    frame.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self) }
  }
}

/// Return values of tc programs.
enum TCVerdict {
  /// The verdict, with the redirect's target where the last trace event tells it.
  static func verdict(_ value: UInt32, _ events: [Event], _ attachment: Attachment) -> Verdict {
    switch value {
    case 0: .pass
    case 2: .drop
    case 7: .redirect(target(events, attachment))
    default: .other(Int32(bitPattern: value))
    }
  }

  /// Where a redirected packet goes, read from what was traced right before. Modelled: bpf_lxc.c,
  /// lib/local_delivery.h, lib/encap.h. Nil when nothing was traced, or when the trace fits several targets.
  private static func target(_ events: [Event], _ attachment: Attachment) -> Redirect? {
    guard case .trace(let notify, _)? = events.last else { return nil }
    let config = attachment.config
    switch UInt32(notify.header.subtype) {
    case TRACE_TO_LXC.rawValue:
      let isPeer =
        config.enable_host_routing != 0 && attachment.hook != .fromHost && config.enable_netkit == 0
      return Redirect(ifindex: notify.ifindex, mode: isPeer ? .peer : .egress)
    case TRACE_TO_OVERLAY.rawValue: return Redirect(ifindex: notify.ifindex, mode: .egress)
    case TRACE_TO_HOST.rawValue where attachment.hook == .fromContainer:
      return Redirect(ifindex: config.cilium_net_ifindex, mode: .ingress)
    case TRACE_TO_NETWORK.rawValue where config.enable_host_routing != 0 && notify.ifindex != 0:
      return Redirect(ifindex: notify.ifindex, mode: .neighbour)
    default: return nil
    }
  }
}

/// Return values of XDP programs.
enum XDPVerdict {
  static func verdict(_ value: UInt32) -> Verdict {
    switch value {
    case 1: .drop
    case 2: .pass
    case 3: .transmit
    case 4: .redirect(nil)
    default: .other(Int32(bitPattern: value))
    }
  }
}
