import Conformance
import Datapath
import Glibc
import Kernel
import MapABI
import Testing

/// What Cilium's compiled programs made of hops, asked again of the model and of our own programs.
@Suite(.serialized) struct RecordedAnswersTests {
  static let folder = #filePath.split(separator: "/").dropLast(2).reduce("") { "\($0)/\($1)" } + "/References"
  static let names = ["getting-started", "same-node", "dual-stack"]
  static let doctor = Doctor.examine()
  static let isRequired = getenv("CILIATE_REQUIRE_KERNEL").map { String(cString: $0) == "1" } ?? false

  static func text(_ name: String) throws -> String {
    let file = try #require(fopen("\(folder)/cilium-1.20/\(name).hops", "rb"))
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = fread(&part, 1, part.count, file)
      if count <= 0 { return String(decoding: bytes, as: UTF8.self) }
      bytes += part[0..<count]
    }
  }

  static func recording(_ name: String) throws -> HopRecording {
    try HopRecording(text(name), file: "\(name).hops")
  }

  @Test("The model gives Cilium's answers, in every field", arguments: names)
  func model(_ name: String) throws {
    let recording = try Self.recording(name)
    #expect(recording.version == "1.20")
    #expect(recording.scenario == name)
    #expect(recording.hopCount >= 10)
    var replay = Replay(Model(), foreign: true)
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

  @Test("Negative control: one octet of an answer or of a map entry changed, and the replay says which field")
  func changed() throws {
    let text = try Self.text("same-node")
    func fields(_ old: String, _ new: String) throws -> [Field] {
      let range = try #require(text.firstRange(of: old))
      let changed = text.replacingCharacters(in: range, with: new)
      var replay = Replay(Model(), foreign: true)
      try HopRecording(changed, file: "changed").replay(to: &replay)
      return replay.agreement.divergences.map(\.field)
    }
    #expect(try fields("  verdict redirect", "  verdict pass #").contains(.verdict))
    #expect(try fields("  out frame edited 0=0", "  out frame edited 0=1").contains(.frame))
    #expect(
      try fields("  change add cilium_metrics 00", "  change add cilium_metrics 01").contains(.counters))
    #expect(try fields("  event 04", "  event 05").contains(.events))
    // A pod's own address in its configuration or in the maps decides: the first endpoint entry taken away.
    let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("put cilium_lxc") })
    #expect(try !fields("\(line)\n", "").isEmpty)
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
