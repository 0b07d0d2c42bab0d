import Glibc
import Testing

@testable import Kernel

/// All tests that use the kernel: one after the other, so that descriptors can be counted.
@Suite(.serialized) enum KernelSuite {}

/// Whether tests may use eBPF here. CILIATE_REQUIRE_KERNEL=1 turns a skip into a failure.
enum KernelAccess {
  static let doctor = Doctor.examine()
  static let isUsable: Bool = doctor.canRunPackets || isRequired
  static let comment: Comment = "\(doctor.reason ?? "")"
  static var isRequired: Bool { getenv("CILIATE_REQUIRE_KERNEL").map { String(cString: $0) == "1" } ?? false }
}

extension Trait where Self == ConditionTrait {
  /// Skips, with the reason, where eBPF may not be used.
  static var needsKernel: ConditionTrait { .enabled(if: KernelAccess.isUsable, KernelAccess.comment) }
  /// Skips where no build of Cilium's objects is given.
  static var needsCilium: ConditionTrait { .enabled(if: !CiliumFolders.all.isEmpty, CiliumFolders.comment) }
}

/// A folder with a build of Cilium's objects, from CILIATE_CILIUM_OBJECTS (folders separated by colons).
struct CiliumFolder: Sendable, CustomTestStringConvertible {
  var path: String
  var testDescription: String { path.split(separator: "/").last.map(String.init) ?? path }
  var isDual: Bool { testDescription.contains("dual") }

  func objects(_ names: [String]) throws -> DatapathObjects {
    try DatapathObjects.cilium(
      names.compactMap { name in read(name).map { (name, $0) } },
      options: CompiledOptions())
  }

  func read(_ name: String) -> [UInt8]? {
    guard let file = fopen("\(path)/\(name)", "rb") else { return nil }
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

enum CiliumFolders {
  static let all: [CiliumFolder] = {
    guard let value = getenv("CILIATE_CILIUM_OBJECTS") else { return [] }
    return String(cString: value).split(separator: ":").map { CiliumFolder(path: String($0)) }
  }()
  static let comment: Comment = "CILIATE_CILIUM_OBJECTS names no folder"
}
