public import MapABI
internal import Wire

/// The datapath in Swift: what Cilium's programs would do with a packet, and why.
///
/// Reads the same maps as the programs in the kernel, and returns the changes that a run would make to them: one
/// for each key that was touched, in the order of the first write, with the value at the end of the run. A write
/// that leaves a value as it was is no change; counters come as one increment for each key.
///
/// Source: Cilium 1.20, bpf/bpf_lxc.c, bpf_overlay.c, bpf_host.c, bpf_xdp.c, bpf_sock.c.
public struct Model: HookInterpreter {
  /// The version of Cilium that is modelled.
  public let profile: DatapathProfile

  public init(_ profile: DatapathProfile = .current) { self.profile = profile }

  /// Runs a hook with everything recorded.
  ///
  /// - Throws: ``InterpreterError/unmodelled(_:)`` where the model has no answer,
  ///   ``InterpreterError/wrongSubject`` when the subject does not fit the hook.
  public func run(
    _ attachment: Attachment, on input: HookInput, state: borrowing NodeState
  ) throws(InterpreterError) -> HookResult {
    switch attachment.hook.kind {
    case .tc:
      guard case .skb(let buffer) = input.subject else { throw .wrongSubject }
      Self.lookAhead(attachment, buffer, state)
      return try runPacket(attachment, buffer, input.environment, state)
    case .xdp:
      guard case .xdp(let buffer) = input.subject else { throw .wrongSubject }
      let verdict = XDPEntry.verdict(buffer.frame, attachment.config)
      return HookResult(verdict: verdict, subject: input.subject)
    case .socket:
      guard case .socket(let address) = input.subject else { throw .wrongSubject }
      return try runSocket(attachment, address, input.environment, state)
    }
  }

  /// Runs a hook for its verdict alone: no step, event or change is made.
  public func verdict(
    _ attachment: Attachment, on input: HookInput, state: borrowing NodeState
  ) throws(InterpreterError) -> Verdict {
    switch attachment.hook.kind {
    case .tc:
      guard case .skb(let buffer) = input.subject else { throw .wrongSubject }
      Self.lookAhead(attachment, buffer, state)
      return try decidePacket(attachment, buffer, input.environment, state)
    case .xdp:
      guard case .xdp(let buffer) = input.subject else { throw .wrongSubject }
      return XDPEntry.verdict(buffer.frame, attachment.config)
    case .socket:
      guard case .socket(let address) = input.subject else { throw .wrongSubject }
      return try runSocket(attachment, address, input.environment, state).verdict
    }
  }

  /// Fetches what the packet will look up, where the tables are large.
  private static func lookAhead(
    _ attachment: borrowing Attachment, _ buffer: borrowing SocketBuffer, _ state: borrowing NodeState
  ) {
    guard Foresight.helps(attachment.hook, state) else { return }
    let endpoint = attachment.config.endpoint_id
    buffer.frame.withUnsafeBytes { frame in
      var ahead = Foresight(frame, state)
      ahead.fetchEntries(state)
      ahead.fetchPolicy(state, endpoint: endpoint)
      ahead.fetchPolicyEntry(state, endpoint: endpoint)
    }
  }

  func runPacket(
    _ attachment: borrowing Attachment, _ buffer: borrowing SocketBuffer, _ environment: Environment,
    _ state: borrowing NodeState
  ) throws(InterpreterError) -> HookResult {
    var output = SocketBuffer(frame: [], ifindex: 0)
    var verdict = Verdict.pass
    var changes: [MapChange] = []
    var events: [Event] = []
    var steps: [Step] = []
    var unmodelled: String?
    let length = buffer.frame.count
    output.frame = RunMemory.with(attachment.config) { memory in
      [UInt8](unsafeUninitializedCapacity: length + PacketBuffer.headroom) { space, count in
        let octets = UnsafeMutableRawBufferPointer(space)
        octets.copyBytes(from: buffer.frame)
        var run = Run<FullRecord>(
          PacketBuffer(octets, count: length), buffer, profile: profile,
          object: SourceObject(attachment.hook), environment: environment, memory)
        let ending = run.start(attachment.hook, state)
        count = run.packet.count
        unmodelled = run.unmodelled
        run.leaveMetadata(in: &output)
        verdict = run.verdict(ending)
        changes = run.pending.collect()
        swap(&events, &run.events)
        swap(&steps, &run.steps)
      }
    }
    if let unmodelled { throw .unmodelled(unmodelled) }
    return HookResult(verdict: verdict, subject: .skb(output), changes: changes, events: events, steps: steps)
  }

