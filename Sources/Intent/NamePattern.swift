import Cluster

/// A DNS name or a pattern of names.
///
/// `*` stands for any number of characters of one label, a leading `**.` for one or more whole labels, and stars
/// alone for every name. Case and a final dot do not count.
/// Source: Cilium `pkg/fqdn/matchpattern/matchpattern.go`.
struct NamePattern: Hashable, Sendable {
  private enum Form: Hashable, Sendable {
    case everything
    case literal([UInt8])
    /// The tail after a leading `**.`, itself a pattern.
    case subdomains([UInt8])
    case wildcards([UInt8])
    case nothing
  }

  private let form: Form

  init(_ selector: FQDNSelector) {
    if let name = selector.matchName, !name.isEmpty {
      form = .literal(NamePattern.canonical(name))
    } else if let pattern = selector.matchPattern, !pattern.isEmpty {
      form = NamePattern.form(of: pattern)
    } else {
      form = .nothing
    }
  }

  private static func form(of pattern: String) -> Form {
    let stars = pattern.utf8.prefix { $0 == UInt8(ascii: "*") }.count
    let rest = pattern.utf8.dropFirst(stars)
    if stars > 0, rest.isEmpty || rest.elementsEqual(".".utf8) { return .everything }
    let text = canonical(pattern)
    if stars >= 2, rest.first == UInt8(ascii: ".") {
      return .subdomains(Array(text.dropFirst(stars + 1)))
    }
    return text.contains(UInt8(ascii: "*")) ? .wildcards(text) : .literal(text)
  }

  func matches(_ name: String) -> Bool {
    let name = NamePattern.canonical(name)
    switch form {
    case .nothing: return false
    case .everything: return name == [UInt8(ascii: ".")] || NamePattern.isSequenceOfLabels(name[...])
    case .literal(let text): return name == text
    case .wildcards(let text): return NamePattern.match(text[...], name[...])
    case .subdomains(let tail):
      for position in name.indices where name[position] == UInt8(ascii: ".") {
        if NamePattern.isSequenceOfLabels(name[...position]),
          NamePattern.match(tail[...], name[(position + 1)...])
        {
          return true
        }
      }
      return false
    }
  }

  /// Lower case, with the final dot.
  private static func canonical(_ name: String) -> [UInt8] {
    var octets = name.utf8.map { (65...90).contains($0) ? $0 + 32 : $0 }
    if octets.last != UInt8(ascii: ".") { octets.append(UInt8(ascii: ".")) }
    return octets
  }

  private static func isNameCharacter(_ octet: UInt8) -> Bool {
    (97...122).contains(octet) || (65...90).contains(octet) || (48...57).contains(octet)
      || octet == UInt8(ascii: "-") || octet == UInt8(ascii: "_")
  }

  /// Whether it is one or more labels, each with its dot.
  private static func isSequenceOfLabels(_ name: ArraySlice<UInt8>) -> Bool {
    var length = 0
    for octet in name {
      if octet == UInt8(ascii: ".") {
        if length == 0 { return false }
        length = 0
      } else if isNameCharacter(octet) {
        length += 1
      } else {
        return false
      }
    }
    return length == 0 && !name.isEmpty
  }

  /// Glob matching in linear space, and at most pattern × name steps: the last star takes one more octet
  /// whenever the rest does not fit.
  private static func match(_ pattern: ArraySlice<UInt8>, _ name: ArraySlice<UInt8>) -> Bool {
    let star = UInt8(ascii: "*")
    var p = pattern.startIndex
    var n = name.startIndex
    var resume: (pattern: Int, name: Int)?
    while true {
      if p < pattern.endIndex, pattern[p] == star {
        p += 1
        resume = (p, n)
      } else if p == pattern.endIndex, n == name.endIndex {
        return true
      } else if p < pattern.endIndex, n < name.endIndex, pattern[p] == name[n] {
        p += 1
        n += 1
      } else if let last = resume, last.name < name.endIndex, isNameCharacter(name[last.name]) {
        resume = (last.pattern, last.name + 1)
        p = last.pattern
        n = last.name + 1
      } else {
        return false
      }
    }
  }
}
