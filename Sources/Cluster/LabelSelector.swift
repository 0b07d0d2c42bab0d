/// A Kubernetes label selector: every one of its requirements must hold; one without requirements selects all.
///
/// A selector says nothing about namespaces or label sources; who uses it adds those. Absent selectors are
/// `nil` optionals, never empty ones: the two mean different things.
public struct LabelSelector: Hashable, Sendable {
  public enum Operator: String, Hashable, Sendable, CaseIterable {
    case `in` = "In"
    case notIn = "NotIn"
    case exists = "Exists"
    case doesNotExist = "DoesNotExist"
  }

  /// One entry of `matchExpressions`; `values` is empty for Exists and DoesNotExist.
  public struct Expression: Hashable, Sendable {
    public var key: String
    public var op: Operator
    public var values: [String]
    public var location: SourceLocation

    public init(key: String, op: Operator, values: [String] = [], location: SourceLocation = .none) {
      self.key = key
      self.op = op
      self.values = values
      self.location = location
    }
  }

  public var matchLabels: Labels
  public var matchExpressions: [Expression]
  public var location: SourceLocation

  public init(
    matchLabels: Labels = [:], matchExpressions: [Expression] = [], location: SourceLocation = .none
  ) {
    self.matchLabels = matchLabels
    self.matchExpressions = matchExpressions
    self.location = location
  }

  /// Whether it has no requirement, and so selects everything.
  public var isEmpty: Bool { matchLabels.isEmpty && matchExpressions.isEmpty }

  /// Whether labels satisfy every requirement. NotIn and DoesNotExist hold for an absent key.
  ///
  /// Source: k8s.io/apimachinery `labels.Requirement.Matches`.
  public func matches(_ labels: Labels) -> Bool {
    matchLabels.allSatisfy { labels[$0.key] == $0.value }
      && matchExpressions.allSatisfy { $0.matches(labels) }
  }
}

extension LabelSelector.Expression {
  public func matches(_ labels: Labels) -> Bool {
    switch (op, labels[key]) {
    case (.in, let value?): values.contains(value)
    case (.in, nil): false
    case (.notIn, let value?): !values.contains(value)
    case (.notIn, nil): true
    case (.exists, let value): value != nil
    case (.doesNotExist, let value): value == nil
    }
  }
}

extension LabelSelector: CustomStringConvertible {
  /// `app=web,tier in (a,b),!legacy`, as kubectl takes it; `<all>` when empty.
  public var description: String {
    if isEmpty { return "<all>" }
    let labels = matchLabels.map { "\($0.key)=\($0.value)" }
    let expressions = matchExpressions.map { expression in
      let values = expression.values.joined(separator: ",")
      return switch expression.op {
      case .in: "\(expression.key) in (\(values))"
      case .notIn: "\(expression.key) notin (\(values))"
      case .exists: expression.key
      case .doesNotExist: "!\(expression.key)"
      }
    }
    return (labels + expressions).joined(separator: ",")
  }
}
