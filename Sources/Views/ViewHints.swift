/// The right spelling for words that name no view.
enum ViewHints {
  /// Commands that once were, or that are often sought, and what does their work.
  private static let elsewhere: [(words: String, hint: String)] = [
    ("monitor", "events are shown by \"ciliate observe\""),
    ("bpf map list", "the command is \"map list\""),
    ("bpf map ls", "the command is \"map list\""),
    ("bpf service list", "the command is \"bpf lb list\", or \"service list\""),
    ("bpf identity list", "identities are no map; the command is \"identity list\""),
    ("bpf tunnel", "the command is \"bpf tunnel list\"; from 1.18 on \"bpf ipcache list\""),
    ("policy get", "the command is \"bpf policy get ENDPOINT\""),
    ("policy list", "the command is \"bpf policy list\""),
    ("bpf proxy list", "the map is gone; see PROXY PORT in \"bpf policy get\""),
    ("status", "there is no such view yet"),
  ]

  static func hint(for words: [String]) -> String {
    guard !words.isEmpty else { return "name one, as \"bpf lb list\"" }
    let text = words.joined(separator: " ")
    if let known = elsewhere.first(where: { text == $0.words || text.hasPrefix($0.words + " ") }) {
      return known.hint
    }
    if let command = ViewCommand.allCases.first(where: { $0.isNamed(by: words, shortNames: true) }) {
      return "here the alias \"ls\" is unknown; the command is \"\(command.rawValue)\""
    }
    if let command = ViewCommand.allCases.first(where: { $0.isNamed(by: ["bpf"] + words, shortNames: true) })
    {
      return "the command is \"\(command.rawValue)\""
    }
    let near = ViewCommand.allCases.map { ($0.rawValue, distance(text, $0.rawValue)) }.min { $0.1 < $1.1 }
    if let near, near.1 <= max(2, near.0.utf8.count / 3) { return "did you mean \"\(near.0)\"?" }
    return "views: \(ViewCommand.allCases.map(\.rawValue).joined(separator: ", "))"
  }

  static func option(_ word: String, of command: ViewCommand) -> String {
    if word.hasPrefix("-o") || word.hasPrefix("--output") {
      return "views are texts; \(word) is not supported"
    }
    if command == .bpfLoadBalancerList, word == "--source-ranges" { return "source ranges are not modelled" }
    let known = command.options.map { option in
      "--\(option.name)" + (option.letter.map { " (-\($0))" } ?? "")
    }
    let list = known.isEmpty ? "has no options" : "has \(known.joined(separator: ", "))"
    return "\(command.rawValue) \(list), found \(word)"
  }

  /// How many octets must be changed, added or removed (Levenshtein); long texts count as their length.
  private static func distance(_ a: String, _ b: String) -> Int {
    let a = Array(a.utf8)
    let b = Array(b.utf8)
    guard a.count <= 64 else { return a.count }
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, y) in b.enumerated() {
        let above = row[j + 1]
        row[j + 1] = min(above + 1, row[j] + 1, diagonal + (x == y ? 0 : 1))
        diagonal = above
      }
    }
    return row[b.count]
  }
}
