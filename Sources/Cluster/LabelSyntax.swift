/// What Kubernetes accepts as a label key, a label value, and a name.
///
/// Each check answers nil for what is fine and otherwise says what is wrong, as a clause that follows the quoted
/// text. Source: the Kubernetes API conventions, "Labels and Selectors" and "Object Names and IDs" (RFC 1123
/// section 2.1 for names).
public enum LabelSyntax {
  /// `[prefix/]name`: the prefix a DNS subdomain of at most 253 characters, the name at most 63 of letters,
  /// digits, `-`, `_`, `.`, beginning and ending with a letter or digit.
  public static func problem(key: String) -> String? {
    let parts = key.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count <= 2 else { return "has more than one '/'" }
    if parts.count == 2 {
      if parts[0].isEmpty { return "has an empty prefix before the '/'" }
      if let problem = problem(subdomain: parts[0]) { return "has a prefix that \(problem)" }
    }
    guard let name = parts.last, !name.isEmpty else { return "is empty" }
    return problem(qualified: name)
  }

  /// Empty, or at most 63 characters as in the name part of a key.
  public static func problem(value: String) -> String? {
    value.isEmpty ? nil : problem(qualified: value[...])
  }

  /// A DNS-1123 label: at most 63 lower-case letters, digits and `-`, not at the ends.
  public static func problem(dnsLabel text: some StringProtocol) -> String? {
    if text.isEmpty { return "is empty" }
    if text.utf8.count > 63 { return "is longer than 63 characters" }
    guard text.utf8.allSatisfy({ isLowerAlphanumeric($0) || $0 == UInt8(ascii: "-") }) else {
      return "may only hold lower-case letters, digits and '-'"
    }
    guard isLowerAlphanumericAtEnds(text) else {
      return "must begin and end with a lower-case letter or a digit"
    }
    return nil
  }

  /// A DNS-1123 subdomain: at most 253 characters, DNS labels (of any length) joined by dots.
  public static func problem(subdomain text: some StringProtocol) -> String? {
    if text.isEmpty { return "is empty" }
    if text.utf8.count > 253 { return "is longer than 253 characters" }
    for label in text.split(separator: ".", omittingEmptySubsequences: false) {
      guard label.utf8.allSatisfy({ isLowerAlphanumeric($0) || $0 == UInt8(ascii: "-") }) else {
        return "may only hold lower-case letters, digits, '-' and '.'"
      }
      guard isLowerAlphanumericAtEnds(label) else {
        return "must begin and end with a lower-case letter or a digit, around each '.' too"
      }
    }
    return nil
  }

  /// A port name (IANA_SVC_NAME): at most 15 lower-case letters, digits and single `-`, with a letter in it.
  public static func problem(portName text: String) -> String? {
    if text.isEmpty { return "is empty" }
    if text.utf8.count > 15 { return "is longer than 15 characters" }
    guard text.utf8.allSatisfy({ isLowerAlphanumeric($0) || $0 == UInt8(ascii: "-") }) else {
      return "may only hold lower-case letters, digits and '-'"
    }
    guard text.utf8.contains(where: { $0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "z") }) else {
      return "must hold a letter"
    }
    let words = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    guard words.allSatisfy({ !$0.isEmpty }) else { return "may not begin or end with '-', nor hold '--'" }
    return nil
  }

  private static func problem(qualified text: Substring) -> String? {
    if text.utf8.count > 63 { return "is longer than 63 characters" }
    guard text.utf8.allSatisfy({ isAlphanumeric($0) || "-_.".utf8.contains($0) }) else {
      return "may only hold letters, digits, '-', '_' and '.'"
    }
    guard let first = text.utf8.first, let last = text.utf8.last, isAlphanumeric(first), isAlphanumeric(last)
    else { return "must begin and end with a letter or a digit" }
    return nil
  }

  private static func isLowerAlphanumericAtEnds(_ text: some StringProtocol) -> Bool {
    let octets = Array(text.utf8)
    guard let first = octets.first, let last = octets.last else { return false }
    return isLowerAlphanumeric(first) && isLowerAlphanumeric(last)
  }

  private static func isLowerAlphanumeric(_ octet: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(octet)
      || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(octet)
  }

  private static func isAlphanumeric(_ octet: UInt8) -> Bool {
    isLowerAlphanumeric(octet) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(octet)
  }
}
