import BPFObjects
import MapABI
import Testing

@testable import Kernel

/// What `ciliate inspect` says of an object.
@Suite struct ObjectDescriptionTests {
  static let image: [UInt8] = BPFObject.named("from_container")?.image ?? []

  @Test("Our object: program with its instructions, maps with layouts, configuration, licence, profile")
  func ours() throws {
    let object = try ObjectDescription(Self.image, name: "from_container")
    #expect(object.profile == "ciliate")
    #expect(object.licence == "Dual BSD/GPL")
    #expect(object.unknown.isEmpty)
    let program = try #require(object.programs.first)
    #expect(program.instructions > 100)
    let map = try #require(object.maps.first { $0.name == "cilium_ct4_global" })
    #expect(map.key?.size == MemoryLayout<CTTuple4>.size)
    #expect(map.value?.field("lifetime")?.bits == 32)
    #expect(map.typeName.contains("hash"))
    let config = try #require(object.variables.first { $0.name == "config" })
    #expect(config.initial.count == MemoryLayout<DatapathConfig>.size)
  }

  @Test("What is no object of ours to read is refused in clear words")
  func refused() {
    func message(_ change: (inout [UInt8]) -> Void) -> String {
      var image = Self.image
      change(&image)
      do throws(KernelError) {
        _ = try ObjectDescription(image, name: "x.o")
        return "read"
      } catch { return "\(error)" }
    }
    #expect(message { $0 = Array("no object at all".utf8) }.contains("not an ELF file"))
    #expect(message { $0[18] = 62 }.contains("machine 62 found, eBPF (247) expected"))
    #expect(message { $0[5] = 2 }.contains("little-endian"))
    // Sections renamed, all names being in one table: `.BTF` gone, and `.maps` to what 1.17 called it.
    #expect(message { Self.rename(".BTF\u{0}", to: ".XTF\u{0}", in: &$0) }.contains("no .BTF section"))
    #expect(message { Self.rename("\u{0}.maps\u{0}", to: "\u{0}maps\u{0}\u{0}", in: &$0) }.contains("1.17"))
  }

  private static func rename(_ old: String, to new: String, in image: inout [UInt8]) {
    let old = Array(old.utf8)
    var start = image.count - old.count
    while start >= 0 {
      if image[start] == old[0], image[start..<start + old.count].elementsEqual(old) {
        image.replaceSubrange(start..<start + old.count, with: new.utf8)
        return
      }
      start -= 1
    }
  }
}
