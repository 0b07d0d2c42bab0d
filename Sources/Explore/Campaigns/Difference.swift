import Conformance

/// What is wrong with a run of a case: a kind of difference, without the numbers that vary from case to case.
public struct Difference: Hashable, Sendable, Comparable {
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    /// Model and kernel differ in a field of a hop.
    case kernel
    /// The packets did not do what the manifests mean.
    case intent
    /// A step could not be carried out, or the kernel failed at a hop.
    case error
  }

  public var kind: Kind
  /// Hook and field, or the message with its numbers and names taken out.
  public var signature: String

  public init(_ kind: Kind, _ signature: String) {
    self.kind = kind
    self.signature = signature
  }

  /// What two interpreters disagree in.
  init(_ divergence: Divergence) { self.init(.kernel, "\(divergence.hook) \(divergence.field.rawValue)") }

  public static func < (a: Self, b: Self) -> Bool {
    (a.kind.rawValue, a.signature) < (b.kind.rawValue, b.signature)
  }

  /// The message without addresses, numbers and what stands in parentheses: two messages about the same thing
  /// become equal.
  static func pattern(_ message: String) -> String {
    var result = ""
    var depth = 0
    for character in message {
      if character == "(" { depth += 1 }
      if depth == 0 {
        if character.isNumber {
          if result.last != "#" { result.append("#") }
        } else {
          result.append(character)
        }
      }
      if character == ")", depth > 0 { depth -= 1 }
    }
    return result
  }
}

/// A difference, and the lines that show it.
public struct Discovery: Equatable, Sendable {
  public var difference: Difference
  /// The first place where it was seen, in full.
  public var lines: [String]

  public init(_ difference: Difference, _ lines: [String]) {
    self.difference = difference
    self.lines = lines
  }
}
