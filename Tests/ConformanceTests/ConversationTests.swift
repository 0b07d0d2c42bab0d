import Datapath
import MapABI
import Testing

@testable import Conformance

/// Maps compared once for each conversation: what is found, and that it is told as if each hop had been compared.
@Suite struct ConversationTests {
  /// A connection's entry; each hop makes it live longer.
  static let key = CTTuple4(
    daddr: UInt32(0x0af4_0114).bigEndian, saddr: UInt32(0x0af4_010a).bigEndian,
    dport: UInt16(40_000).bigEndian, sport: UInt16(80).bigEndian, nexthdr: 6, flags: 1)

  static func put(_ lifetime: UInt32) -> MapChange {
    var entry = CTEntry()
    entry.lifetime = lifetime
    return MapChange(put: entry, at: key, in: .ct4TCP)
  }

  /// Holds maps of its own, and does what the hop's input says (its random number is the lifetime it writes), unless
  /// that is the lifetime at which it goes wrong.
  struct Scripted: MapHoldingInterpreter {
    /// Writes one more than it should.
    var slip: UInt32?
    /// Gives another verdict.
    var refuses: UInt32?
    /// Cannot run the hop.
    var declines: UInt32?
    var maps = NodeMaps()
    var position = 0
    /// Runs after which the maps were read.
    var readings = 0

    struct Declined: DecliningError {
      var isDeclined: Bool { true }
    }

    mutating func run(
      _ attachment: MapABI.Attachment, on input: HookInput, state: borrowing NodeState
    ) throws(Declined) -> HookResult {
      try run(attachment, on: input, state: state, readingMaps: true)
    }

    mutating func run(
      _ attachment: MapABI.Attachment, on input: HookInput, state: borrowing NodeState, readingMaps: Bool
    ) throws(Declined) -> HookResult {
      let lifetime = UInt32(truncatingIfNeeded: input.environment.random)
      if lifetime == declines { throw Declined() }
      follow(state)
      let change = put(lifetime == slip ? lifetime + 1 : lifetime)
      maps.apply(change)
      readings += readingMaps ? 1 : 0
      return HookResult(
        verdict: lifetime == refuses ? .drop : .pass, subject: input.subject,
        changes: readingMaps ? [change] : [])
    }

    mutating func adopt(through position: Int, node: String) { self.position = position }

    mutating func mapDifferences(from state: borrowing NodeState) throws(Declined) -> [MapChange] {
      follow(state)
      guard let entry = maps.ct4TCP[key], entry.lifetime != state.maps.ct4TCP[key]?.lifetime else {
        return []
      }
      return [put(entry.lifetime)]
    }

    mutating func reset(to state: borrowing NodeState) throws(Declined) {
      maps = state.maps
      position = state.position
    }

    private mutating func follow(_ state: borrowing NodeState) {
      for change in state.log[min(position, state.position)...] { maps.apply(change) }
      position = state.position
    }
  }

  /// Shows hops that write these lifetimes; the conversations end where `ends` says.
  private func show<Observer: HopObserver & ~Copyable>(
    _ lifetimes: ClosedRange<UInt32>, ends: Set<UInt32>, to observer: inout Observer
  ) {
    var state = NodeState(MapImage(node: "n1"))
    for lifetime in lifetimes {
      var hop = DivergenceTests.hop(
        HookResult(
          verdict: .pass, subject: .skb(SocketBuffer(frame: DivergenceTests.frame, ifindex: 11)),
          changes: [Self.put(lifetime)]))
      hop.input.environment = Environment(ktime: 0, random: UInt64(lifetime))
      hop.position = state.position
      observer.observe(hop, state: state)
      state.apply(hop.result.changes)
      guard ends.contains(lifetime) else { continue }
      observer.conversationEnded(on: state)
      observer.conversationEnded()
    }
  }

  private func told(_ agreement: Agreement) -> [String] {
    agreement.divergences.flatMap { [$0.summary] + $0.details }
  }

