import Conformance
import Datapath
import Glibc
import Kernel
import MapABI
import Testing

/// What Cilium's compiled programs made of hops, asked again of the model and of our own programs.
@Suite(.serialized) struct RecordedAnswersTests {
  static let folder = #filePath.split(separator: "/").dropLast(2).reduce("") { "\($0)/\($1)" } + "/References"
  static let names = [
    "getting-started", "same-node", "dual-stack", "from-node", "socket-lb", "wildcard",
    "dual-stack-socket-lb",
  ]
  static let doctor = Doctor.examine()
  static let isRequired = getenv("CILIATE_REQUIRE_KERNEL").map { String(cString: $0) == "1" } ?? false

  static func text(_ name: String, _ profile: DatapathProfile = .current) throws -> String {
    let file = try #require(fopen("\(folder)/cilium-\(profile)/\(name).hops", "rb"))
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = fread(&part, 1, part.count, file)
      if count <= 0 { return String(decoding: bytes, as: UTF8.self) }
      bytes += part[0..<count]
    }
  }

  static func recording(_ name: String, _ profile: DatapathProfile = .current) throws -> HopRecording {
    try HopRecording(text(name, profile), file: "\(name).hops")
  }

  @Test(
    "The model gives Cilium's answers, in every field, version by version",
    arguments: names, DatapathProfile.allCases)
  func model(_ name: String, _ profile: DatapathProfile) throws {
    let recording = try Self.recording(name, profile)
    #expect(recording.version == profile.description)
    #expect(recording.scenario == name)
    #expect(recording.hopCount >= 5)
    var replay = Replay(Model(profile), foreign: true, profile: profile)
    recording.replay(to: &replay)
    Self.expectAgreement(replay.agreement, recording.hopCount)
  }

  @Test(
    "Our programs in this kernel give Cilium's answers", .enabled(if: doctor.canRunPackets || isRequired),
    arguments: names)
  func builtin(_ name: String) throws {
    let recording = try Self.recording(name)
    var replay = Replay(KernelCluster(objects: try .builtin()), foreign: true)
    recording.replay(to: &replay)
    Self.expectAgreement(replay.agreement, recording.hopCount)
  }

  static func expectAgreement(_ agreement: Agreement, _ hops: Int) {
    #expect(agreement.compared == hops)
    #expect(agreement.agreeing == hops)
    #expect(agreement.notRun.isEmpty, "\(agreement.notRun)")
    for difference in agreement.divergences.prefix(5) {
      Issue.record(
        "\(difference.hook): \(difference.field.rawValue): recorded \(difference.expected), found \(difference.found) \(difference.details)"
      )
    }
  }

  @Test(
    "Negative control: an older version's answers are not the current one's",
    arguments: [DatapathProfile.v118])
  func otherVersion(_ profile: DatapathProfile) throws {
    let recording = try Self.recording("same-node", profile)
    var replay = Replay(Model(), foreign: true)
    recording.replay(to: &replay)
    #expect(replay.agreement.divergences.contains { $0.field == .mark })
  }

  @Test("Negative control: one octet of an answer or of a map entry changed, and the replay says which field")
  func changed() throws {
    let text = try Self.text("same-node")
    func fields(_ old: String, _ new: String) throws -> [Field] {
      let found = text.firstRange(of: old)
      let range = try #require(found, "nothing to change: \(old)")
      let changed = text.replacingCharacters(in: range, with: new)
      var replay = Replay(Model(), foreign: true)
      try HopRecording(changed, file: "changed").replay(to: &replay)
      return replay.agreement.divergences.map(\.field)
    }
    #expect(try fields("  verdict redirect", "  verdict pass #").contains(.verdict))
    #expect(try fields("  out frame edited 0=", "  out frame edited 1=").contains(.frame))
    #expect(
      try fields("  change add cilium_metrics 00", "  change add cilium_metrics 01").contains(.counters))
    #expect(try fields("  event 04", "  event 05").contains(.events))
    // The destination's entry of cilium_lxc, by its address: without it the packet would leave the node.
    let server = "0af40104"
    let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("put cilium_lxc \(server)") })
    #expect(try fields("\(line)\n", "").contains(.verdict))
  }

  @Test("What cannot be read is named with file and line")
  func broken() throws {
    func message(_ text: String) -> String {
      do throws(RecordingError) {
        _ = try HopRecording(text, file: "x.hops")
        return "read"
      } catch { return "\(error)" }
    }
    #expect(message("") == "x.hops:1: no recording: expected a line \"hops 1\"")
    #expect(message("hops 2") == "x.hops:1: format 2 found, 1 expected")
    #expect(message("hops 1\n\nfrob") == "x.hops:3: frob: unknown word")
    #expect(message("hops 1\nput cilium_nonsense 00 00") == "x.hops:2: cilium_nonsense: there is no such map")
    #expect(message("hops 1\nput cilium_lxc 0g 00").hasSuffix("not hexadecimal"))
    #expect(message("hops 1\nconfig 1 0000").contains("recorded for another ABI"))
    #expect(message("hops 1\nendpoints 1") == "x.hops:2: 1: there is no such configuration")
  }

  @Test("A recording cut off or damaged anywhere is refused or read, never a trap")
  func hostile() throws {
    let octets = Array(try Self.text("same-node").utf8)
    var random = Environment(ktime: 0, random: 7)
    for _ in 0..<60 {
      var damaged = Array(octets[0..<Int(random.draw()) % octets.count])
      for _ in 0..<3 where !damaged.isEmpty {
        damaged[Int(random.draw()) % damaged.count] = UInt8(truncatingIfNeeded: random.draw())
      }
      let text = String(decoding: damaged, as: UTF8.self)
      guard let recording = try? HopRecording(text, file: "damaged") else { continue }
      var replay = Replay(Model(), foreign: true)
      recording.replay(to: &replay)
    }
  }
}

extension String {
  fileprivate func firstRange(of words: String) -> Range<String.Index>? {
    ranges(of: words).first
  }

  fileprivate func replacingCharacters(in range: Range<String.Index>, with words: String) -> String {
    var copy = self
    copy.replaceSubrange(range, with: words)
    return copy
  }
}
