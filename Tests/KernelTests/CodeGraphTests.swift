import BPFObjects
import TestSupport
import Testing

@testable import Kernel

/// Which functions reach which, read from an object's code; no kernel needed.
@Suite struct CodeGraphTests {
  static let image: [UInt8] = BPFObject.named("from_container")?.image ?? []

  @Test("A program reaches its functions and the maps that they name")
  func reach() throws {
    let graph = try CodeGraph(ELFImage(Self.image, name: "from_container"))
    let reach = graph.reach(from: ["cil_from_container"])
    #expect(reach.programs == ["cil_from_container"])
    #expect(reach.maps.isSuperset(of: ["cilium_lxc", "cilium_ct4_global", "cilium_policy_v2"]))
    #expect(graph.functions.contains { $0.section == ".text" && $0.maps.contains("cilium_lxc") })
    let policy = graph.functions.flatMap(\.tailCalls).filter { $0.map == "cilium_call_policy" }
    #expect(!policy.isEmpty)
    #expect(policy.allSatisfy { $0.slot == nil }, "the endpoint's slot is no constant")
    #expect(graph.reach(from: ["no such program"]).programs.isEmpty)
  }

  /// r1 is kept, r2 is an array of programs, r3 the slot, then the tail call.
  private func slots(_ instructions: [[UInt8]]) -> [UInt32?] {
    let code = instructions.flatMap { $0 }
    return Instructions(code[...], 0..<code.count).tailCalls(after: 0)
  }
  private let array: [UInt8] = [0x18, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
  private let slot5: [UInt8] = [0xb7, 0x03, 0, 0, 5, 0, 0, 0]
  private let copyR7: [UInt8] = [0xbf, 0x73, 0, 0, 0, 0, 0, 0]
  private let tailCall: [UInt8] = [0x85, 0, 0, 0, 12, 0, 0, 0]
  private let lookUp: [UInt8] = [0x85, 0, 0, 0, 1, 0, 0, 0]
  /// To the instruction after the next.
  private let jump: [UInt8] = [0x15, 0x01, 1, 0, 0, 0, 0, 0]

  @Test("The slot of a tail call, where the code tells")
  func constants() {
    #expect(slots([array, slot5, tailCall]) == [5])
    #expect(slots([array, copyR7, tailCall]) == [nil])
    #expect(slots([array, slot5, copyR7, tailCall]) == [nil])
    #expect(slots([array, tailCall]) == [nil])
    #expect(slots([array, slot5, lookUp, tailCall]) == [])
    #expect(slots([array, slot5, jump, tailCall, tailCall]) == [nil])
    #expect(slots([array, slot5]) == [])
  }

  @Test("Nothing is copied where no function of another section is called")
  func nothingToCopy() throws {
    var image = try ELFImage(Self.image, name: "from_container")
    #expect(try CalledFunctions.copyIntoText(&image).isEmpty)
    #expect(image.bytes == Self.image)
  }

  @Test("A section's new contents: everything else stays where it was")
  func replaced() throws {
    var image = try ELFImage(Self.image, name: "from_container")
    let licence = try #require(image.section("license"))
    let before = image.sections
    try image.replace(licence, with: Array("GPL, and more than was there before\0".utf8))
    let after = try ELFImage(image.bytes, name: "again")
    let found = try #require(after.section("license"))
    #expect(String(decoding: after.contents(found), as: UTF8.self).hasPrefix("GPL, and more"))
    for (a, b) in zip(before, after.sections) where a.name != "license" { #expect(a.range == b.range) }
    #expect(after.symbols.map(\.name) == image.symbols.map(\.name))
  }

  @Test("An object with octets changed anywhere is refused or read, never a trap")
  func mutated() throws {
    var random = SplitMix64(seed: 3)
    for _ in 0..<150 {
      var bytes = Self.image
      for _ in 0..<8 {
        let place = Int(random.next() % UInt64(bytes.count))
        bytes[place] = UInt8(truncatingIfNeeded: random.next())
      }
      // The headers of sections, where most harm is done.
      let place = bytes.count - 1 - Int(random.next() % UInt64(min(bytes.count, 2048)))
      bytes[place] = UInt8(truncatingIfNeeded: random.next())
      guard var image = try? ELFImage(bytes, name: "mutated") else { continue }
      _ = try? CalledFunctions.copyIntoText(&image)
      _ = try? CodeGraph(image)
      _ = try? MapInitialisers.removePrograms(&image)
      _ = try? TestObject(bytes, name: "mutated")
    }
  }
}
