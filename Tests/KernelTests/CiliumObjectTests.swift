import Datapath
import Glibc
import MapABI
import Testing
import Wire

@testable import Kernel

/// Cilium's own objects, from the folders that CILIATE_CILIUM_OBJECTS names (separated by colons).
enum CiliumObjects {
  static let folders: [String] = {
    guard let value = getenv("CILIATE_CILIUM_OBJECTS") else { return [] }
    return String(cString: value).split(separator: ":").map(String.init)
  }()

  static func load(_ folder: String, _ names: [String]) throws -> DatapathObjects {
    var files: [(name: String, bytes: [UInt8])] = []
    for name in names {
      if let bytes = read("\(folder)/\(name)") { files.append((name, bytes)) }
    }
    return try DatapathObjects.cilium(files, profile: DatapathProfile(version: "1.20"))
  }

  static func read(_ path: String) -> [UInt8]? {
    guard let file = fopen(path, "rb") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = fread(&part, 1, part.count, file)
      if count <= 0 { return bytes }
      bytes += part[0..<count]
    }
  }
}

@Suite(.serialized)
struct CiliumObjectTests {
  @Test(
    "A SYN between two pods of one node, in Cilium's object",
    .enabled(if: !CiliumObjects.folders.isEmpty, "CILIATE_CILIUM_OBJECTS names no folder"),
    arguments: CiliumObjects.folders)
  func synOnOneNode(_ folder: String) throws {
    let objects = try CiliumObjects.load(folder, ["bpf_lxc.o"])
    for rule in [TwoPods.Rule.open, .none, .deny] {
      let image = TwoPods.image(rule)
      let state = NodeState(image)
      let clock = ContinuousClock()
      let start = clock.now
      var node = try KernelNode.make(state, objects: objects)
      print("load", clock.now - start)
      let result = try node.run(image.attachments[0], on: TwoPods.syn(), state: state)
      print(rule, result.verdict, result.drop as Any, result.subject.frame?.count as Any)
      for event in result.events { print("  event", event) }
      for change in result.changes {
        print("  change", change.map, change.operation, change.keyBytes, change.valueBytes)
      }
      switch rule {
      case .open:
        #expect(result.verdict == .redirect(Redirect(ifindex: TwoPods.serverIfindex, mode: .egress)))
      case .none:
        #expect(result.verdict == .drop)
        #expect(result.drop == .policy)
      case .deny:
        #expect(result.verdict == .drop)
        #expect(result.drop == .policyDeny)
      }
    }
  }
}
