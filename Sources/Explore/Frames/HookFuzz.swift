public import Conformance
import Datapath
public import Kernel
public import MapABI
import Wire

/// Throws frames at every hook, on the model and in this kernel, and compares what they make of each.
///
/// Runs go in batches: within one, what a packet does to the maps is there for the next; at its end the maps are
/// compared, and the next batch starts from the image again. The same seed gives the same frames.
public struct HookFuzz {
  /// What came of one hook.
  public struct Tally: Sendable {
    public let hook: Hook
    public var frames = 0
    public var agreement = Agreement()
    /// Frames that came to a part of the datapath that the model does not have.
    public var unmodelled: [(what: String, count: Int)] = []
    /// Drop reasons and verdicts that were seen, with their counts.
    public var verdicts: [String: Int] = [:]
    /// Frames that differ, in hexadecimal, with what is needed to run them again.
    public var specimens: [String] = []
    /// What led to the first differences of each kind.
    public var trails: [FrameTrail] = []
    /// The different ways that frames took through the hook: see ``Coverage``.
    public var reached: Set<String> = []
  }

  /// Runs in a batch.
  public var batch = 400
  public var seed: UInt64 = 1
  /// Compares the maps after each run instead of after each batch, which tells whose change differs; slow.
  public var comparesEveryHop = false
  /// Whether the ways through the hooks are collected, which costs time.
  public var collectsCoverage = false

  public init() {}

  /// Runs frames through every hook that a world has attached until `count` were compared; a hook that several
  /// worlds have gets its share in each. Where most frames cannot be compared, it ends after four times as many.
  public func run(_ worlds: [FuzzWorld], objects: DatapathObjects, count: Int) throws -> [Tally] {
    var tallies = Hook.allCases.filter { $0.kind != .socket }.map { Tally(hook: $0) }
    for (number, world) in worlds.enumerated() {
      var session = try Session.make(self, world, objects, seed: seed &+ UInt64(number) &* 7919)
      var quota: [Hook: Int] = [:]
      for tally in tallies where world.has(tally.hook) {
        let left = worlds[number...].count { $0.has(tally.hook) }
        quota[tally.hook] = (count - tally.agreement.compared + left - 1) / left
      }
      try session.run(quota, into: &tallies)
    }
    return tallies
  }
}

extension FuzzWorld {
  func has(_ hook: Hook) -> Bool { image.attachments.contains { $0.hook == hook } }
}