  private func runSocket(
    _ attachment: borrowing Attachment, _ address: SocketAddress, _ environment: Environment,
    _ state: borrowing NodeState
  ) throws(InterpreterError) -> HookResult {
    // A hook sees the addresses of its own family only.
    guard (address.destination.family == .ipv4) == (attachment.hook == .sock4Connect) else {
      throw .wrongSubject
    }
    var unmodelled: String?
    let result = RunMemory.with(attachment.config) { memory in
      var run = Run<FullRecord>(
        PacketBuffer(UnsafeMutableRawBufferPointer(start: nil, count: 0), count: 0),
        SocketBuffer(frame: [], ifindex: 0), profile: profile, object: .sock, environment: environment, memory
      )
      var address = address
      let verdict = run.connect(state, &address)
      unmodelled = run.unmodelled
      return HookResult(
        verdict: verdict, subject: .socket(address), changes: run.pending.collect(), events: run.events,
        steps: run.steps)
    }
    if let unmodelled { throw .unmodelled(unmodelled) }
    return result
  }

  func decidePacket(
    _ attachment: borrowing Attachment, _ buffer: borrowing SocketBuffer, _ environment: Environment,
    _ state: borrowing NodeState
  ) throws(InterpreterError) -> Verdict {
    let capacity = buffer.frame.count + PacketBuffer.headroom
    var unmodelled: String?
    let verdict = RunMemory.with(attachment.config) { memory in
      withUnsafeTemporaryAllocation(byteCount: capacity, alignment: 8) { octets in
        octets.copyBytes(from: buffer.frame)
        var run = Run<VerdictOnly>(
          PacketBuffer(octets, count: buffer.frame.count), buffer, profile: profile,
          object: SourceObject(attachment.hook), environment: environment, memory)
        let ending = run.start(attachment.hook, state)
        unmodelled = run.unmodelled
        return run.verdict(ending)
      }
    }
    if let unmodelled { throw .unmodelled(unmodelled) }
    return verdict
  }
}

extension SourceObject {
  /// The object that holds the hook's program.
  init(_ hook: Hook) {
    switch hook {
    case .fromContainer, .toContainer: self = .lxc
    case .fromOverlay, .toOverlay: self = .overlay
    case .xdpEntry: self = .xdp
    case .sock4Connect, .sock6Connect: self = .sock
    case .fromNetdev, .toNetdev, .fromHost, .toHost: self = .host
    }
  }
}

extension Run {
  /// The program of a tc hook.
  mutating func start(_ hook: Hook, _ state: borrowing NodeState) -> Ending {
    switch hook {
    case .fromContainer: fromContainer(state).ending
    case .toContainer: toContainer(state).ending
    case .fromOverlay: fromOverlay(state).ending
    case .toOverlay: toOverlay(state).ending
    case .fromNetdev: fromNetdev(state).ending
    case .toNetdev: toNetdev(state).ending
    case .fromHost: fromHost(state).ending
    case .toHost: toHost(state).ending
    // These do not come here: they are given no packet with metadata.
    case .xdpEntry, .sock4Connect, .sock6Connect: .pass
    }
  }

  func verdict(_ ending: Ending) -> Verdict {
    switch ending {
    case .pass: .pass
    case .drop: .drop
    case .redirect: .redirect(redirection)
    }
  }

  /// The packet's metadata as the program left it; the frame is the caller's.
  func leaveMetadata(in buffer: inout SocketBuffer) {
    buffer.ifindex = ifindex
    buffer.ingressIfindex = ingressIfindex
    buffer.mark = mark
    buffer.tcIndex = tcIndex
    buffer.cb = cb
    buffer.tunnelKey = tunnelKey
    buffer.packetType = packetType
  }
}