  @Test("Where all agree, no hop's maps are read and nothing is run again")
  func agreeing() {
    var replay = ConversationReplay(Scripted(), foreign: false)
    show(1...6, ends: [3, 6], to: &replay)
    #expect(replay.agreement.compared == 6 && replay.agreement.agreeing == 6)
    #expect(replay.agreement.divergences.isEmpty)
    #expect(replay.interpreter.readings == 0)
    #expect(replay.repeated == 0)
  }

  @Test("A wrong write is told as if each hop had been compared", arguments: [UInt32(1), 2, 3, 5])
  func slip(_ lifetime: UInt32) throws {
    var often = Replay(Scripted(slip: lifetime), foreign: false)
    show(1...6, ends: [3, 6], to: &often)
    var once = ConversationReplay(Scripted(slip: lifetime), foreign: false)
    // The last hop before the end of a conversation mends what the one before has done wrong.
    show(1...6, ends: [lifetime, 6], to: &once)
    try #require(!often.agreement.divergences.isEmpty)
    #expect(told(once.agreement) == told(often.agreement))
    #expect(once.agreement.agreeing == often.agreement.agreeing)
    #expect(once.agreement.compared == 6)
    #expect(once.repeated == 1)
  }

  @Test("Another verdict has the conversation run again, with its maps")
  func verdict() {
    var often = Replay(Scripted(slip: 2, refuses: 3), foreign: false)
    show(1...6, ends: [3, 6], to: &often)
    var once = ConversationReplay(Scripted(slip: 2, refuses: 3), foreign: false)
    show(1...6, ends: [3, 6], to: &once)
    #expect(often.agreement.divergences.map(\.field) == [.mapChanges, .verdict])
    #expect(told(once.agreement) == told(often.agreement))
    #expect(once.repeated == 1)
  }

  @Test("A hop that could not be run is carried over, and is no difference")
  func declined() {
    var replay = ConversationReplay(Scripted(declines: 3), foreign: false)
    show(1...6, ends: [3, 6], to: &replay)
    #expect(replay.agreement.compared == 5 && replay.agreement.agreeing == 5)
    #expect(replay.agreement.notRun.map(\.count) == [1])
    #expect(replay.agreement.divergences.isEmpty)
    #expect(replay.repeated == 0)
  }

  /// Maps that change behind the runs' back: no hop is to blame.
  struct Disturbed: MapHoldingInterpreter {
    var base = Scripted()
    var isDisturbed = true

    mutating func run(
      _ attachment: MapABI.Attachment, on input: HookInput, state: borrowing NodeState
    ) throws(Scripted.Declined) -> HookResult {
      try base.run(attachment, on: input, state: state)
    }

    mutating func run(
      _ attachment: MapABI.Attachment, on input: HookInput, state: borrowing NodeState, readingMaps: Bool
    ) throws(Scripted.Declined) -> HookResult {
      try base.run(attachment, on: input, state: state, readingMaps: readingMaps)
    }

    mutating func adopt(through position: Int, node: String) { base.adopt(through: position, node: node) }

    mutating func mapDifferences(
      from state: borrowing NodeState
    ) throws(Scripted.Declined) -> [MapChange] {
      defer { isDisturbed = false }
      return isDisturbed ? [put(77)] : try base.mapDifferences(from: state)
    }

    mutating func reset(to state: borrowing NodeState) throws(Scripted.Declined) {
      try base.reset(to: state)
    }
  }

  @Test("What no hop shows when it is run again is told with map, key, both values, and the hops in question")
  func disturbed() throws {
    var replay = ConversationReplay(Disturbed(), foreign: false)
    show(1...6, ends: [3, 6], to: &replay)
    #expect(replay.agreement.divergences.count == 1)
    let found = try #require(replay.agreement.divergences.first)
    #expect(found.field == .mapChanges && found.hook == "from_container")
    #expect(
      found.expected.hasPrefix("cilium_ct4_global[source 10.244.1.10 80, destination 10.244.1.20 40000"))
    #expect(found.expected.hasSuffix(": lifetime 3"))
    #expect(found.found == "lifetime 77")
    #expect(found.details.first == "lifetime: 3 vs 77")
    #expect(found.details.last?.hasPrefix("after one of 3 hops, from from_container at lxc1") == true)
    #expect(replay.agreement.compared == 6 && replay.agreement.agreeing == 5)
  }
}
