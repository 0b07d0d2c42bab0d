import Cluster

/// Refuses the one form of aliases that the YAML library would expand without limit: Yams hashes whole keys, so
/// nested aliases used as mapping keys cost exponential time before any limit of ours is asked.
///
/// Aliases as values are shared there, and are counted against the limits when they are followed here.
struct AliasScan {
  private var aliases = 0
  private var complexKey: (line: Int, column: Int)?

  /// More than this many uses of aliases, together with a key that is no scalar, are refused.
  private static let limit = 24

  init(_ text: String) {
    guard text.utf8.contains(UInt8(ascii: "&")), text.utf8.contains(UInt8(ascii: "*")) else { return }
    var line = 1
    var column = 0
    var previous = UInt8(ascii: "\n")
    var beforeSpaces = UInt8(ascii: "\n")
    var inAlias = false
    for octet in text.utf8 {
      column += 1
      let startsToken = " \n\t\r[{,:-?".utf8.contains(previous)
      if octet == UInt8(ascii: "*"), startsToken {
        aliases += 1
        inAlias = true
      } else if octet == UInt8(ascii: "?"), startsToken {
        note(line, column)
      } else if octet == UInt8(ascii: ":"), inAlias || "]}".utf8.contains(beforeSpaces) {
        note(line, column)
      } else if octet != UInt8(ascii: " "), " \n,]}".utf8.contains(previous) {
        inAlias = false
      }
      if octet != UInt8(ascii: " ") { beforeSpaces = octet }
      if octet == UInt8(ascii: "\n") {
        line += 1
        column = 0
        inAlias = false
      }
      previous = octet
    }
  }

  func check(_ file: String) throws(YAMLSyntaxError) {
    guard aliases > Self.limit, let complexKey else { return }
    throw YAMLSyntaxError(
      SourceLocation(file: file, line: complexKey.line, column: complexKey.column),
      "mapping keys that are no plain scalars, in a file with \(aliases) aliases, are not read")
  }

  private mutating func note(_ line: Int, _ column: Int) {
    if complexKey == nil { complexKey = (line, column) }
  }
}
