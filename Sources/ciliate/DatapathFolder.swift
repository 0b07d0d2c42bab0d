import Capture
import Kernel

/// A folder of Cilium's compiled objects.
enum DatapathFolder {
  static let names = ["bpf_lxc.o", "bpf_host.o", "bpf_overlay.o", "bpf_xdp.o", "bpf_sock.o"]

  static func load(_ folder: String) throws -> DatapathObjects {
    var files: [(name: String, bytes: [UInt8])] = []
    for name in names {
      if let bytes = try? readWholeFile("\(folder)/\(name)") { files.append((name, bytes)) }
    }
    guard !files.isEmpty else {
      throw CaptureError(file: folder, reason: "holds none of \(names.joined(separator: ", "))")
    }
    return try DatapathObjects.cilium(files, profile: DatapathProfile(version: "1.20"))
  }
}
