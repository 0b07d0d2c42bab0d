import Capture
import Glibc

/// What `ciliate decode` is asked to do; the command line's options by their names.
struct DecodeRequest {
  enum Output: String, CaseIterable {
    case table, json, csv
  }

  var files: [String] = []
  var by = Grouping.flow
  var output = Output.table
  var identities: [String] = []
  var meshLimit = IdentityNames.MeshLimit.clusters255
  var endpoints: [String] = []
  var filter: String?
  var from: String?
  var to: String?
  var expect: String?
  var write: String?
  var decapsulate = false
  var wireshark: String?
  var follow = false
  var idle: Double?
  var peers = false
  var ports = DecodingPorts()

  /// Decodes, prints, and gives the exit code.
  func run() -> Int32 {
    do { return try DecodeSession(self).run() } catch {
      complain("\(error)")
      return 2
    }
  }

  init() {}

  /// Reads the plainest command lines, `decode [--by X] [-o X] FILE…`; nil for all others.
  ///
  /// ArgumentParser finds its options by reflection, which takes longer than reading a capture of fifty packets. Here
  /// the commonest calls go around it; whatever is not exactly of this form goes the usual way, errors included.
  init?(plain arguments: [String]) {
    guard arguments.count >= 3, arguments[1] == "decode" else { return nil }
    var rest = arguments.dropFirst(2)
    while let word = rest.popFirst() {
      switch word {
      case "--by":
        guard let value = rest.popFirst().flatMap({ Grouping(rawValue: $0) }) else { return nil }
        by = value
      case "-o", "--output":
        guard let value = rest.popFirst().flatMap({ Output(rawValue: $0) }) else { return nil }
        output = value
      default:
        guard word == "-" || !word.hasPrefix("-"), !word.isEmpty else { return nil }
        files.append(word)
      }
    }
    if files.isEmpty { return nil }
  }
}