extension HookFuzz {
  /// One world with its kernel.
  fileprivate struct Session: ~Copyable {
    let options: HookFuzz
    let world: FuzzWorld
    let comparison = Comparison(foreign: false)
    var source: FrameSource
    var state: NodeState
    var kernel: KernelNode
    /// What was run since the maps were last put back.
    var trail: FrameTrail
    var clock: UInt64 = Instant.start.ktime

    static func make(
      _ options: HookFuzz, _ world: FuzzWorld, _ objects: DatapathObjects, seed: UInt64
    ) throws -> Session {
      let state = NodeState(world.image)
      var kernel = try KernelNode.make(
        state, objects: objects, reading: options.comparesEveryHop ? .everyHop : .conversation)
      try kernel.preload(state)
      return Session(options, world, state, kernel, seed: seed)
    }

    private init(
      _ options: HookFuzz, _ world: FuzzWorld, _ state: consuming NodeState, _ kernel: consuming KernelNode,
      seed: UInt64
    ) {
      self.options = options
      self.world = world
      source = FrameSource(world, seed: seed)
      trail = FrameTrail(image: world.image)
      self.state = state
      self.kernel = kernel
    }

    mutating func run(_ quota: [Hook: Int], into tallies: inout [Tally]) throws {
      var quota = quota
      var attempts = quota.mapValues { $0 * 4 }
      while true {
        let open = world.image.attachments.filter { quota[$0.hook, default: 0] > 0 }
        guard !open.isEmpty else { return try kernel.leave() }
        state = NodeState(world.image)
        try kernel.reset(to: state)
        source.forget()
        trail.runs.removeAll(keepingCapacity: true)
        var last: Hop?
        for _ in 0..<options.batch {
          guard let attachment = source.random.pick(open), quota[attachment.hook, default: 0] > 0,
            let index = tallies.firstIndex(where: { $0.hook == attachment.hook })
          else { continue }
          attempts[attachment.hook, default: 0] -= 1
          if attempts[attachment.hook, default: 0] <= 0 { quota[attachment.hook] = 0 }
          guard let hop = try step(attachment, &tallies[index]) else { continue }
          quota[attachment.hook, default: 0] -= 1
          last = hop
        }
        guard let last, let index = tallies.firstIndex(where: { $0.hook == last.hook }) else { continue }
        let before = tallies[index].agreement.divergences.count
        comparison.compareMaps(
          try kernel.compareMaps(state), with: state, after: last, into: &tallies[index].agreement)
        keepTrail(&tallies[index], since: before)
      }
    }

    /// Runs one frame on both sides; nil when one of them could not.
    private mutating func step(_ attachment: Attachment, _ tally: inout Tally) throws -> Hop? {
      tally.frames += 1
      let input = makeInput(attachment)
      let result: HookResult
      do throws(InterpreterError) {
        result = try Model().run(attachment, on: input, state: state)
      } catch {
        guard case .unmodelled(let what) = error else { throw error }
        tally.countUnmodelled(what)
        return nil
      }
      var other: HookResult
      do throws(KernelError) {
        other = try kernel.run(attachment, on: input, state: state)
      } catch {
        guard error.kind == .notRun else { throw error }
        tally.agreement.countNotRun(Self.reason(input, error))
        return nil
      }
      if !options.comparesEveryHop { other.changes = result.changes }
      let hop = Hop(
        time: .start, node: world.image.node, attachment: attachment, input: input, result: result,
        position: state.position)
      let before = tally.agreement.divergences.count
      trail.runs.append(FrameTrail.Run(attachment: attachment, input: input))
      comparison.compare(hop, with: other, into: &tally.agreement)
      tally.note(result)
      if options.collectsCoverage { tally.reached.insert(Coverage.signature(hop)) }
      state.apply(result.changes)
      if tally.agreement.divergences.count > before {
        keepTrail(&tally, since: before)
        tally.specimens.append(Self.specimen(world, attachment, input))
        // What went wrong here is not to be seen in what follows.
        try kernel.reset(to: state)
      } else if !options.comparesEveryHop {
        kernel.adopt(through: state.position)
      }
      if let frame = input.subject.frame { source.remember(frame) }
      if let frame = result.subject.frame, result.verdict != .drop { source.remember(frame) }
      return hop
    }

    /// Remembers what led to the divergences from `count` on, unless their kind is known.
    private func keepTrail(_ tally: inout Tally, since count: Int) {
      for divergence in tally.agreement.divergences[count...] {
        let difference = Difference(divergence)
        guard !tally.trails.contains(where: { $0.difference == difference }) else { continue }
        var trail = trail
        trail.difference = difference
        tally.trails.append(trail)
      }
    }

    private static func reason(_ input: HookInput, _ error: KernelError) -> String {
      let length = input.subject.frame?.count ?? 0
      if length < 14 { return "shorter than an Ethernet header" }
      if length > 3500 { return "longer than a test run takes" }
      return "\(error)"
    }

    private static func specimen(_ world: FuzzWorld, _ attachment: Attachment, _ input: HookInput) -> String {
      var line = "\(world.name) \(attachment.hook.rawValue)@\(attachment.device)"
      if case .skb(let buffer) = input.subject {
        line += " mark 0x\(String(buffer.mark, radix: 16)) tunnel \(buffer.tunnelKey?.id ?? 0)"
        line += " tc_index \(buffer.tcIndex) cb \(buffer.cb.words)"
      }
      return line + " frame "
        + (input.subject.frame ?? []).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
  }
}

extension HookFuzz.Session {
  fileprivate mutating func makeInput(_ attachment: Attachment) -> HookInput {
    clock &+= source.random.pick([0, 0, 1, 1, 3, 7, 70]).map { $0 * 1_000_000_000 } ?? 0
    let environment = Environment(ktime: clock, random: source.random.next())
    let frame = source.frame(for: attachment)
    guard attachment.hook.kind == .tc else {
      return HookInput(
        .xdp(XDPBuffer(frame: frame, ingressIfindex: attachment.ifindex)), environment: environment)
    }
    var buffer = SocketBuffer(
      frame: frame, ifindex: attachment.ifindex,
      ingressIfindex: attachment.hook.isEgress ? 0 : attachment.ifindex)
    let everybody = world.locals + world.others
    let identity = source.random.pick(everybody)?.identity ?? 0
    if attachment.hook != .fromContainer, source.random.chance(2) {
      // Every magic number, with an identity where it belongs.
      buffer.mark = UInt32(source.random.below(16)) << 8 | identity << 16 | identity >> 16 & 0xff
    }
    if attachment.hook == .fromOverlay || attachment.hook == .toOverlay, !source.random.chance(12),
      let node = source.random.pick(everybody)?.address(.ipv4)
    {
      buffer.tunnelKey = TunnelKey(id: source.random.chance(8) ? 0xff_ffff : identity, remote: node)
    }
    if source.random.chance(10) { buffer.tcIndex = UInt16(source.random.below(16)) }
    if source.random.chance(8) { buffer.cb[0] = source.random.pick([0x0200, 0x993a_0200, identity]) ?? 0 }
    return HookInput(.skb(buffer), environment: environment)
  }
}

extension HookFuzz.Tally {
  mutating func countUnmodelled(_ what: String) {
    if let index = unmodelled.firstIndex(where: { $0.what == what }) {
      unmodelled[index].count += 1
    } else {
      unmodelled.append((what, 1))
    }
  }

  mutating func note(_ result: HookResult) {
    let name =
      switch result.verdict {
      case .pass: "pass"
      case .redirect: "redirect"
      case .transmit: "transmit"
      case .other(let value): "other \(value)"
      case .drop: result.drop.map { "drop \($0.rawValue)" } ?? "drop"
      }
    verdicts[name, default: 0] += 1
  }
}

extension HookFuzz.Tally: CustomStringConvertible {
  /// One line: frames, compared, not run and why, unmodelled, differences; then the verdicts seen.
  public var description: String {
    let notRun = agreement.notRun.map { "\($0.count) \($0.reason)" }.joined(separator: ", ")
    let missing = unmodelled.map { "\($0.count) \($0.what)" }.joined(separator: ", ")
    let seen = verdicts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    return "\(hook.rawValue): \(frames) frames, \(agreement.compared) compared, "
      + "not run \(agreement.notRun.reduce(0) { $0 + $1.count })\(notRun.isEmpty ? "" : " (\(notRun))"), "
      + "unmodelled \(unmodelled.reduce(0) { $0 + $1.count })\(missing.isEmpty ? "" : " (\(missing))"), "
      + "\(agreement.divergences.count) differences [\(seen)]"
  }
}
