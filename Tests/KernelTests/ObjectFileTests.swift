import BPFObjects
import Datapath
import MapABI
import Testing

@testable import Kernel

/// Object files, good and bad; no kernel needed.
@Suite struct ObjectFileTests {
  static let image: [UInt8] = BPFObject.named("from_container")?.image ?? []

  @Test("Our object: program, map names, configuration")
  func ours() throws {
    let file = try ObjectFile(Self.image, name: "from_container")
    let program = try #require(file.programs.first)
    #expect(
      program.maps.isSuperset(of: ["cilium_lxc", "cilium_ct4_global", "cilium_events", "cilium_call_policy"]))
    let config = try #require(file.variables.first { $0.name == "config" })
    #expect(config.section == ".rodata")
    #expect(config.size == MemoryLayout<DatapathConfig>.size)
  }

  @Test("Every struct of the map ABI has in the object's BTF the size that Swift gives it")
  func layouts() throws {
    let types = try BTFTypes(ELFImage(Self.image, name: "from_container"))
    for map in MapID.allCases {
      if let key = types.mapSide(map.name, "key") { #expect(key.size == map.keySize, "\(map) key") }
      if let value = types.mapSide(map.name, "value") { #expect(value.size == map.valueSize, "\(map) value") }
    }
    let entry = try #require(types.layout(of: "ct_entry"))
    #expect(entry.field("lifetime")?.bitOffset == 8 * (MemoryLayout<CTEntry>.offset(of: \.lifetime) ?? -1))
    #expect(
      entry.field("src_sec_id")?.bitOffset == 8 * (MemoryLayout<CTEntry>.offset(of: \.src_sec_id) ?? -1))
    let config = try #require(types.layout(of: "datapath_config"))
    #expect(
      config.field("env_pinned")?.bitOffset == 8
        * (MemoryLayout<DatapathConfig>.offset(of: \.env_pinned) ?? -1))
  }

  @Test("Not an object of ours or anybody's")
  func garbage() {
    for bytes in [
      [], [0x7f], Array("hello, world, this is no ELF file, but long enough for a header......".utf8),
    ] {
      #expect(throws: KernelError.self) { try ObjectFile(bytes, name: "x") }
    }
    var other = Self.image
    other[18] = 62  // x86-64
    #expect(Self.message(other).contains("machine 62 found"))
    var big = Self.image
    big[5] = 2
    #expect(Self.message(big).contains("little-endian"))
  }

  @Test("An object cut off anywhere is refused or read, never a trap")
  func truncated() {
    for length in stride(from: 0, to: Self.image.count, by: 997) {
      _ = try? ObjectFile(Array(Self.image[0..<length]), name: "cut")
    }
  }

  @Test("An object with wrong octets is refused or read, never a trap")
  func mutated() {
    var generator = Environment(ktime: 0, random: 42)
    let headers = Self.image.count - 64 * 40
    for _ in 0..<300 {
      var bytes = Self.image
      for _ in 0..<4 {
        let draw = Int(generator.draw())
        let offset = draw % 2 == 0 ? draw % 64 : max(0, headers) + draw % min(2560, bytes.count)
        if bytes.indices.contains(offset) { bytes[offset] = UInt8(truncatingIfNeeded: generator.draw()) }
      }
      _ = try? ObjectFile(bytes, name: "mutated")
    }
  }

  @Test("The legacy map section is named in the refusal")
  func legacy() throws {
    // Rename `.maps` to `maps` by moving the section header's name offset one octet on.
    let image = try ELFImage(Self.image, name: "x")
    let section = try #require(image.section(".maps"))
    var bytes = Self.image
    let table = bytes.withUnsafeBytes { Int($0.loadUnaligned(fromByteOffset: 0x28, as: UInt64.self)) }
    bytes[table + section.index * 64] &+= 1
    #expect(Self.message(bytes).contains("legacy section `maps`"))
  }

  private static func message(_ bytes: [UInt8]) -> String {
    do throws(KernelError) {
      _ = try ObjectFile(bytes, name: "x")
      return ""
    } catch {
      return error.description
    }
  }
}

/// Cilium's objects as files.
@Suite struct CiliumFileTests {
  @Test(
    "Tail-call slots, reachability and variables of bpf_lxc.o",
    .needsCilium, arguments: CiliumFolders.all)
  func lxc(_ folder: CiliumFolder) throws {
    let file = try ObjectFile(try #require(folder.read("bpf_lxc.o")), name: "bpf_lxc.o")
    let entry = try #require(file.program("cil_from_container"))
    #expect(entry.slot == nil)
    let handle = try #require(file.program("tail_handle_ipv4"))
    #expect(handle.slot == 7)
    #expect(entry.calls?.contains(7) == true, "\(String(describing: entry.calls))")
    let all = file.programs.count
    let reached = file.reachable(from: ["cil_from_container"])
    #expect(reached.count < all)
    #expect(reached.contains { $0.name == "tail_ipv4_ct_egress" })
    #expect(file.reachable(from: ["cil_lxc_policy"]).count < reached.count)
    #expect(file.variables.contains { $0.name == "__config_endpoint_id" && $0.size == 2 })
  }
}
