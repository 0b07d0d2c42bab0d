import Conformance
import Datapath
import MapABI
import Runner
import Testing
import Wire

@testable import Kernel

/// An interpreter that is given other maps than the model: what a fault in the maps, or in rendering them, looks like.
struct Altered<Base: HookInterpreter & ~Copyable>: HookInterpreter, ~Copyable {
  var base: Base
  let alter: (inout MapImage) -> Void

  mutating func run(
    _ attachment: MapABI.Attachment, on input: HookInput, state: borrowing NodeState
  ) throws(Base.Failure) -> HookResult {
    var image = state.image
    alter(&image)
    var altered = NodeState(image)
    altered.apply(state.log)
    return try base.run(altering(attachment), on: input, state: altered)
  }

  /// The attachment's configuration is altered like the image's.
  private func altering(_ attachment: MapABI.Attachment) -> MapABI.Attachment {
    var image = MapImage(node: "", attachments: [attachment])
    alter(&image)
    return image.attachments.first ?? attachment
  }
}

extension Altered: MapHoldingInterpreter where Base: MapHoldingInterpreter & ~Copyable {
  private func altered(_ state: borrowing NodeState) -> NodeState {
    var image = state.image
    alter(&image)
    var altered = NodeState(image)
    altered.apply(state.log)
    return altered
  }

  mutating func run(
    _ attachment: MapABI.Attachment, on input: HookInput, state: borrowing NodeState, readingMaps: Bool
  ) throws(Base.Failure) -> HookResult {
    try base.run(altering(attachment), on: input, state: altered(state), readingMaps: readingMaps)
  }

  mutating func adopt(through position: Int, node: String) { base.adopt(through: position, node: node) }

  mutating func mapDifferences(from state: borrowing NodeState) throws(Base.Failure) -> [MapChange] {
    try base.mapDifferences(from: altered(state))
  }

  mutating func reset(to state: borrowing NodeState) throws(Base.Failure) {
    try base.reset(to: altered(state))
  }
}

/// Faults that a comparison exists to find: each is made on purpose, and must be caught and named.
struct NegativeControlTests {
  static let scenario = ScenarioCase(path: "scenarios/cluster/minimal.yaml")

  /// One bit of the server's identity, as every node's ipcache has it.
  static func wrongOctet(_ image: inout MapImage) {
    var entries: [(IPCacheKey, RemoteEndpointInfo)] = []
    for (key, value) in image.maps.ipcache.entries where value.sec_identity > 255 {
      entries.append((key, value))
    }
    for (key, value) in entries {
      var value = value
      value.sec_identity ^= 1
      image.maps.ipcache[exactly: key] = value
    }
  }

  /// Allow entries deny, deny entries allow.
  static func swappedPolicy(_ image: inout MapImage) {
    for endpoint in image.maps.policies.endpoints {
      guard var table = image.maps.policies[endpoint] else { continue }
      var entries: [(PolicyKey, PolicyEntry)] = []
      for (key, value) in table.entries where key.egress == 0 && key.sec_label != 0 {
        entries.append((key, value))
      }
      for (key, value) in entries {
        var value = value
        value.bits ^= UInt8(truncatingIfNeeded: POLICY_ENTRY_DENY.rawValue)
        table[exactly: key] = value
      }
      image.maps.policies[endpoint] = table
    }
  }

  private func divergences(_ alter: @escaping (inout MapImage) -> Void) throws -> [Divergence] {
    let outcome = try Self.scenario.run(Replay(Altered(base: Model(), alter: alter), foreign: false))
    if !outcome.agreement.divergences.isEmpty { #expect(outcome.result == .differs) }
    return outcome.agreement.divergences
  }

  @Test("Unaltered maps agree: the control of the controls")
  func nothing() throws {
    #expect(try divergences { _ in }.isEmpty)
  }

  @Test("A wrong octet in the ipcache is caught at the first hop that reads it")
  func ipcache() throws {
    let first = try #require(try divergences(Self.wrongOctet).first)
    #expect(first.hook == "from_container")
    #expect(first.expected != first.found)
  }

  @Test("A swapped policy entry is caught where policy is enforced, as another verdict")
  func policy() throws {
    let found = try divergences(Self.swappedPolicy)
    let verdict = try #require(found.first { $0.field == .verdict })
    #expect(verdict.hook == "from_overlay" || verdict.hook == "from_container")
    #expect(verdict.found.contains("drop"), "\(verdict.found)")
  }
}

/// The same with the kernel on the other side, and with a broken program.
@Suite(.serialized, .enabled(if: KernelAccess.isUsable, KernelAccess.comment))
struct KernelControlTests {
  @Test("A wrong octet in the kernel's map is caught")
  func map() throws {
    let kernel = KernelCluster(objects: try DatapathObjects.builtin())
    let altered = Altered(base: kernel, alter: NegativeControlTests.wrongOctet)
    let outcome = try NegativeControlTests.scenario.run(Replay(altered, foreign: false))
    #expect(outcome.result == .differs)
    #expect(outcome.agreement.divergences.first?.hook == "from_container")
  }

