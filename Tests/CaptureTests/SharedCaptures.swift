import Capture
import Glibc
import Testing

/// Real captures that lie beside the repository on some machines; tests that need them are skipped elsewhere.
enum SharedCaptures {
  /// The folder of this package.
  static let root = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }

  static func path(_ name: String) -> String? {
    // A worktree of the repository may lie one folder deeper.
    ["\(root)/../shared/captures/\(name)", "\(root)/../../shared/captures/\(name)"].first {
      access($0, R_OK) == 0
    }
  }

  static let areThere = path("vxlan_traffic.pcap") != nil
}

/// The report of one file.
func report(of path: String?, countsFlows: Bool = true) throws -> DecodeReport {
  var decoder = Decoder(countsFlows: countsFlows)
  decoder.read(try #require(path))
  return decoder.report()
}

extension DecodeReport {
  /// Packets per VNI, as `62651:24 4:12`.
  var vnis: String { identities.map { "\($0.vni):\($0.packets)" }.joined(separator: " ") }
}
