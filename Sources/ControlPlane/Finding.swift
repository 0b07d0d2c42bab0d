import Cluster

/// Something about the cluster that the user should know of.
public struct Finding: Hashable, Sendable {
  public enum Severity: String, Hashable, Sendable, CaseIterable {
    /// It works, and perhaps not as meant.
    case warning
    /// What Cilium or Kubernetes refuses, or cannot carry out.
    case error
    /// What Cilium would carry out and this control plane does not: a result that it touches is never a pass.
    case unmodelled
  }

  public var severity: Severity
  /// The object that it is about.
  public var object: ObjectReference?
  public var location: SourceLocation
  public var message: String

  public init(
    _ severity: Severity, _ message: String, object: ObjectReference? = nil,
    at location: SourceLocation = .none
  ) {
    self.severity = severity
    self.message = message
    self.object = object
    self.location = location
  }
}

extension Finding: Comparable {
  public static func < (a: Self, b: Self) -> Bool {
    if a.location != b.location { return a.location < b.location }
    if let x = a.object, let y = b.object, x != y { return x < y }
    return a.message < b.message
  }
}

extension Finding: CustomStringConvertible {
  /// `file:line:column: severity: object: message`.
  public var description: String {
    let place = location.isKnown ? "\(location): " : ""
    let subject = object.map { "\($0): " } ?? ""
    return "\(place)\(severity.rawValue): \(subject)\(message)"
  }
}