  @Test("One instruction changed in a program is caught, and the hook is named")
  func program() throws {
    let kernel = KernelCluster(objects: try broken("from_container"))
    let scenario = ScenarioCase(path: "scenarios/packets/spoofed-source.yaml")
    let outcome = try scenario.run(Replay(kernel, foreign: false))
    #expect(outcome.result == .differs)
    let found = try #require(outcome.agreement.divergences.first)
    #expect(found.hook == "from_container")
    #expect(outcome.agreement.divergences.contains { $0.field == .events })
  }

  @Test("Programs that only write something else into a map are caught, and the hook and the field are named")
  func silent() throws {
    func longer(_ image: inout MapImage) {
      for index in image.attachments.indices where image.attachments[index].hook == .fromContainer {
        image.attachments[index].config.ct_close_timeout += 1
      }
    }
    let objects = try DatapathObjects.builtin()
    let often = try NegativeControlTests.scenario.run(
      Replay(Altered(base: KernelCluster(objects: objects), alter: longer), foreign: false))
    let once = try NegativeControlTests.scenario.run(
      ConversationReplay(Altered(base: KernelCluster(objects: objects), alter: longer), foreign: false))
    #expect(once.result == .differs)
    let found = try #require(once.agreement.divergences.first)
    #expect(found.hook == "from_container" && found.field == .mapChanges)
    #expect(found.expected.hasPrefix("cilium_ct4_global["))
    #expect(found.details.first?.hasPrefix("lifetime: ") == true)
    #expect(once.agreement.divergences.map(\.summary) == often.agreement.divergences.map(\.summary))
    #expect(once.agreement.agreeing == often.agreement.agreeing)
  }

  @Test(
    "A broken program is told alike, whether maps are compared after every hop or once for each conversation")
  func bothWays() throws {
    let objects = try broken("from_container")
    let scenario = ScenarioCase(path: "scenarios/packets/spoofed-source.yaml")
    let often = try scenario.run(Replay(KernelCluster(objects: objects), foreign: false)).agreement
    let once = try scenario.run(ConversationReplay(KernelCluster(objects: objects), foreign: false)).agreement
    #expect(!once.divergences.isEmpty)
    #expect(once.divergences.map(\.summary) == often.divergences.map(\.summary))
    #expect(once.compared == often.compared && once.agreeing == often.agreeing)
  }

  /// Our programs with one altered: where `name` drops a source address that is not the endpoint's own (132), it says 133.
  private func broken(_ name: String) throws -> DatapathObjects {
    let intact = try DatapathObjects.builtin()
    var files = intact.files
    var image = try #require(BPFObjectImages.image(of: name))
    // mov rX, -132: 0xb7 or 0xb4, the register, no offset, the constant.
    let constant: [UInt8] = [0, 0, 0x7c, 0xff, 0xff, 0xff]
    var changed = 0
    for index in stride(from: 0, to: image.count - 8, by: 8) where [0xb7, 0xb4].contains(image[index]) {
      guard Array(image[index + 2..<index + 8]) == constant, image[index + 1] < 11 else { continue }
      image[index + 4] = 0x7b
      changed += 1
    }
    #expect(changed == 1)
    files[name] = try ObjectFile(image, name: name)
    return DatapathObjects(
      origin: .builtin, files: files, layouts: .native, profile: .current, driver: intact.driver)
  }
}
